"""What posts are about, roughly: clumps of posts with words in common, each named by its heaviest words.

A look, not a measurement. A word is named only if several posts hold it, so that none points at a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persuasion import clumps

THEMES, NAMED, FEWEST = 8, 5, 40
SHARED_BY = 5  # posts that hold a word, at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A clump: how many posts are nearest to it, and the words that mark it."""

    posts: int
    words: tuple[str, ...]


def themes(texts: Sequence[str], seed: int) -> list[Theme]:
    """The themes of at most the first ``clumps.POSTS`` texts, largest first; none for fewer than ``FEWEST``."""
    texts = texts[: clumps.POSTS]
    found = clumps.find(texts, THEMES, seed, rare=SHARED_BY, named=NAMED) if len(texts) >= FEWEST else None
    if found is None:
        return []
    sizes = np.bincount(found.of(texts), minlength=THEMES)
    return [
        Theme(posts=int(size), words=tuple(name.split())) for size, name in zip(sizes, found.names, strict=True) if size
    ]
