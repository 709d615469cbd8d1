"""Identities out of a column of texts, as ``masking`` takes them out of one.

Nine texts in ten hold none, and a look at the column's bytes tells most of these; only the others become
texts of Python's. A sign may be there without an identity, never the other way round.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from persuasion.masking import REACH, masked

BLOCK = 1 << 18
SHORT = 256  # bytes: longer ones are not worth remembering

Texts: TypeAlias = pa.StringArray | pa.LargeStringArray
Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
_BLANK = re.compile(rb"[ \n]")


def masked_column(texts: Texts) -> pa.Array:
    """Return a string column with each text ``masked``; nulls stay null, and no change returns ``texts`` itself."""
    validity, _, content = texts.buffers()
    if content is None:
        return texts
    ends, stored = _ends(texts), memoryview(content)
    kept: list[bytes | memoryview] = []
    longer = np.zeros(len(texts) + 1, ends.dtype)
    done = ends[0]
    for row, start, end in _spans(texts):
        before = bytes(stored[start:end])
        if (after := _seen(before) if len(before) <= SHORT else _masked(before)) != before:
            kept += stored[done:start], after
            longer[row + 1] += len(after) - len(before)
            done = end
    if not kept:
        return texts
    data = pa.py_buffer(b"".join([*kept, stored[done : ends[-1]]]))
    moved = np.concatenate([np.zeros(texts.offset, ends.dtype), ends - ends[0] + np.cumsum(longer, dtype=ends.dtype)])
    buffers = [validity, pa.py_buffer(moved), data]
    return pa.Array.from_buffers(texts.type, len(texts), buffers, texts.null_count, texts.offset)


def _masked(text: bytes) -> bytes:
    return masked(text.decode()).encode()


_seen = lru_cache(maxsize=1 << 13)(_masked)  # bots say the same in every thread, and link to it


def _spans(texts: Texts) -> Iterator[tuple[int, int, int]]:
    """Yield what may hold an identity, as (row, start, end): a word, or the whole text if blanks may lie within it."""
    ends, valid = _ends(texts), np.asarray(texts.is_valid())
    stored = texts.buffers()[2].to_pybytes()
    across, within = _places(stored, ends, _across), _places(stored, ends, _within)
    whole = np.zeros(len(texts), bool)
    whole[_row(ends, across)] = True
    places = np.sort(np.concatenate([across, within]))
    places = places[valid[_row(ends, places)]]
    rows = _row(ends, places)
    columns = (places, rows, ends[rows], ends[rows + 1], whole[rows])
    done = 0
    for place, row, start, end, all_of_it in zip(*(column.tolist() for column in columns), strict=True):
        if place >= done:
            first, done = (start, end) if all_of_it else _word(stored, max(start, done), place, end)
            yield row, first, done


def _word(stored: bytes, start: int, place: int, end: int) -> tuple[int, int]:
    """Where the word begins and ends that holds ``place``, between ``start`` and ``end``."""
    first = max(stored.rfind(b" ", start, place) + 1, start)
    first = max(stored.rfind(b"\n", first, place) + 1, first)
    blank = _BLANK.search(stored, place, end)
    return first, blank.start() if blank else end


def _row(ends: npt.NDArray[Any], places: Places) -> Places:
    return np.searchsorted(ends[1:], places, side="right")


def _ends(texts: Texts) -> npt.NDArray[Any]:
    """Where every text begins in the column's bytes, and where the last one ends."""
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    return np.frombuffer(texts.buffers()[1], kind)[texts.offset : texts.offset + len(texts) + 1]


def _places(stored: bytes, ends: npt.NDArray[Any], sign: Callable[[Bytes], Places]) -> Places:
    """The places of a sign in order, sought block by block: near the processor, and in little memory.

    Blocks overlap by ``REACH``, so that every sign is seen whole.
    """
    start, end = int(ends[0]), int(ends[-1])
    every = np.frombuffer(stored, np.uint8, end)
    found = [np.zeros(0, np.int64)]
    for begin in range(start, end, BLOCK):
        first = max(begin - REACH, 0)
        places = sign(every[first : begin + BLOCK + REACH]) + first
        found.append(places[(places >= begin) & (places < begin + BLOCK)])
    return np.concatenate(found)


def _across(block: Bytes) -> Places:
    """Signs of what blanks may lie within: 7 digits in ``REACH`` bytes, and the "DB3" of DeltaBot's hidden records."""
    digits = np.flatnonzero((block - np.uint8(ord("0"))) < 10)
    dense = digits[:-6][digits[6:] - digits[:-6] <= REACH]
    before, earlier = (block.take(digits - step, mode="clip") for step in (1, 2))
    hidden = digits[(block[digits] == ord("3")) & _is(before, "b") & _is(earlier, "d")]
    return np.sort(np.concatenate([dense, hidden]))


def _within(block: Bytes) -> Places:
    """Signs of what lies within one word: "@", the slash of an address, a link's "](", and the last "w" of "www."."""
    here, after = block[:-1], block[1:]
    signs = (block == ord("@")) | (block == ord("/"))
    signs[:-1] |= ((here == ord("]")) & (after == ord("("))) | (_is(here, "w") & (after == ord(".")))
    places = np.flatnonzero(signs)
    sign = block[places]
    slash, letter = sign == ord("/"), _is(sign, "w")
    kept = ~(slash | letter)
    kept[slash], kept[letter] = _in_address(block, places[slash]), _third(block, places[letter])
    return places[kept]


def _in_address(block: Bytes, places: Places) -> npt.NDArray[np.bool_]:
    """Which slashes are of a URL, a mention, a permalink or reddit's host; not that of "and/or"."""
    before, after = (block.take(places + step, mode="clip") for step in (-1, 1))
    earlier, later = (block.take(places + step, mode="clip") for step in (-2, 2))
    mention = _is(before, "u") | _is(after, "u") | (before == ord("\\"))
    host = (_is(before, "m") & _is(earlier, "o")) | (_is(before, "t") & _is(earlier, "i"))
    return mention | host | (before == ord("/")) | (_is(after, "c") & _is(later, "o"))


def _third(block: Bytes, places: Places) -> npt.NDArray[np.bool_]:
    """Which letters have a "w" each at the two places before them."""
    return _is(block.take(places - 1, mode="clip"), "w") & _is(block.take(places - 2, mode="clip"), "w")


def _is(letters: Bytes, letter: str) -> npt.NDArray[np.bool_]:
    return (letters | 0x20) == ord(letter)
