"""An accuracy never stands alone: with its interval and error over posts, and how many pairs it is of."""

from collections.abc import Sequence
from typing import Any

from persuasion import measures
from persuasion.config import Evaluate
from persuasion.errorbars import clustered_error
from persuasion.undefined import INFINITE, NO_PAIRS, ONE_POST, Undefined, told

Scores = list[float | None]
Tree = dict[str, Any]
UNASKED = Undefined("not asked: too few training pairs, or the data does not say")


def known(scores: Scores, threads: Sequence[str]) -> tuple[list[float], list[str]]:
    """The scores that are known, each with its post."""
    kept = [(value, thread) for value, thread in zip(scores, threads, strict=True) if value is not None]
    return [value for value, _ in kept], [thread for _, thread in kept]


def estimate(scores: Scores, threads: Sequence[str], settings: Evaluate) -> Tree:
    """``mean``, ``low`` and ``high`` (95 %, posts resampled) and ``se`` (clustered by post) of the scores known."""
    values, posts = known(scores, threads)
    mean = measures.mean(values)
    low, high = measures.cluster_bootstrap(values, posts, settings.bootstrap, settings.seed)
    empty = UNASKED if scores else NO_PAIRS
    why = empty if not values else INFINITE if mean is None else ONE_POST
    return {
        "mean": told(mean, why),
        "low": told(low, why),
        "high": told(high, why),
        "se": told(clustered_error(values, posts), why),
    }


def flat(name: str, scores: Scores, threads: Sequence[str], settings: Evaluate) -> Tree:
    """The estimate as ``name``, ``name_low``, ``name_high`` and ``name_se``."""
    found = estimate(scores, threads, settings)
    return {name: found.pop("mean"), **{f"{name}_{part}": value for part, value in found.items()}}


def nested(scores: Scores, threads: Sequence[str], settings: Evaluate) -> Tree:
    """A branch of a tree: the accuracy, and of how many pairs."""
    return {**flat("accuracy", scores, threads, settings), "pairs": len(known(scores, threads)[0])}


def part(scores: Scores, threads: Sequence[str], rows: Sequence[int], settings: Evaluate) -> Tree:
    """``nested`` of some of the pairs, given by number."""
    return nested([scores[row] for row in rows], [threads[row] for row in rows], settings)


def beside(policy: Scores, reference: Scores, threads: Sequence[str], rows: Sequence[int], settings: Evaluate) -> Tree:
    """``part`` of the policy, and the reference's accuracy on the same pairs."""
    others, posts = [reference[row] for row in rows], [threads[row] for row in rows]
    return part(policy, threads, rows, settings) | flat("reference_accuracy", others, posts, settings)
