"""Runs of words, as numbers: what near-duplicate posts and copied texts are told by.

A run of ``size`` words is one 64-bit hash of them, lower-cased and without punctuation; a shorter text
is one run, a text without words none. The hash is a polynomial in the words' own BLAKE2 hashes, so it
is the same on every machine.
"""

import re
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Grams = NDArray[np.uint64]

SHINGLE = 3
"""Words of a run by which posts are near-duplicates."""
COPIED = 13
"""Words of a run that is no coincidence (Brown et al. 2020, arXiv:2005.14165, appendix C)."""
_WORD = re.compile(r"\w+")
_BASE = 0x9E3779B97F4A7C15  # odd, so that no word's place is lost modulo 2^64


def grams(text: str, size: int) -> Grams:
    """The distinct runs of ``size`` words in ``text``, sorted."""
    words = np.fromiter(map(_hash, _WORD.findall(text.lower())), np.uint64)
    runs = max(len(words) - size + 1, min(len(words), 1))
    total = np.zeros(runs, np.uint64)
    for start in range(min(size, len(words))):
        total = total * np.uint64(_BASE) + words[start : start + runs]
    return np.unique(total)


def jaccard(first: Grams, second: Grams) -> float:
    """The shared part of two sets, |A ∩ B| / |A ∪ B|; 0 when both are empty."""
    shared = len(np.intersect1d(first, second, assume_unique=True))
    union = len(first) + len(second) - shared
    return shared / union if union else 0.0


def alike(first: str, second: str, threshold: float) -> bool:
    """Whether two texts are equal or reach ``threshold`` in the Jaccard similarity of their three-word runs.

    Without hashes, which pay only where a text's runs are kept.
    """
    if first == second:
        return True
    one, other = _runs(first), _runs(second)
    shared = len(one & other)
    return bool(shared) and shared / (len(one) + len(other) - shared) >= threshold


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return set(zip(words, words[1:], words[2:], strict=False)) if len(words) >= SHINGLE else {tuple(words)} - {()}


@lru_cache(maxsize=1 << 18)
def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(errors="replace"), digest_size=8).digest(), "little")
