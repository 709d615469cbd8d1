"""Identities out of a column of texts, as ``masking`` takes them out of one.

Nine texts in ten hold none, and a look at the column's bytes tells most of these; only the others become
texts of Python's. A sign may be there without an identity, never the other way round.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from persuasion.masking import REACH, masked_bytes

BLOCK = 1 << 18

Texts: TypeAlias = pa.StringArray | pa.LargeStringArray
Bytes: TypeAlias = npt.NDArray[np.uint8]


def masked_column(texts: Texts) -> pa.Array:
    """Return a string column with each text ``masked``; nulls stay null, and no change returns ``texts`` itself."""
    rows = np.flatnonzero(_suspicious(texts) & np.asarray(texts.is_valid()))
    if not len(rows):
        return texts
    validity, _, content = texts.buffers()
    ends, stored = _ends(texts), memoryview(content)
    kept: list[bytes | memoryview] = []
    longer = np.zeros(len(texts) + 1, ends.dtype)
    done = ends[0]
    for row, start, end in zip(rows.tolist(), ends[rows].tolist(), ends[rows + 1].tolist(), strict=True):
        before = bytes(stored[start:end])
        text = before.decode()
        if (after := masked_bytes(text, before)) != text:
            new = after.encode()
            kept += stored[done:start], new
            longer[row + 1] = len(new) - (end - start)
            done = end
    if not kept:
        return texts
    data = pa.py_buffer(b"".join([*kept, stored[done : ends[-1]]]))
    moved = np.concatenate([np.zeros(texts.offset, ends.dtype), ends - ends[0] + np.cumsum(longer, dtype=ends.dtype)])
    buffers = [validity, pa.py_buffer(moved), data]
    return pa.Array.from_buffers(texts.type, len(texts), buffers, texts.null_count, texts.offset)


def _suspicious(texts: Texts) -> npt.NDArray[np.bool_]:
    """The rows that may hold an identity: a slash, an ``@``, a "www." or ``REACH`` bytes with 7 digits."""
    content = texts.buffers()[2]
    marked = np.zeros(len(texts), dtype=bool)
    if not len(texts) or content is None:
        return marked
    offsets = _ends(texts)
    stored = np.frombuffer(content, np.uint8)[: offsets[-1]]
    for places in _signs(stored, int(offsets[0])):
        marked[np.searchsorted(offsets[1:], places, side="right")] = True
    return marked


def _ends(texts: Texts) -> npt.NDArray[Any]:
    """Where every text begins in the column's bytes, and where the last one ends."""
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    return np.frombuffer(texts.buffers()[1], kind)[texts.offset : texts.offset + len(texts) + 1]


def _signs(stored: Bytes, start: int) -> Iterator[npt.NDArray[np.int64]]:
    """Places of signs in the UTF-8 bytes from ``start`` on, block by block; blocks overlap by ``REACH``."""
    for begin in range(start, len(stored), BLOCK):
        block = stored[begin : begin + BLOCK + REACH]
        digits = np.flatnonzero((block - np.uint8(ord("0"))) < 10)
        dense = digits[:-6][digits[6:] - digits[:-6] <= REACH]
        for found in (np.flatnonzero(block == ord("@")), _slashes(block), _targets(block), _www(block), dense):
            if len(found):
                yield found + begin


def _slashes(block: Bytes) -> npt.NDArray[np.int64]:
    """The slashes of a URL, a mention, a permalink or reddit's host; not that of "and/or"."""
    places = np.flatnonzero(block == ord("/"))
    before, after = (block.take(places + step, mode="clip") for step in (-1, 1))
    earlier, later = (block.take(places + step, mode="clip") for step in (-2, 2))
    mention = _is(before, "u") | _is(after, "u") | (before == ord("\\"))
    host = (_is(before, "m") & _is(earlier, "o")) | (_is(before, "t") & _is(earlier, "i"))
    return places[mention | host | (before == ord("/")) | (_is(after, "c") & _is(later, "o"))]


def _targets(block: Bytes) -> npt.NDArray[np.int64]:
    """The closing bracket of each ``](``, behind which a link's target stands."""
    places = np.flatnonzero(block == ord("]"))
    return places[block.take(places + 1, mode="clip") == ord("(")]


def _www(block: Bytes) -> npt.NDArray[np.int64]:
    """The first letter of each "www."."""
    places = np.flatnonzero(block[3:] == ord("."))
    for before in range(3):
        places = places[_is(block[places + before], "w")]
    return places


def _is(letters: Bytes, letter: str) -> npt.NDArray[np.bool_]:
    return (letters | 0x20) == ord(letter)
