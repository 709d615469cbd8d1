"""What ``make repro`` made, in a few lines: counts, main figures, and where to look."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure
from persuasion.findings import dig, number, percent
from persuasion.running import SECRET

STAGES = ("extract", "pair", "base", "reference", "train", "evaluate", "generate")
SPLITS = ("train", "validation", "test")
JUDGES = (
    ("tuned policy", "reward_accuracy"),
    ("reference (untuned)", "reference_accuracy"),
    ("longer comment wins", "baseline.length.accuracy"),
    ("bag of words", "baseline.tfidf.accuracy"),
    ("interplay with post", "baseline.interplay.accuracy"),
)
WIDTH = max(len(words) for words, _ in JUDGES)


def read_metrics(root: Path, stages: Sequence[str] = STAGES) -> dict[str, Any]:
    """The stages' figures, by stage. Raises DataFailure naming every file that is missing or malformed."""
    found: dict[str, Any] = {}
    wrong = []
    for stage in stages:
        name = f"metrics/{stage}.json"
        try:
            found[stage] = json.loads((root / name).read_text(encoding="utf-8"))[stage]
        except FileNotFoundError:
            wrong.append(f"{name} is missing")
        except (ValueError, KeyError, TypeError):
            wrong.append(f"{name} holds no figures of {stage}")
    if wrong:
        raise DataFailure("the pipeline has not run to its end", where=root, why="; ".join(wrong), fix="make repro")
    return found


def places() -> dict[str, str]:
    """Where to look, as paths and commands from the root."""
    uri = SECRET.sub("", os.environ.get("MLFLOW_TRACKING_URI", ""))
    store = uri or "sqlite:///mlflow.db"
    return {
        "report": "report/index.html",
        "adapter": "models/adapter",
        "pairs": "data/pairs",
        "experiments": "dvc exp show",
        "runs": store if store.startswith("http") else f"mlflow ui --backend-store-uri {store}",
    }


def text(metrics: dict[str, Any], where: dict[str, str]) -> str:
    """The summary as lines."""
    pairs = ", ".join(f"{number(dig(metrics, f'pair.pairs.{split}'))} {split}" for split in SPLITS)
    judged = "test" if dig(metrics, "evaluate.test_split") else "validation"
    lines = [
        f"Threads   {number(dig(metrics, 'extract.submissions'))} discussions,"
        f" {number(dig(metrics, 'extract.deltas'))} deltas",
        f"Pairs     {pairs}",
        f"          {percent(dig(metrics, 'pair.audit.surface_accuracy'))} told apart by their surface alone",
        f"Base      perplexity {number(dig(metrics, 'base.perplexity'))}"
        f", {number(dig(metrics, 'base.parameters'))} parameters",
        f"Adapter   {number(dig(metrics, 'train.steps'))} steps of DPO, loss {number(dig(metrics, 'train.loss'))}",
        f"Accuracy  on {number(dig(metrics, 'evaluate.pairs'))} {judged} pairs, with 95 % intervals",
        *(_judge(metrics["evaluate"], words, path) for words, path in JUDGES),
        *_kinds(metrics["evaluate"].get("by_kind") or {}),
        f"Replies   {number(dig(metrics, 'generate.replies'))},"
        f" {percent(dig(metrics, 'generate.eos_rate'))} ended by the model itself",
        "Look at   " + "\n          ".join(f"{name + ':':13}{place}" for name, place in where.items()),
    ]
    return "\n".join(lines)


def _judge(evaluate: dict[str, Any], words: str, path: str) -> str:
    low, high = (dig(evaluate, f"{path}_{bound}") for bound in ("low", "high"))
    bounds = "" if low is None or high is None else f"  [{percent(low)}, {percent(high)}]"
    return f"          {words:{WIDTH}}  {percent(dig(evaluate, path))}{bounds}"


def _kinds(by_kind: dict[str, Any]) -> list[str]:
    return [
        f"          {'cue: ' + kind:{WIDTH}}  {percent(dig(figures, 'accuracy'))}"
        f"  ({number(dig(figures, 'pairs'))} pairs)"
        for kind, figures in sorted(by_kind.items())
    ]
