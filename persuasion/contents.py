"""What the report's tables say: every figure as text, with a reason beside each that is undefined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from persuasion import comparisons, examples, lineage
from persuasion.advice import advice, headline
from persuasion.config import Params
from persuasion.drawing import Row
from persuasion.findings import Tree, dig, findings, interval, number, percent
from persuasion.forest import Judge
from persuasion.records import Reply
from persuasion.seen import shown

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
    ("Temperature that fits the margins best (1: calibrated)", "evaluate.temperature", number),
    ("NLL at that temperature", "evaluate.nll_calibrated", number),
    ("Change of log-probability, chosen, nats a token", "evaluate.drift.chosen", number),
    ("Change of log-probability, rejected, nats a token", "evaluate.drift.rejected", number),
)
WRITING = (
    ("Replies", "generate.replies", number),
    ("Tokens in a reply (mean)", "generate.tokens_mean", number),
    ("Replies that the policy ended itself", "generate.eos_rate", percent),
    ("Distinct word pairs", "generate.distinct_2", percent),
    ("Replies with 13 words in a row from training", "generate.copy_rate", percent),
    ("Posts shown without their end (token limit)", "generate.truncated.prompt", number),
)
PROXIES = (
    ("Replies by the tuned policy preferred (win rate)", "generate.judge_proxy.win_rate", percent),
    ("… its 95% interval over posts: from", "generate.judge_proxy.win_rate_low", percent),
    ("… to", "generate.judge_proxy.win_rate_high", percent),
    ("Votes for whichever stood first (50%: no position bias)", "generate.judge_proxy.first_rate", percent),
    ("Pairs with the same winner in both orders", "generate.judge_proxy.consistency", percent),
)
UNMEASURED = "not measured in this run"

CHOICES = (
    "source.path", "pairs.unit", "pairs.negative", "pairs.split", "model.kind", "model.name", "model.revision",
    "train.method", "dpo.beta", "dpo.loss", "lora.r", "train.learning_rate", "train.epochs", "train.seed",
    "evaluate.split", "evaluate.bootstrap",
)  # fmt: skip
"""The settings that a reader asks for first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the page is made of. ``synthetic``: the posts are ours, not people's.

    ``tables``: the plots' rows by name, [] where there are none. ``undefined``: by stage and dotted name, why a figure
    is null; ``slices``: what a slice holds in words. ``made``: (what, hash). ``quoting``: replies that repeat
    ``examples.QUOTED`` words of some pair.
    """

    metrics: Tree
    tables: Mapping[str, Sequence[Row]]
    undefined: Mapping[str, str]
    slices: Mapping[tuple[str, str], str]
    previews: Sequence[Tree]
    replies: Sequence[Reply]
    quoting: frozenset[str]
    made: Sequence[tuple[str, str]]
    params: Params
    synthetic: bool

    @property
    def hidden(self) -> bool:
        """Whether nothing that a real person wrote may be shown."""
        return self.params.report.public and not self.synthetic


def contents(inputs: Inputs) -> dict[str, Any]:
    """Everything the two templates print."""
    metrics, params = inputs.metrics, inputs.params
    validation = list(inputs.tables.get("validation") or [])
    settings = lineage.settings(params)
    return {
        "headline": headline(metrics, params.dpo.beta),
        "findings": findings(metrics.get("evaluate") or {}),
        "advice": advice(metrics, validation),
        "made": [*inputs.made, ("params.yaml, as listed below (sha256)", lineage.settings_hash(settings))],
        "adapter": next((value for what, value in inputs.made if "models/adapter" in what and value), ""),
        "data": _rows(inputs, DATA),
        "refused": _flat(dig(metrics, "extract.refused_by")) + _flat(dig(metrics, "extract.skipped_by")),
        "dropped": _flat(dig(metrics, "pair.dropped_by")),
        "previews": shown(inputs.previews, hidden=inputs.hidden),
        "leaks": _flat(dig(metrics, "pair.leaks")),
        "epochs": [_epoch(row) for row in validation],
        "fit": _rows(inputs, FIT),
        **_judging(inputs),
        "writing": _rows(inputs, WRITING),
        "safety": _safety(inputs),
        "proxies": _proxies(inputs),
        "measured": _flat(dig(metrics, "generate.safety_measured")),
        "crisis": number(dig(metrics, "generate.crisis_posts")),
        "challenged": number(dig(metrics, "generate.challenge.crisis_posts")),
        "examples": [
            examples.shown(reply, inputs.quoting, hidden=inputs.hidden)
            for reply in inputs.replies[: params.report.examples]
        ],
        "replies": len(inputs.replies),
        "synthetic": inputs.synthetic,
        "public": params.report.public,
        "settings": [(name, _setting(value)) for name, value in settings.items()],
        "choices": [(name, _setting(settings[name])) for name in CHOICES],
        "metrics": [(name, number(value), _reason(inputs, name, value)) for name, value in _leaves(metrics)],
    }


def _judging(inputs: Inputs) -> dict[str, Any]:
    evaluate = inputs.metrics.get("evaluate") or {}
    undefined = {name.removeprefix("evaluate."): why for name, why in inputs.undefined.items()}
    return {
        "judges": [_judged(judge) for judge in comparisons.judges(evaluate, undefined)],
        "contests": comparisons.contests(evaluate),
        "length": comparisons.lengths(evaluate),
        "bins": comparisons.length_bins(evaluate),
        "kinds": comparisons.kinds(evaluate),
        "slices": comparisons.slices(evaluate, inputs.slices, undefined),
        "looks": evaluate.get("test_looks"),
        "details": _rows(inputs, DETAILS),
    }


def _rows(inputs: Inputs, wanted: Sequence[tuple[str, str, Any]]) -> list[tuple[str, str, str]]:
    """(label, figure, reason): the reason is "" unless the figure is undefined."""
    values = [(label, path, form, dig(inputs.metrics, path)) for label, path, form in wanted]
    return [(label, form(value), _reason(inputs, path, value)) for label, path, form, value in values]


def _reason(inputs: Inputs, path: str, value: Any) -> str:
    """Why the figure ``path`` is null, or the branch that it stands in; "" where it has a value."""
    names = path.split(".")
    above = (".".join(names[:count]) for count in range(len(names), 0, -1))
    return "" if value is not None else next((inputs.undefined[a] for a in above if a in inputs.undefined), UNMEASURED)


def _judged(judge: Judge) -> dict[str, Any]:
    known = judge.accuracy is not None
    sure = judge.why or (interval(judge.low, judge.high) if known else UNMEASURED)
    return {"name": judge.name, "accuracy": percent(judge.accuracy), "interval": sure, "ours": judge.ours}


def _safety(inputs: Inputs) -> list[tuple[str, ...]]:
    """Each lexicon's share of the replies: tuned, base, and tuned on the bundled challenges."""
    places = [f"generate.{place}safety" for place in ("", "base.", "challenge.")]
    names = sorted({name for place in places for name in dig(inputs.metrics, place) or {}})

    def told(path: str) -> str:
        value = dig(inputs.metrics, path)
        return _share(value) if value is not None else f"– ({_reason(inputs, path, value)})"

    return [(name.replace("_", " "), *(told(f"{place}.{name}") for place in places)) for name in names]


def _proxies(inputs: Inputs) -> list[tuple[str, str, str]]:
    """What models of the user's own said of the replies; none where none was asked."""
    labels = sorted(dig(inputs.metrics, "generate.classifier_proxy") or {})
    wanted = [(f"Replies called {name} by the classifier", f"generate.classifier_proxy.{name}", percent)
              for name in labels]  # fmt: skip
    asked = dig(inputs.metrics, "generate.judge_proxy") is not None
    return _rows(inputs, [*(PROXIES if asked else ()), *wanted])


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


def _setting(value: Any) -> str:
    """A parameter as it would stand in params.yaml."""
    if isinstance(value, list):
        return f"[{', '.join(map(_setting, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
