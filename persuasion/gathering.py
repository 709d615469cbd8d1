"""Parts on disk, and the rows of some threads out of all of them.

Parts are memory-mapped files. In a dump in order of time most parts lie within one range of threads, and
are taken whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from persuasion.keys import Keys
from persuasion.refusals import COLUMNS, shifted

Rows = NDArray[np.int64]
SAMPLED = 64  # rows between two keys of a sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A table on disk: every ``SAMPLED``-th of its threads' keys in order, with the highest, and its bytes."""

    path: Path
    sample: Keys
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One table of a part: threads from ``low`` to ``high``; ``dropped`` rows lost against a later copy.

    Its rows' places count from ``line`` lines and ``offset`` bytes into ``file``.
    """

    path: Path
    low: int
    high: int
    file: str
    line: int
    offset: int
    dropped: Rows


def save(table: pa.Table, path: Path) -> None:
    """Write a table for this run only: uncompressed, to be mapped into memory."""
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def store(table: pa.Table, path: Path) -> Stored | None:
    """Save a table; one without rows is not worth a file."""
    if not table.num_rows:
        return None
    save(table, path)
    threads = np.sort(numbers(table, "thread"))
    return Stored(path=path, sample=np.append(threads[::SAMPLED], threads[-1:]), size=table.nbytes)


def load(path: Path) -> pa.Table:
    """Map a saved table into memory; only what is read of it counts."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def gather(parts: Sequence[PartFile], low: int, high: int, schema: pa.Schema) -> pa.Table:
    """The rows of ``schema`` with ``low <= thread <= high`` of all parts, but the dropped ones, part after part.

    A column ``part`` with the part's number is added.
    """
    nothing = schema.append(pa.field("part", pa.int32())).empty_table()
    return pa.concat_tables([nothing, *(_piece(part, number, low, high) for number, part in enumerate(parts))])


def refused(table: pa.Table, rows: Rows, parts: Sequence[PartFile], reason: str) -> pa.Table:
    """Refusals of some rows of a gathered table, where they stood in their files."""
    taken = table.select(["part", "line", "offset", "length"]).take(pa.array(rows))
    part = taken["part"].to_numpy()
    files = pa.array([one.file for one in parts], pa.string()).take(pa.array(part))
    reasons = pa.repeat(reason, len(rows))
    here = pa.Table.from_arrays(
        [files, *(taken[name] for name in ("line", "offset", "length")), reasons], schema=COLUMNS
    )
    line, offset = (np.array([getattr(one, name) for one in parts], np.int64)[part] for name in ("line", "offset"))
    return shifted(here, line, offset)


def numbers(table: pa.Table, name: str) -> Keys:
    """A column of keys as an array."""
    return np.asarray(table[name].to_numpy(), np.uint64)


def _piece(part: PartFile, number: int, low: int, high: int) -> pa.Table:
    table = load(part.path)
    within = np.ones(table.num_rows, bool)
    if part.low < low or part.high > high:
        threads = numbers(table, "thread")
        within = (threads >= np.uint64(low)) & (threads <= np.uint64(high))
    within[part.dropped] = False
    piece = table if within.all() else table.take(pa.array(np.flatnonzero(within)))
    return piece.append_column("part", pa.array(np.full(piece.num_rows, number, np.int32)))
