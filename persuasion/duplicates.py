"""Records that came more than once: the latest copy stays.

Latest by retrieval, then by edit; of copies alike in both, one whose text or author is gone, as people
ask for that later than they write, then the one whose content sorts last, so that the order of files
and lines never decides. Rare ids are worth a closer look, all others cost
one sort of 64-bit keys.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from persuasion.gathering import PartFile, Rows, load, numbers
from persuasion.keys import Keys
from persuasion.records import DELETED

_PLACE = ("line", "offset", "length", "thread")


def losers(parts: Sequence[PartFile]) -> dict[int, Rows]:
    """Return the rows that a later copy of the same record replaces, by part."""
    repeated = _repeated(parts)
    if not len(repeated):
        return {}
    found = [_candidates(load(part.path), number, repeated) for number, part in enumerate(parts)]
    key, retrieved, edited, gone, content, part, row = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((row, part, content, gone, edited, retrieved, key))
    older = order[:-1][key[order][1:] == key[order][:-1]]
    return {int(number): np.sort(row[older][part[older] == number]) for number in np.unique(part[older])}


def _repeated(parts: Sequence[PartFile]) -> Keys:
    """The keys that occur more than once."""
    keys = [np.zeros(0, np.uint64), *(numbers(load(part.path), "key") for part in parts)]
    every = np.sort(np.concatenate(keys))
    return np.unique(every[1:][every[1:] == every[:-1]])


def _candidates(table: pa.Table, part: int, repeated: Keys) -> tuple[NDArray[Any], ...]:
    """Key, version, whether it is gone, digest and address of a part's rows with a repeated key."""
    key = numbers(table, "key")
    rows = np.flatnonzero(np.isin(key, repeated))
    wanted = table.take(pa.array(rows))
    contents = zip(*(wanted[name].to_pylist() for name in wanted.column_names if name not in _PLACE), strict=True)
    digests = [int.from_bytes(blake2b(repr(content).encode(), digest_size=8).digest(), "big") for content in contents]
    retrieved, edited = (np.asarray(wanted[name].to_numpy(), np.int64) for name in ("retrieved", "edited"))
    gone = np.asarray(pc.equal(wanted["role"], DELETED))
    return key[rows], retrieved, edited, gone, np.array(digests, np.uint64), np.full(len(rows), part, np.int64), rows
