"""An invented language for dumps of any size: words as frequent as Zipf's law wants them, drawn by the million.

Only frequencies, lengths and punctuation are like English, so that texts compress and parse as real
ones do; no word of it was ever written by anyone. Knows nothing of Reddit's records.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]

WORDS, NAMES, TOPIC = 14_000, 60_000, 70  # TOPIC: words that a thread prefers
ON_TOPIC, EXPONENT, TABLE = 0.18, 0.95, 1 << 19
_SYLLABLES = (
    "al", "an", "ar", "be", "co", "con", "de", "di", "en", "er", "es", "fi", "ga", "im", "in", "is", "ka", "la", "le",
    "lo", "ment", "mi", "mo", "na", "ne", "no", "or", "pa", "pre", "ra", "re", "ri", "ro", "sa", "se", "si", "so",
    "sta", "ta", "te", "ti", "to", "tra", "un", "ver", "vi", "wa", "wen",
)  # fmt: skip
_ENDS = ("",) * 26 + (",", ",", ".", ".", ".\n\n", "'s")
_DRESSED = ("*{}*", "**{}**", "{} &amp; co", "[{}](https://www.{}.example/wiki/{})", "u/{}_{}", '"{}"', "{}\u2014{}")
_DRESS_EVERY = 61  # one word in so many is marked up


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every word with every ending, how often each word comes, and the names of people."""

    forms: NDArray[Any]
    by_frequency: Whole
    names: NDArray[Any]

    def texts(self, rng: np.random.Generator, lengths: Whole, topics: Whole) -> Iterator[str]:
        """One text per length in words; ``topics`` holds the words that each prefers, shape (texts, TOPIC)."""
        ends = np.cumsum(lengths)
        drawn = self.by_frequency[rng.integers(0, TABLE, int(ends[-1]))] if len(ends) else np.empty(0, np.int64)
        preferred = np.flatnonzero(rng.random(len(drawn)) < ON_TOPIC)
        owner = np.searchsorted(ends, preferred, side="right")
        drawn[preferred] = topics[owner, rng.integers(0, TOPIC, len(preferred))]
        words = self.forms[drawn * len(_ENDS) + rng.integers(0, len(_ENDS), len(drawn))].tolist()
        for length, end in zip(lengths.tolist(), ends.tolist(), strict=True):
            yield " ".join(words[end - length : end]).replace("\n ", "\n")


@cache
def vocabulary() -> Vocabulary:
    """The one vocabulary; frequent words are short."""
    rng = np.random.default_rng(14)
    words = _invented(rng, WORDS)
    dressed = [_dressed(word, number) if number % _DRESS_EVERY == 60 else word for number, word in enumerate(words)]
    frequency = 1 / np.arange(1, WORDS + 1) ** EXPONENT
    halves = zip(*rng.choice(words, (2, NAMES)).tolist(), strict=True)
    return Vocabulary(
        forms=np.array([word + end for word in dressed for end in _ENDS], dtype=object),
        by_frequency=np.searchsorted(np.cumsum(frequency / frequency.sum())[:-1], np.arange(TABLE) / TABLE, "right"),
        names=np.array([f"{a[:6]}_{b[:6]}{number}" for number, (a, b) in enumerate(halves)], dtype=object),
    )


def _invented(rng: np.random.Generator, count: int) -> list[str]:
    """Distinct words: one syllable while they last, then more and more."""
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = 1 + (len(words) > 30) + (len(words) > 500) + int(rng.integers(0, 2)) * (len(words) > 2000)
        words["".join(_SYLLABLES[place] for place in rng.integers(0, len(_SYLLABLES), syllables))] = None
    return list(words)


def _dressed(word: str, number: int) -> str:
    form = _DRESSED[number // _DRESS_EVERY % len(_DRESSED)]
    return form.format(*[word] * form.count("{}"))
