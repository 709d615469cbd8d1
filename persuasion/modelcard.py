"""The card that goes with an adapter, as a Hugging Face model card: what it is, learnt from, is worth and is not for.

`train` writes it beside the weights with figures on validation pairs; `report` writes it once more with the figures
of `evaluate`, for whoever publishes the adapter. Front matter is made by a YAML writer and text by ``inert``, so no
setting can break out of either. The same run gives the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import yaml

from persuasion import measures
from persuasion.config import Params
from persuasion.inert import markdown
from persuasion.likelihoods import by_likelihood
from persuasion.records import Pair, Verdict

NAME = "persuasion-adapter"
UNDEFINED = "–"
RESAMPLES = 2000
"""As in params.yaml's evaluate.bootstrap, which `train` does not depend on."""
METHOD = "95 % interval by resampling posts"
_INTRODUCTION = """# A LoRA adapter aligned by {title} to comments that earned a delta

Trained by the stage `train` of Persuasion on pairs of r/changemyview comments: chosen = earned a delta from the post's
author, rejected = a comment on the same post that did not. It changes the base model `{base}`{revision}, whose files
have the sha256 `{base_sha256}`.

Load it with `peft.PeftModel.from_pretrained(base, folder)`; the tokenizer and chat template are included.
"""
_USE = """## Intended use

Research on persuasive language: what distinguishes comments that changed a view, measured on held-out pairs.

## Not for

- **No therapy**, no crisis support, no medical or legal advice: it has learnt which comments convinced strangers, not
  what helps a person. Posts that speak of acute danger must be answered by people.
- **No undisclosed deployment**: whoever reads its replies must know that a model wrote them, and have agreed. No
  posting to communities as if a person wrote it.
- No targeting of persons or groups, no inference of personal traits, no political or commercial persuasion.

## Limits

- A delta says that one author changed a view at one time. It is not truth, and its absence is not failure: a
  persuasive reply can be wrong, and can invent experiences, sources and numbers.
- The figures are agreement with past deltas, a stand-in for persuasion. Nobody was asked whether these replies
  changed their mind.
- English, mostly male, and no sample of anyone's patients.
- It can repeat what it was trained on: share it no more freely than the pairs, whose texts belong to who wrote them.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A figure on held-out pairs. ``kind``: as in hf.co/metrics; bounds None where undefined or not measured."""

    name: str
    kind: str
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was measured on which split. ``looks``: policies judged on this test set so far (None: not the test set)."""

    split: str
    pairs: int
    posts: int
    figures: Sequence[Measured]
    looks: int | None = None


def held_out(verdicts: Sequence[Verdict], pairs: Sequence[Pair], seed: int) -> Results:
    """What `train` can say of validation pairs; intervals by ``RESAMPLES`` resamples of posts, drawn by ``seed``."""
    thread = {pair.pair_id: pair.thread_id for pair in pairs}
    posts = [thread[verdict.pair_id] for verdict in verdicts]
    margins = [verdict.margin for verdict in verdicts]
    columns: tuple[tuple[str, str, Any], ...] = (
        ("reward accuracy", "accuracy", list(measures.scores(margins))),
        ("accuracy before preference training", "accuracy", by_likelihood(verdicts, "reference")["summed"]),
        ("reward margin", "reward_margin", margins),
        ("reward of chosen (below 0: less likely than before)", "reward", [v.chosen_reward for v in verdicts]),
        ("reward of rejected", "reward", [v.rejected_reward for v in verdicts]),
    )
    figures = [_resampled(name, kind, values, posts, seed) for name, kind, values in columns]
    return Results(split="validation", pairs=len(verdicts), posts=len(set(posts)), figures=figures)


def _resampled(name: str, kind: str, values: Sequence[float], posts: Sequence[str], seed: int) -> Measured:
    low, high = measures.cluster_bootstrap(values, posts, RESAMPLES, seed)
    return Measured(name=name, kind=kind, value=measures.mean(values), low=low, high=high)


def card(params: Params, facts: Mapping[str, Any], data: Mapping[str, str], results: Results | None) -> str:
    """Return the card as Markdown.

    ``facts``: base_sha256, pairs, steps; ``data``: the sha256 of each file of pairs, by its name; ``results``: None
    where nothing was measured.
    """
    front = yaml.safe_dump(_front(params, data, results), sort_keys=False, allow_unicode=True, width=1000)
    hub = params.model.kind == "hub"
    introduction = _INTRODUCTION.format(
        title=_method(params).upper(),
        base=markdown(_base(params)),
        revision=f" at revision `{markdown(params.model.revision)}`" if hub else "",
        base_sha256=facts["base_sha256"],
    )
    learnt = [("pairs", facts["pairs"]), ("optimiser steps", facts["steps"]), *_settings(params)]
    parts = [introduction, _results(results), _table("## Trained on", ("file", "sha256"), sorted(data.items()))]
    return f"---\n{front}---\n" + "\n".join([*parts, _table("## Settings", ("setting", "value"), learnt), _USE])


def _front(params: Params, data: Mapping[str, str], results: Results | None) -> dict[str, Any]:
    front: dict[str, Any] = {
        "base_model": _base(params),
        "base_model_relation": "adapter",
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "language": "en",
        "license": "other",
        "license_name": "no-right-to-the-texts-is-granted",
        "tags": [_method(params), "lora", "trl", "persuasion", "changemyview"],
    }
    metrics = [_metric(figure) for figure in results.figures if figure.value is not None] if results else []
    if results and metrics:  # a model-index without a metric does not parse
        dataset: dict[str, Any] = {
            "name": "preference pairs from r/changemyview",
            "type": "preference-pairs",
            "split": results.split,
            "args": {"pairs": results.pairs, "posts": results.posts, "sha256": dict(sorted(data.items()))},
        }
        if results.looks is not None:
            dataset["args"]["looks_at_this_test_set"] = results.looks
        task = {"type": "text-generation", "name": "telling which of two comments earned the delta"}
        front["model-index"] = [{"name": NAME, "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]
    return front


def _metric(figure: Measured) -> dict[str, Any]:
    metric = {"type": figure.kind, "name": figure.name, "value": figure.value}
    if figure.low is None or figure.high is None:
        return metric
    return {**metric, "args": {"low": figure.low, "high": figure.high, "method": METHOD}}


def _results(results: Results | None) -> str:
    if results is None:
        return "## Figures\n\nNot measured.\n"
    rows = [(f.name, _number(f.value), f"{_number(f.low)} to {_number(f.high)}") for f in results.figures]
    title = f"## On {results.pairs} {markdown(results.split)} pairs from {results.posts} posts it never saw"
    note = "Validation pairs also serve to choose settings, so the figures are slightly optimistic.\n"
    if results.split == "test":
        looks = "an unknown number of" if results.looks is None else str(results.looks)
        note = f"These are the test pairs; {looks} policies have been judged on them so far, this one included.\n"
    return _table(title, ("figure", "value", METHOD), rows) + f"\n{note}"


def _settings(params: Params) -> list[tuple[str, Any]]:
    return [
        (f"{section}.{field.name}", getattr(getattr(params, section), field.name))
        for section in dict.fromkeys(["dpo", "lora", "train", _method(params)])
        for field in fields(getattr(params, section))
        if field.name not in ("save_every", "log_every")
    ]


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(markdown(_text(value)) for value in row) + " |" for row in rows]
    return "\n".join([title, "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines, ""])


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    if value is None or isinstance(value, bool):
        return {None: UNDEFINED, True: "yes", False: "no"}[value]
    return str(value)


def _number(value: float | None) -> str:
    return UNDEFINED if value is None else f"{value:.4f}"


def _base(params: Params) -> str:
    return params.model.name if params.model.kind == "hub" and params.model.name else params.base.folder.as_posix()


def _method(params: Params) -> str:
    return params.train.method
