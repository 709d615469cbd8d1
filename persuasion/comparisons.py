"""What the judging tables say: every judge, the policy against each rival, by length, by slice.

Written for whatever `evaluate` measured: a branch that is not there gives no rows, and the page says "not measured".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from persuasion.findings import UNDEFINED, Tree, dig, interval, number, percent
from persuasion.forest import Judge

BASELINES = {
    "length": "Longer comment wins",
    "earlier": "Earlier comment wins",
    "score": "Higher-voted comment wins",
    "tfidf": "Bag of words (TF-IDF)",
    "interplay": "Interplay with the post",
    "style": "Length and style alone",
}
REFERENCES = {
    "reference": "Reference (before training)",
    "reference_per_token": "Reference, per token",
}
FREE = {"summed": "Tuned, likelihood alone", "per_token": "Tuned, likelihood per token"}
JUDGES = {
    "reward_accuracy": "Tuned policy",
    **{f"reference_free.{name}.accuracy": words for name, words in FREE.items()},
    "reference_accuracy": REFERENCES["reference"],
    "baseline.reference_per_token.accuracy": REFERENCES["reference_per_token"],
    **{f"baseline.{name}.accuracy": words for name, words in BASELINES.items()},
}
"""Who judges, by the path of their accuracy: ours first, then the reference, then the baselines."""
RIVALS = {"coin": "A coin", **REFERENCES, **BASELINES}
SLICES = {
    "year": "year of the post",
    "topic": "what the post is about",
    "post_length": "words in the post",
    "label_source": "who vouches for the delta",
}
LENGTH = (
    ("Rank correlation of a comment's words and its reward", "spearman_reward", number),
    ("Rank correlation of difference in words and margin", "spearman_margin", number),
    ("Chance to be right at equal length (logistic GLM)", "accuracy_equal", percent),
    ("Slope of that line (above 0: better where the chosen is longer)", "slope", number),
)


def judges(evaluate: Tree, undefined: Mapping[str, str] = MappingProxyType({})) -> list[Judge]:
    """The lines of the judging table; ``undefined`` says why a figure is null."""
    return [
        Judge(
            name=words,
            accuracy=dig(evaluate, path),
            low=dig(evaluate, f"{path}_low"),
            high=dig(evaluate, f"{path}_high"),
            ours=path == "reward_accuracy",
            why=undefined.get(path) or undefined.get(f"{path}_low", ""),
        )
        for path, words in JUDGES.items()
    ]


def rivals(evaluate: Tree) -> list[Judge]:
    """The policy's accuracy minus each rival's, with its interval."""
    rows = evaluate.get("difference") or {}
    return [
        Judge(words, row.get("mean"), row.get("low"), row.get("high"), False)
        for name, words in RIVALS.items()
        if (row := rows.get(name))
    ]


def contests(evaluate: Tree) -> list[tuple[str, ...]]:
    """Per rival: difference and interval in points, pairs won and lost, p-values, and the least effect to be seen."""
    rows = evaluate.get("difference") or {}
    return [_contest(words, row) for name, words in RIVALS.items() if (row := rows.get(name))]


def lengths(evaluate: Tree) -> list[tuple[str, str, str]]:
    """(what, figure, interval) of the branch ``length``."""
    tree = evaluate.get("length") or {}
    rows = [(words, form(tree.get(name)), _bounds(tree, name)) for words, name, form in LENGTH if name in tree]
    parts = (("Chosen comment longer", "chosen_longer"), ("Chosen comment shorter", "chosen_shorter"))
    return rows + [
        (f"{words} ({number(row.get('pairs'))} pairs)", percent(row.get("accuracy")), _bounds(row, "accuracy"))
        for words, name in parts
        if (row := tree.get(name))
    ]


def length_bins(evaluate: Tree) -> list[tuple[str, ...]]:
    """Accuracy by difference in words: bounds, pairs, accuracy, interval."""
    rows = dig(evaluate, "length.bins") or {}
    return [
        (f"{number(row.get('words_low'))} to {number(row.get('words_high'))}", *_accuracy(row))
        for _, row in sorted(rows.items(), key=lambda item: (len(item[0]), item[0]))
    ]


def kinds(evaluate: Tree) -> list[tuple[str, ...]]:
    """By the kind of cue that the sample planted."""
    return _slices(evaluate.get("by_kind") or {}, {})


def slices(
    evaluate: Tree, words: Mapping[tuple[str, str], str], undefined: Mapping[str, str] = MappingProxyType({})
) -> list[tuple[str, list[tuple[str, ...]], str]]:
    """By each thing that pairs are sliced by: its words, its rows, and why there are none.

    ``words`` say what a slice is, by thing and name.
    """
    tree = evaluate.get("slices") or {}
    return [
        (
            title,
            _slices(tree.get(by) or {}, {name: told for (what, name), told in words.items() if what == by}),
            undefined.get(f"slices.{by}", "not measured in this run"),
        )
        for by, title in SLICES.items()
    ]


def _slices(rows: Mapping[str, Any], words: Mapping[str, str]) -> list[tuple[str, ...]]:
    def named(name: str) -> str:
        told = words.get(name, name)
        return told if told == name else f"{name}: {told}"

    return [
        (named(name), *_accuracy(row), percent(row.get("reference_accuracy"))) for name, row in sorted(rows.items())
    ]


def _accuracy(row: Tree) -> tuple[str, str, str]:
    bounds = interval(row.get("accuracy_low"), row.get("accuracy_high"))
    return number(row.get("pairs")), percent(row.get("accuracy")), bounds


def _contest(words: str, row: Tree) -> tuple[str, ...]:
    low, high = row.get("low"), row.get("high")
    bounds = UNDEFINED if low is None or high is None else f"{_points(low)} to {_points(high)}"
    tally = f"{number(row['wins'])} : {number(row['losses'])}" if "wins" in row and "losses" in row else UNDEFINED
    p = [_chance(row.get(name)) for name in ("p_sign_flip", "p_holm", "p_mcnemar")]
    least = row.get("detectable")
    return (words, _points(row.get("mean")), bounds, tally, *p, UNDEFINED if least is None else f"{100 * least:.1f}")


def _points(share: float | None) -> str:
    return UNDEFINED if share is None else f"{100 * share:+.1f}"


def _chance(p: float | None) -> str:
    return UNDEFINED if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _bounds(tree: Tree, name: str) -> str:
    low, high = tree.get(f"{name}_low"), tree.get(f"{name}_high")
    return "" if low is None or high is None else interval(low, high)
