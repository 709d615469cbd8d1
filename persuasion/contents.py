"""What the report's tables say: every figure as text, with a reason beside each that is undefined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion import measures
from persuasion.config import Params
from persuasion.figures import Judge, Row
from persuasion.findings import Tree, dig, findings, interval, number, percent
from persuasion.inert import clean
from persuasion.records import Reply
from persuasion.seen import WITHHELD, shown

SHOWN = 1500
"""Characters of a text shown in an example."""

JUDGES = {
    "length": "Longer comment wins",
    "earlier": "Earlier comment wins",
    "score": "Higher-voted comment wins",
    "tfidf": "Bag of words (TF-IDF)",
    "interplay": "Interplay with the post",
}
DATA = (
    ("Raw lines read", "extract.lines", number),
    ("Submissions kept", "extract.submissions", number),
    ("Comments kept", "extract.comments", number),
    ("Deltas found", "extract.deltas", number),
    ("Lines refused", "extract.refused", number),
    ("Pairs: train", "pair.pairs.train", number),
    ("Pairs: validation", "pair.pairs.validation", number),
    ("Pairs: test", "pair.pairs.test", number),
    ("Posts with pairs: train", "pair.threads.train", number),
    ("Posts with pairs: validation", "pair.threads.validation", number),
    ("Posts with pairs: test", "pair.threads.test", number),
    ("Words in a prompt (mean)", "pair.words.prompt_mean", number),
    ("Words in a completion (mean)", "pair.words.completion_mean", number),
    ("Pairs told apart by their surface alone", "pair.audit.surface_accuracy", percent),
    ("Pairs whose chosen text is the longer", "pair.audit.longer_wins", percent),
    ("Held-out texts with 13 words in a row of another split", "pair.audit.shared_runs", percent),
    ("Prompts cut to the token limit", "reference.truncated.prompt", number),
    ("Completions cut to the token limit", "reference.truncated.completion", number),
    ("Pairs dropped by the token limits", "reference.dropped", number),
    ("Tokens in a prompt (mean)", "reference.tokens.prompt_mean", number),
    ("Tokens in a completion (mean)", "reference.tokens.completion_mean", number),
)
FIT = (
    ("Optimiser steps", "train.steps", number),
    ("Training loss (nats)", "train.loss", number),
    ("Validation loss (nats)", "train.validation.loss", number),
    ("Validation NLL at the best temperature (nats)", "train.validation.nll_calibrated", number),
    ("Validation reward accuracy", "train.validation.reward_accuracy", percent),
    ("Validation reward margin", "train.validation.reward_margin", number),
)
DETAILS = (
    ("Accuracy on pairs of like length", "evaluate.accuracy_length_matched", percent),
    ("Pairs of like length", "evaluate.pairs_length_matched", number),
    ("Mean reward margin", "evaluate.reward_margin", number),
    ("Mean reward, chosen", "evaluate.rewards.chosen", number),
    ("Mean reward, rejected", "evaluate.rewards.rejected", number),
    ("Chosen less likely than before", "evaluate.displacement_rate", percent),
    ("Perplexity of chosen: reference", "evaluate.perplexity.reference.chosen", number),
    ("Perplexity of chosen: policy", "evaluate.perplexity.policy.chosen", number),
    ("Perplexity of rejected: reference", "evaluate.perplexity.reference.rejected", number),
    ("Perplexity of rejected: policy", "evaluate.perplexity.policy.rejected", number),
    ("Expected calibration error", "evaluate.ece", percent),
    ("Brier score (a coin: 0.25)", "evaluate.brier", number),
    ("NLL (a coin: 0.6931)", "evaluate.nll", number),
)
WRITING = (
    ("Replies", "generate.replies", number),
    ("Tokens in a reply (mean)", "generate.tokens_mean", number),
    ("Replies that the policy ended itself", "generate.eos_rate", percent),
    ("Distinct word pairs", "generate.distinct_2", percent),
    ("Replies with 13 words in a row from training", "generate.copy_rate", percent),
)
REASONS = {
    "accuracy_length_matched": "no pair is of like length",
    "perplexity": "no tokens, or beyond a float",
    "eos_rate": "no replies",
    "tokens_mean": "no replies",
    "distinct_2": "no replies of two words",
    "copy_rate": "no replies",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the page is made of. ``synthetic``: the posts are ours, not people's."""

    metrics: Tree
    training: Sequence[Row]
    validation: Sequence[Row]
    reliability: Sequence[Row]
    margins: Sequence[Row]
    lengths: Sequence[Row]
    tokens: Sequence[Row]
    previews: Sequence[Tree]
    replies: Sequence[Reply]
    params: Params
    synthetic: bool


def contents(inputs: Inputs) -> dict[str, Any]:
    """Everything the two templates print."""
    metrics = inputs.metrics
    evaluate = metrics.get("evaluate") or {}
    return {
        "findings": findings(evaluate),
        "data": _rows(metrics, DATA),
        "refused": _flat(dig(metrics, "extract.refused_by")) + _flat(dig(metrics, "extract.skipped_by")),
        "dropped": _flat(dig(metrics, "pair.dropped_by")),
        "previews": shown(inputs.previews, hidden=inputs.params.report.public and not inputs.synthetic),
        "leaks": _flat(dig(metrics, "pair.leaks")),
        "epochs": [_epoch(row) for row in inputs.validation],
        "fit": _rows(metrics, FIT),
        "judges": [_judged(judge) for judge in judges(evaluate)],
        "kinds": _kinds(evaluate),
        "details": _rows(metrics, DETAILS),
        "writing": _rows(metrics, WRITING),
        "safety": [(name.replace("_", " "), _share(value)) for name, value in _leaves(dig(metrics, "generate.safety"))],
        "examples": [_example(reply, inputs) for reply in list(inputs.replies)[: inputs.params.report.examples]],
        "replies": len(inputs.replies),
        "synthetic": inputs.synthetic,
        "public": inputs.params.report.public,
        "settings": _choices(inputs.params),
        "metrics": _flat(metrics),
    }


def judges(evaluate: Tree) -> list[Judge]:
    """The lines of the judging table: ours first, then the reference, then the baselines that were asked."""

    def judge(name: str, tree: Any, stem: str, ours: bool = False) -> Judge:
        return Judge(name, dig(tree, stem), dig(tree, f"{stem}_low"), dig(tree, f"{stem}_high"), ours)

    return [
        judge("Tuned policy", evaluate, "reward_accuracy", ours=True),
        judge("Reference (before training)", evaluate, "reference_accuracy"),
        *(judge(words, dig(evaluate, f"baseline.{name}"), "accuracy") for name, words in JUDGES.items()),
    ]


def _rows(metrics: Tree, wanted: Sequence[tuple[str, str, Any]]) -> list[tuple[str, str, str]]:
    """(label, figure, reason): the reason is "" unless the figure is undefined."""
    values = [(label, path, form, dig(metrics, path)) for label, path, form in wanted]
    return [(label, form(value), "" if value is not None else _reason(path)) for label, path, form, value in values]


def _reason(path: str) -> str:
    return next((reason for name, reason in REASONS.items() if name in path), "not measured in this run")


def _judged(judge: Judge) -> dict[str, Any]:
    known = judge.accuracy is not None
    sure = interval(judge.low, judge.high) if known else "not asked: too few pairs, or the data does not say"
    return {"name": judge.name, "accuracy": percent(judge.accuracy), "interval": sure, "ours": judge.ours}


def _kinds(evaluate: Tree) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            name,
            number(row.get("pairs")),
            percent(row.get("accuracy")),
            interval(row.get("accuracy_low"), row.get("accuracy_high")),
            percent(row.get("reference_accuracy")),
        )
        for name, row in sorted((evaluate.get("by_kind") or {}).items())
    ]


def _epoch(row: Row) -> tuple[str, ...]:
    shown = (number(row.get(name)) for name in ("epoch", "loss", "reward_margin"))
    return (*shown, percent(row.get("reward_accuracy")), number(row.get("nll_calibrated")))


def _leaves(tree: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Every figure of a tree with its dotted name, sorted."""
    if not isinstance(tree, Mapping):
        return [(prefix, tree)] if prefix else []
    return [leaf for name in sorted(tree) for leaf in _leaves(tree[name], f"{prefix}.{name}" if prefix else name)]


def _flat(tree: Any) -> list[tuple[str, str]]:
    return [(name, number(value)) for name, value in _leaves(tree)]


def _share(value: float | None) -> str:
    """A count as a number, a share as per cent."""
    return number(value) if isinstance(value, int) else percent(value)


def _example(reply: Reply, inputs: Inputs) -> dict[str, str]:
    """One reply as shown; in public, nothing that a real person wrote, nor a reply that repeats it."""
    hidden = inputs.params.report.public and not inputs.synthetic
    people = [reply.prompt, reply.chosen]

    def ours(text: str) -> str:
        return WITHHELD if hidden and measures.copied([text], people)[0] else _cut(text)

    return {
        "thread": "" if hidden else clean(reply.thread_id),
        "post": WITHHELD if hidden else _cut(reply.prompt),
        "chosen": WITHHELD if hidden else _cut(reply.chosen),
        "base": ours(reply.base_text),
        "tuned": ours(reply.text),
        "base_end": "ended by itself" if reply.base_stopped else "cut at the token limit",
        "tuned_end": "ended by itself" if reply.stopped else "cut at the token limit",
    }


def _cut(text: str) -> str:
    text = clean(text).strip()
    return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + " …"


def _choices(params: Params) -> list[tuple[str, str]]:
    """The settings that a reader asks for first."""
    model = params.model
    return [
        ("source.path", _relative(params.source.path)),
        ("model", " ".join(part for part in (model.kind, _relative(model.name or ""), model.revision) if part)),
        ("dpo.beta", number(params.dpo.beta)),
        ("train.method", params.train.method),
        ("dpo.loss", " + ".join(params.dpo.losses)),
        ("lora.r", number(params.lora.r)),
        ("train.learning_rate", number(params.train.learning_rate)),
        ("train.epochs", number(params.train.epochs)),
        ("train.seed", number(params.train.seed)),
        ("evaluate.split", params.evaluate.split),
        ("evaluate.bootstrap", number(params.evaluate.bootstrap)),
    ]


def _relative(path: str) -> str:
    """A path as written, but of an absolute one the name only: a page tells nothing of the machine."""
    return Path(path).name if Path(path).is_absolute() else path
