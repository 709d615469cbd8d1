"""Near-duplicate texts, defined once: the Jaccard similarity of their sets of three-word shingles."""

import re

SIZE = 3
_WORD = re.compile(r"\w+")


def shingles(text: str) -> frozenset[str]:
    """Every run of three words, lower-cased, punctuation aside; a shorter text is one shingle, no words none."""
    words = _WORD.findall(text.lower())
    if len(words) < SIZE:
        return frozenset([" ".join(words)] if words else [])
    return frozenset(map(" ".join, zip(*(words[start:] for start in range(SIZE)), strict=False)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """The shared part of two sets, |A ∩ B| / |A ∪ B|; 0 when both are empty."""
    shared = len(first & second)
    union = len(first) + len(second) - shared
    return shared / union if union else 0.0


def alike(first: str, second: str, threshold: float) -> bool:
    """Whether two texts are equal or reach ``threshold`` in Jaccard similarity."""
    return first == second or jaccard(shingles(first), shingles(second)) >= threshold
