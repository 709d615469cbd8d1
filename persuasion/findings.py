"""What the figures of ``evaluate`` mean, in plain sentences: never more than the intervals allow."""

from collections.abc import Mapping
from typing import Any

Tree = Mapping[str, Any]
UNDEFINED = "–"


def dig(tree: Any, path: str) -> Any:
    """The value at a dotted ``path``, or None where the path ends early."""
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, Mapping) else None
    return tree


def percent(value: float | None) -> str:
    """A share as "87.2%"; "–" when undefined."""
    return UNDEFINED if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """Four significant digits, whole numbers in full; "–" when undefined."""
    if value is None:
        return UNDEFINED
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def interval(low: float | None, high: float | None) -> str:
    """The bounds of an interval of shares, or why they say nothing."""
    if low is None or high is None:
        return "undefined: fewer than two posts"
    return "no width: all posts agree" if low == high else f"{percent(low)} to {percent(high)}"


def findings(evaluate: Tree) -> list[str]:
    """The verdict, most important first. ``evaluate`` is that stage's tree of figures."""
    if evaluate.get("reward_accuracy") is None:
        return ["No pair could be judged, so nothing is known about the policy."]
    return [
        _headline(evaluate),
        _against(evaluate, "reference", "the model before preference training", evaluate.get("reference_accuracy")),
        *(
            _against(evaluate, name, words, dig(evaluate, f"baseline.{name}.accuracy"))
            for name, words in (("length", "picking the longer comment"), ("tfidf", "a bag-of-words model"))
        ),
        *_by_kind(evaluate),
        _displacement(evaluate),
        _which_split(evaluate),
    ]


def _headline(evaluate: Tree) -> str:
    sure = interval(evaluate.get("reward_accuracy_low"), evaluate.get("reward_accuracy_high"))
    return (
        f"The tuned policy prefers the comment that earned the delta in {percent(evaluate['reward_accuracy'])} of "
        f"{number(evaluate.get('pairs'))} pairs from {number(evaluate.get('threads'))} posts it never saw "
        f"(95% interval {sure}; a coin gets 50%)."
    )


def _against(evaluate: Tree, name: str, words: str, accuracy: float | None) -> str:
    """One rival: better, worse, or not to be told apart, by the paired difference's interval."""
    gap, low, high = (dig(evaluate, f"difference.{name}.{part}") for part in ("mean", "low", "high"))
    if gap is None or low is None or high is None:
        return f"It cannot be compared with {words}: too few pairs or posts."
    points = f"{100 * gap:+.1f} points, 95% interval {100 * low:+.1f} to {100 * high:+.1f}"
    if low > 0:
        return f"It does better than {words}, which gets {percent(accuracy)} ({points})."
    if high < 0:
        return f"It does worse than {words}, which gets {percent(accuracy)} ({points})."
    return f"It cannot be told apart from {words}, which gets {percent(accuracy)} ({points})."


def _by_kind(evaluate: Tree) -> list[str]:
    kinds = evaluate.get("by_kind") or {}
    parts = [
        f"{name} {percent(row.get('accuracy'))} of {number(row.get('pairs'))} pairs "
        f"(95% interval {interval(row.get('accuracy_low'), row.get('accuracy_high'))})"
        for name, row in sorted(kinds.items())
    ]
    return [f"By the kind of cue that the sample planted: {'; '.join(parts)}."] if parts else []


def _displacement(evaluate: Tree) -> str:
    """Likelihood displacement: Razin et al. 2024, arXiv:2410.08847."""
    reward, rate = dig(evaluate, "rewards.chosen"), evaluate.get("displacement_rate")
    if reward is None or rate is None:
        return "Whether training made the chosen comments less likely is unknown: a log-probability is not finite."
    if reward < 0:
        return (
            f"Likelihood displacement: training made the chosen comments less likely than they were before, on average "
            f"(reward {number(reward)}) and in {percent(rate)} of pairs. The margin comes from lowering the rejected "
            "ones further, so the policy ranks comments better than it has learned to write them."
        )
    return (
        f"The chosen comments became more likely on average (reward {number(reward)}); "
        f"in {percent(rate)} of pairs they became less likely."
    )


def _which_split(evaluate: Tree) -> str:
    if evaluate.get("test_split"):
        return "These are the test pairs. Every look at them is recorded; choose nothing by this figure."
    return "These are validation pairs, which also serve to choose settings; this run did not look at the test pairs."
