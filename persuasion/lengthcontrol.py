"""How much of the accuracy is length? The same pairs read by difference in words, at like length and at equal length.

Longer comments win more often on CMV (Tan et al. 2016), and summed log-probabilities favour shorter ones, so a claim
about content has to hold where length says nothing.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from persuasion import logistic, measures
from persuasion.config import Evaluate
from persuasion.estimates import Scores, Tree, flat, known, part
from persuasion.evenly import parts
from persuasion.measures import Floats
from persuasion.ranks import spearman
from persuasion.records import Pair, Verdict
from persuasion.undefined import NO_PAIRS, ONE_POST, Undefined, told

SCATTERED = 2000
"""Pairs in the scatter plot, at most: the first by id, which is a hash."""
CONSTANT = Undefined("constant, fewer than two values, or one that is not a number")
NO_LINE = Undefined("no finite fit: all right, all wrong, parted by length, or a score that is not a number")


class Point(TypedDict):
    """A pair in the scatter plot: words of chosen minus rejected, and its margin."""

    words: int
    margin: float


def words_apart(pairs: Sequence[Pair]) -> Floats:
    """Words of chosen minus rejected. Shape [n]."""
    return np.array([measures.words(pair.chosen) - measures.words(pair.rejected) for pair in pairs], dtype=float)


def matched(policy: Scores, pairs: Sequence[Pair], settings: Evaluate) -> Tree:
    """The accuracy on the pairs that differ in words by at most ``length_tolerance`` of the longer."""
    chosen, rejected = [pair.chosen for pair in pairs], [pair.rejected for pair in pairs]
    rows = np.flatnonzero(measures.length_matched(chosen, rejected, settings.length_tolerance)).tolist()
    scores, threads = [policy[row] for row in rows], [pairs[row].thread_id for row in rows]
    none = {} if rows else dict.fromkeys(("", "_low", "_high", "_se"), Undefined("no pair is of like length"))
    return {
        **flat("accuracy_length_matched", scores, threads, settings),
        **{f"accuracy_length_matched{end}": why for end, why in none.items()},
        "pairs_length_matched": len(rows),
    }


def lengths(policy: Scores, verdicts: Sequence[Verdict], pairs: Sequence[Pair], settings: Evaluate) -> Tree:
    """The branch ``length``: rank correlations, the line read at equal length, and the accuracy by difference."""
    apart = words_apart(pairs)
    words = [measures.words(text) for side in ("chosen", "rejected") for text in (getattr(p, side) for p in pairs)]
    rewards = [getattr(v, f"{side}_reward") for side in ("chosen", "rejected") for v in verdicts]
    threads = [pair.thread_id for pair in pairs]
    sides = {"chosen_longer": apart > 0, "chosen_shorter": apart < 0}
    return {
        "spearman_reward": told(spearman(words, rewards), CONSTANT),
        "spearman_margin": told(spearman(apart, [verdict.margin for verdict in verdicts]), CONSTANT),
        **at_equal_length(policy, apart, threads),
        **{name: part(policy, threads, np.flatnonzero(rows).tolist(), settings) for name, rows in sides.items()},
        "bins": {str(number): row for number, row in enumerate(bins(policy, apart, threads, settings), 1)},
    }


def at_equal_length(policy: Scores, apart: Floats, threads: Sequence[str]) -> Tree:
    """The chance to be right at a difference of 0 words, by the line log-odds(right) = level + slope·tanh(Δ/sd).

    The length term of length-controlled AlpacaEval (Dubois et al. 2024, arXiv:2404.04475), which is zero
    where the texts are equally long; ``slope`` above 0: right more often when the chosen comment is the longer.
    The interval is σ(level ± 1.96·SE), the error clustered by post in place of a term per post.
    """
    rows = [row for row, score in enumerate(policy) if score is not None]
    scores, posts = known(policy, threads)
    spread = float(np.std(apart[rows])) if rows else 0.0
    line = logistic.fit(scores, np.tanh(apart[rows] / spread), posts) if spread else None
    names = ("accuracy_equal", "accuracy_equal_low", "accuracy_equal_high", "slope", "slope_se")
    if line is None:
        why = NO_PAIRS if not scores else NO_LINE if spread else Undefined("all pairs differ by the same words")
        return dict.fromkeys(names, why)
    low, high = (
        ONE_POST if line.level_error is None else logistic.chance(line.level + side * 1.959964 * line.level_error)
        for side in (-1, 1)
    )
    return dict(
        zip(names, (logistic.chance(line.level), low, high, line.slope, told(line.slope_error, ONE_POST)), strict=True)
    )


def bins(policy: Scores, apart: Floats, threads: Sequence[str], settings: Evaluate) -> list[Tree]:
    """The accuracy in up to ``length_bins`` bins of |Δ words| of like mass, least first; equal differences share one.

    ``words_low`` and ``words_high`` are the least and largest difference in the bin.
    """
    size = np.abs(apart)
    if not size.size:
        return []
    member = parts(size, settings.length_bins)
    found = []
    for place in range(member.max() + 1):
        rows = np.flatnonzero(member == place)
        ends = {"words_low": int(size[rows].min()), "words_high": int(size[rows].max())}
        found.append(ends | part(policy, threads, rows.tolist(), settings))
    return found


def scatter(verdicts: Sequence[Verdict], pairs: Sequence[Pair]) -> list[Point]:
    """Rows of the scatter plot of length against margin; pairs with a margin that is not finite are left out."""
    margins = {verdict.pair_id: verdict.margin for verdict in verdicts}
    ordered = sorted(pairs, key=lambda pair: pair.pair_id)
    finite = [pair for pair in ordered if np.isfinite(margins[pair.pair_id])][:SCATTERED]
    apart = words_apart(finite)
    return [Point(words=int(words), margin=margins[p.pair_id]) for words, p in zip(apart, finite, strict=True)]
