"""Records that became no rows, as a table: a whole dump of them still fits in memory.

Columns as in ``records.Refusal``. They are written as JSON lines, in order of file and line.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from persuasion.files import replaced
from persuasion.records import Refusal
from persuasion.tables import schema

COLUMNS = schema(Refusal)
BATCH = 8192


def tabled(refusals: Sequence[Refusal]) -> pa.Table:
    """Refusals as a table."""
    return pa.Table.from_pylist([asdict(refusal) for refusal in refusals], schema=COLUMNS)


def shifted(refusals: pa.Table, line: NDArray[np.int64] | int, offset: NDArray[np.int64] | int) -> pa.Table:
    """Refusals further down in their files, by so many lines and bytes."""
    moved = {"line": line, "offset": offset}
    columns = [
        pa.array(refusals[name].to_numpy() + moved[name]) if name in moved else refusals[name] for name in COLUMNS.names
    ]
    return pa.Table.from_arrays(columns, schema=COLUMNS)


def by_reason(refusals: pa.Table) -> Counter[str]:
    """How many there are for each reason."""
    counts = pc.value_counts(refusals["reason"])
    return Counter(dict(zip(*(column.to_pylist() for column in counts.flatten()), strict=True)))


def write_refusals(path: Path, refusals: pa.Table) -> None:
    """Write refusals as JSON lines, whole or not at all."""
    ordered = refusals.sort_by([(name, "ascending") for name in COLUMNS.names])
    with replaced(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as stream:
        for batch in ordered.to_batches(max_chunksize=BATCH):
            stream.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())


def joined(tables: Iterable[pa.Table]) -> pa.Table:
    """All of them as one."""
    return pa.concat_tables([COLUMNS.empty_table(), *tables])
