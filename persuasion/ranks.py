"""Rank correlation: does one quantity rise with another, whatever their scales?"""

import numpy as np
from numpy.typing import ArrayLike

from persuasion.measures import Floats


def ranks(values: ArrayLike) -> Floats:
    """Each value's place from 1, equal values sharing the mean of theirs. Shape [n]."""
    _, member, counts = np.unique(np.asarray(values, dtype=float), return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[member].astype(float)


def spearman(first: ArrayLike, second: ArrayLike) -> float | None:
    """Spearman's ρ (1904): Pearson's correlation of the ranks, from −1 to 1. Both have shape [n].

    Infinities have a rank. None with a NaN, or where either is constant (one value is).
    """
    both = [np.asarray(values, dtype=float) for values in (first, second)]
    if any(not values.size or np.isnan(values).any() or np.all(values == values[0]) for values in both):
        return None
    a, b = (ranked - ranked.mean() for ranked in map(ranks, both))
    rho = float(np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return min(1.0, max(-1.0, rho))
