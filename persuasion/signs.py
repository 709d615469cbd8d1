"""Rows of a text column that hold some bytes: one search of the column's buffer instead of one a row.

Python looks only at the rows that are left. A sign is sought by its rarest byte.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def holding(texts: pa.StringArray, signs: bytes, *, unless: Sequence[bytes] = ()) -> NDArray[np.int64]:
    """Return the numbers of the rows of ``texts`` (no nulls) with a byte of ``signs``, not as ``unless`` begins."""
    ends, stored = _buffers(texts)
    found = stored == signs[0]
    for sign in signs[1:]:
        found |= stored == sign
    places = np.flatnonzero(found)
    for other in unless:
        places = np.setdiff1d(places, _of_word(stored, places, other), assume_unique=True)
    return np.unique(np.searchsorted(ends, places, side="right"))


def holding_word(texts: pa.StringArray, word: bytes, anchor: int) -> NDArray[np.int64]:
    """Return the numbers of the rows of ``texts`` (no nulls) with ``word``, sought by its two bytes from ``anchor``."""
    ends, stored = _buffers(texts)
    places = np.flatnonzero((stored[:-1] == word[anchor]) & (stored[1:] == word[anchor + 1])) - anchor
    places = _of_word(stored, places[places >= 0], word)
    return np.unique(np.searchsorted(ends, places, side="right"))


def _of_word(stored: NDArray[np.uint8], places: NDArray[np.int64], word: bytes) -> NDArray[np.int64]:
    """Those of the places at which ``word`` begins."""
    places = places[places <= len(stored) - len(word)]
    for number, byte in enumerate(word):
        places = places[stored[places + number] == byte]
    return places


def _buffers(texts: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where every text ends, and the bytes of all of them."""
    _, offsets, content = texts.buffers()
    if not len(texts) or content is None:
        return np.zeros(len(texts), np.int64), np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    return bounds[1:] - bounds[0], np.frombuffer(content, np.uint8)[bounds[0] : bounds[-1]]
