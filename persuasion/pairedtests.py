"""Is the difference between two judges of the same pairs more than chance? Tests as functions of numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from persuasion.errorbars import cluster_sums

BLOCK = 8_000_000
"""Signs held in memory at once (64 MB as floats)."""
EVEN = 1e-9
"""Sums this close, relative to all that could be summed, are equal: rounding decides nothing."""


def mcnemar(wins: int, losses: int) -> float:
    """McNemar's test, exact and two-sided (McNemar 1947), on the pairs that only one of two judges gets right.

    P of a split at least as uneven as ``wins`` against ``losses`` when each falls either way with chance ½; 1 when
    the judges never differ. It takes every pair as independent of the others, also those of one post.
    """
    total, fewer = wins + losses, min(wins, losses)
    k = np.arange(1, fewer + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((total - k + 1) / k))])  # log of total choose 0, 1, … fewer
    tail = np.exp(np.logaddexp.reduce(logs) - total * np.log(2.0))
    return float(min(1.0, 2 * tail))


def sign_flips(differences: ArrayLike, clusters: Sequence[str], flips: int, seed: int) -> float | None:
    """The two-sided permutation p-value of a mean difference, when whole clusters change sign together.

    Were the judges alike, each post's differences would be as likely the other way round (Fisher 1935; flips by
    cluster: Hemerik and others 2020). All patterns of signs are tried where there are at most ``flips``, else so
    many are drawn and the observed one counts among them (Phipson and Smyth 2010), so that p is never 0.
    ``differences`` has shape [n]. None without differences or with one that is not finite.
    """
    array = np.asarray(differences, dtype=float)
    if not array.size or not np.isfinite(array).all():
        return None
    sums = cluster_sums(array, clusters)
    sums = sums[sums != 0]  # their sign does not matter
    least = abs(sums.sum()) - EVEN * np.abs(sums).sum()
    if 2 ** len(sums) <= flips:
        signs = 1.0 - 2 * ((np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1)
        return float(np.mean(np.abs(signs @ sums) >= least))
    generator = np.random.Generator(np.random.PCG64(seed))
    rows, extreme = max(1, BLOCK // len(sums)), 0
    for start in range(0, flips, rows):
        signs = 1.0 - 2 * generator.integers(0, 2, size=(min(rows, flips - start), len(sums)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(signs @ sums) >= least))
    return (extreme + 1) / (flips + 1)


def holm(values: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted for all being read together, step-down (Holm 1979): the chance of any false alarm is kept.

    The i-th smallest of m becomes the largest of (m − j + 1)·p_j over j ≤ i, at most 1.
    """
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(sorted(values, key=lambda name: values[name])):
        largest = max(largest, (len(values) - place) * values[name])
        adjusted[name] = min(1.0, largest)
    return adjusted
