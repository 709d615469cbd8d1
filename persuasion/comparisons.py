"""What the judging tables say: every judge, the policy against each rival, by length, by slice.

Written for whatever `evaluate` measured: a branch that is not there gives no rows, and the page says "not measured".
"""

from collections.abc import Mapping
from typing import Any

from persuasion.findings import UNDEFINED, Tree, dig, interval, number, percent
from persuasion.forest import Judge

BASELINES = {
    "length": "Longer comment wins",
    "earlier": "Earlier comment wins",
    "score": "Higher-voted comment wins",
    "tfidf": "Bag of words (TF-IDF)",
    "interplay": "Interplay with the post",
}
REFERENCES = {
    "reference": "Reference (before training)",
    "reference_per_token": "Reference, per token",
}
FREE = {"summed": "Tuned, likelihood alone", "per_token": "Tuned, likelihood per token"}
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


def judges(evaluate: Tree) -> list[Judge]:
    """The lines of the judging table: ours first, then the reference, then the baselines that were asked."""
    rows = [_judge("Tuned policy", evaluate, "reward_accuracy", ours=True)]
    rows += [_judge(words, dig(evaluate, f"reference_free.{name}"), "accuracy") for name, words in FREE.items()]
    rows.append(_judge(REFERENCES["reference"], evaluate, "reference_accuracy"))
    if per_token := dig(evaluate, "baseline.reference_per_token"):
        rows.append(_judge(REFERENCES["reference_per_token"], per_token, "accuracy"))
    asked = [_judge(words, dig(evaluate, f"baseline.{name}"), "accuracy") for name, words in BASELINES.items()]
    return [row for row in rows if row.accuracy is not None or row.name not in FREE.values()] + asked


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


def slices(evaluate: Tree, words: Mapping[tuple[str, str], str]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """By each thing that pairs are sliced by; ``words`` say what a slice is, by thing and name."""
    tree = evaluate.get("slices") or {}
    return [
        (SLICES.get(by, by), _slices(rows, {name: told for (what, name), told in words.items() if what == by}))
        for by, rows in tree.items()
        if rows
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


def _judge(name: str, tree: Any, stem: str, ours: bool = False) -> Judge:
    return Judge(name, dig(tree, stem), dig(tree, f"{stem}_low"), dig(tree, f"{stem}_high"), ours)


def _contest(words: str, row: Tree) -> tuple[str, ...]:
    low, high = row.get("low"), row.get("high")
    bounds = UNDEFINED if low is None or high is None else f"{_points(low)} to {_points(high)}"
    split = f"{number(row['wins'])} : {number(row['losses'])}" if "wins" in row and "losses" in row else UNDEFINED
    p = [_chance(row.get(name)) for name in ("p_sign_flip", "p_holm", "p_mcnemar")]
    least = row.get("detectable")
    return (words, _points(row.get("mean")), bounds, split, *p, UNDEFINED if least is None else f"{100 * least:.1f}")


def _points(share: float | None) -> str:
    return UNDEFINED if share is None else f"{100 * share:+.1f}"


def _chance(p: float | None) -> str:
    return UNDEFINED if p is None else f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _bounds(tree: Tree, name: str) -> str:
    low, high = tree.get(f"{name}_low"), tree.get(f"{name}_high")
    return "" if low is None or high is None else interval(low, high)
