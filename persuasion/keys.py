"""Reddit ids as numbers: joins and sorts on 64-bit keys are many times faster than on texts.

An id of at most 12 lower-case base-36 digits is its own number, so that keys are exact and follow
time, as Reddit counts its ids up. Any other id gets a 63-bit hash with the top bit set.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
WIDTH = 12
HASHED = 1 << 63
_NONE, _END = 255, 254  # of no digit, of the zeros that fill an array's text
_DIGITS = np.full(256, _NONE, np.uint8)
_DIGITS[0] = _END
_DIGITS[np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", np.uint8)] = np.arange(36)


def numbers(ids: Sequence[str], kinds: Sequence[str] = ("",)) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the keys of ids, and which of them are exact (the others' keys are 0).

    ``kinds``: the prefixes, all of one length, with one of which every exact id begins ("t1_", "t3_").
    """
    skip = len(kinds[0])
    width = skip + WIDTH + 1
    try:
        texts: NDArray[Any] = np.array(ids, dtype=f"S{width}")
    except UnicodeEncodeError:
        texts = np.array([id_.encode(errors="replace") for id_ in ids], dtype=f"S{width}")
    characters = texts.view(np.uint8).reshape(len(texts), width)
    digits = _DIGITS[characters[:, skip:]].T
    lengths = np.fromiter(map(len, ids), np.int64, len(ids)) - skip  # which NULs would not change in the array
    exact = (digits < 36).sum(axis=0) == lengths
    exact &= (digits[WIDTH] == _END) & (digits[0] != _END)
    exact &= (digits[0] != 0) | (digits[1] == _END)  # "01" and "1" are two ids
    if skip:
        known = [(characters[:, :skip] == np.frombuffer(kind.encode(), np.uint8)).all(axis=1) for kind in kinds]
        exact &= np.any(known, axis=0)
    found = np.zeros(len(texts), np.uint64)
    for column in digits[:WIDTH]:
        more = column < 36
        if not more.any():
            break
        found = np.where(more, found * np.uint64(36) + column, found)
    return np.where(exact, found, np.uint64(0)), exact


def keys(ids: Sequence[str]) -> Keys:
    """Return the keys of ids without their kind."""
    found, exact = numbers(ids)
    for row in np.flatnonzero(~exact).tolist():
        found[row] = HASHED | int.from_bytes(blake2b(ids[row].encode(), digest_size=8).digest(), "big") >> 1
    return found
