"""Near-duplicate texts among many, without comparing each with each.

MinHash (Broder 1997) with locality-sensitive hashing by bands (Leskovec, Rajaraman & Ullman, *Mining of Massive
Datasets*, ch. 3): what it proposes is decided by whoever asks, what it misses is less than one pair at the
threshold in a million. Plain arrays: half a kilobyte a text.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from persuasion.grams import Grams

Signatures = NDArray[np.uint32]

PERMUTATIONS = 128
MISSED = 1e-6
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
    """Yield pairs of rows that agree in a band, low row first; a pair may come more than once."""
    bands, size = _bands(threshold)
    for start in range(0, bands * size, size):
        key = np.zeros(len(signatures), np.uint64)
        for column in range(start, start + size):
            key = key * _BAND + signatures[:, column]
        order = np.argsort(key, kind="stable")
        ends = np.flatnonzero(np.diff(key[order]) != 0) + 1
        for run in np.split(order, ends) if len(ends) < len(order) else ():
            if len(run) > 1:
                yield from combinations(run.tolist(), 2)


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows per band: the most rows that miss a pair at the threshold less than once in a million."""
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands < MISSED:
            return bands, rows
    return PERMUTATIONS, 1
