"""Reddit ids as numbers: joins and sorts on 64-bit keys are many times faster than on texts.

An id of at most 12 lower-case base-36 digits is its own number, so that keys are exact and follow
time, as Reddit counts its ids up. Any other id gets a 63-bit hash with the top bit set.
"""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
WIDTH = 12
HASHED = 1 << 63
_DIGITS = np.full(256, 255, np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdefghijklmnopqrstuvwxyz", np.uint8)] = np.arange(36)


def numbers(ids: pa.StringArray, kinds: Sequence[str] = ("",)) -> tuple[Keys, NDArray[np.bool_]]:
    """Return the keys of ids (no nulls), and which of them are exact (the others' keys are 0).

    ``kinds``: the prefixes, all of one length, with one of which every exact id begins ("t1_", "t3_").
    """
    _, offsets, content = ids.buffers()
    stored = np.frombuffer(content or b"\0", np.uint8)
    bounds = np.frombuffer(offsets or b"\0\0\0\0", np.int32)[ids.offset : ids.offset + len(ids) + 1].astype(np.int64)
    start, skip = bounds[:-1], len(kinds[0])
    length = bounds[1:] - start - skip
    exact = (length > 0) & (length <= WIDTH)
    exact &= np.any([_starts(stored, start, kind.encode()) for kind in kinds], axis=0)
    exact &= (length == 1) | (stored.take(start + skip, mode="clip") != ord("0"))  # "01" and "1" are two ids
    found = np.zeros(len(ids), np.uint64)
    for place in range(int(length[exact].max(initial=0))):
        digit = _DIGITS[stored.take(start + skip + place, mode="clip")]
        more = place < length
        exact &= ~more | (digit < 36)
        found = np.where(more, found * np.uint64(36) + digit, found)
    return np.where(exact, found, np.uint64(0)), exact


def _starts(stored: NDArray[np.uint8], start: NDArray[np.int64], kind: bytes) -> NDArray[np.bool_]:
    same = [stored.take(start + place, mode="clip") == letter for place, letter in enumerate(kind)]
    return np.all(same, axis=0) if same else np.ones(len(start), bool)


def keys(ids: Sequence[str]) -> Keys:
    """Return the keys of ids without their kind."""
    found, exact = numbers(pa.array([id_.encode(errors="replace") for id_ in ids], pa.binary()).cast(pa.string()))
    for row in np.flatnonzero(~exact).tolist():
        found[row] = HASHED | int.from_bytes(blake2b(ids[row].encode(), digest_size=8).digest(), "big") >> 1
    return found
