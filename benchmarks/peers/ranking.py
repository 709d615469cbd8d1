"""Ranking the rivals of one comment as one writes it first, and with what a second look keeps.

Functions of a chosen text and its candidates' texts, in one thread; nothing of ours is imported.
"""

import re
from collections.abc import Callable, Sequence

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

WORD = re.compile(r"[a-z0-9'\x80-\uffff]{3,}")
Ranking = Callable[[str, Sequence[str]], list[float]]


def words(text: str) -> set[str]:
    """A text's content words."""
    return set(WORD.findall(text.lower())) - ENGLISH_STOP_WORDS


def jaccard(one: str, other: str) -> float:
    """The textbook's function of two texts."""
    first, second = words(one), words(other)
    return len(first & second) / (len(first | second) or 1)


def similar(chosen: str, candidates: Sequence[str]) -> list[float]:
    """Compare text with text."""
    return [-jaccard(chosen, text) for text in candidates]


def similar_kept(known: dict[str, set[str]]) -> Ranking:
    """Compare sets, each made once a thread: ``known`` is that thread's."""

    def once(text: str) -> set[str]:
        if text not in known:
            known[text] = words(text)
        return known[text]

    def rank(chosen: str, candidates: Sequence[str]) -> list[float]:
        own = once(chosen)
        return [-len(own & other) / (len(own | other) or 1) for other in map(once, candidates)]

    return rank


def lexical(chosen: str, candidates: Sequence[str]) -> list[float]:
    """scikit-learn's vectors of one comment and its candidates."""
    if not candidates:
        return []
    try:
        vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform([chosen, *candidates])
    except ValueError:  # no words
        return [0.0] * len(candidates)
    return list((-(vectors[1:] @ vectors[0].T)).toarray().ravel())


def length(chosen: str, candidates: Sequence[str]) -> list[float]:
    """The difference in words."""
    return [abs(len(text.split()) - len(chosen.split())) for text in candidates]


NAIVE: dict[str, Ranking] = {"similar": similar, "lexical": lexical, "length": length}
