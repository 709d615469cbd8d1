"""Near-duplicate texts among many, without comparing each with each.

MinHash (Broder 1997) with locality-sensitive hashing by bands (Leskovec, Rajaraman & Ullman, *Mining of Massive
Datasets*, ch. 3); of the texts that share a band, those are proposed whose whole signatures agree as far as texts at
the threshold would, since texts made of few phrases share bands by chance, the more of them there are. What is
proposed is decided by whoever asks; what is missed is less than two pairs at the threshold in a million. Plain
arrays: half a kilobyte a text.
"""

from collections.abc import Iterator
from math import comb

import numpy as np
from numpy.typing import NDArray

from persuasion.grams import Grams

Signatures = NDArray[np.uint32]

PERMUTATIONS = 128
MISSED = 1e-6
"""Share of the pairs at the threshold that may share no band, and that may agree too little."""
AT_ONCE = 4096
"""Pairs whose signatures are compared at once: four megabytes."""
_DRAW = np.random.default_rng(1)
_FACTOR = _DRAW.integers(0, 1 << 63, (PERMUTATIONS, 1), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_SHIFT = _DRAW.integers(0, 1 << 63, (PERMUTATIONS, 1), dtype=np.uint64)
_BAND = np.uint64(0x9E3779B97F4A7C15)


def signature(found: Grams) -> Signatures:
    """The least value of each of ``PERMUTATIONS`` multiply-shift hashes (Dietzfelbinger et al. 1997) over a set.

    Shape (PERMUTATIONS,); all ones for an empty set.
    """
    if not len(found):
        return np.full(PERMUTATIONS, 0xFFFFFFFF, np.uint32)
    return ((found * _FACTOR + _SHIFT) >> np.uint64(32)).min(axis=1).astype(np.uint32)


def proposed(signatures: Signatures, threshold: float) -> Iterator[tuple[int, int]]:
    """Yield pairs of rows that agree in a band and well enough in all, low row first; some more than once."""
    bands, size = _bands(threshold)
    least = _least(threshold)
    for start in range(0, bands * size, size):
        key = np.zeros(len(signatures), np.uint64)
        for column in range(start, start + size):
            key = key * _BAND + signatures[:, column]
        for low, high in _equal(key):
            near = (signatures[low] == signatures[high]).sum(axis=1) >= least
            yield from zip(low[near].tolist(), high[near].tolist(), strict=True)


def _equal(key: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield all pairs of rows with one key, low row first, some at a time: neighbours by key, then those one apart."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    here, apart = np.arange(len(key)), 1
    while len(here := here[: np.searchsorted(here, len(key) - apart)]):
        here = here[ordered[here] == ordered[here + apart]]
        for start in range(0, len(here), AT_ONCE):
            some = here[start : start + AT_ONCE]
            yield order[some], order[some + apart]
        apart += 1


def _least(threshold: float) -> int:
    """Hashes in which two texts at the threshold agree, but for one such pair in a million: by the binomial law."""
    missed = 0.0
    for agreeing in range(PERMUTATIONS):
        missed += comb(PERMUTATIONS, agreeing) * threshold**agreeing * (1 - threshold) ** (PERMUTATIONS - agreeing)
        if missed > MISSED:
            return agreeing
    return PERMUTATIONS


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows per band: the most rows that miss a pair at the threshold less than once in a million."""
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands < MISSED:
            return bands, rows
    return PERMUTATIONS, 1
