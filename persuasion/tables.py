"""Rows to Parquet and back: the same rows always give the same bytes.

Schema, row-group size, compression and writer version are fixed, and nothing is stored
that varies (no pandas metadata, no dates). Rows are sorted by the caller's total order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persuasion.errors import DataFailure
from persuasion.files import replaced, write_text

Row = TypeVar("Row")
ROW_GROUP, GROUP_BYTES = 65_536, 1 << 26
BATCH = 1_024  # rows in memory at once where a table is streamed
_SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


def write_rows(path: Path, rows: Iterable[Row], kind: type[Row], key: str | tuple[str, ...]) -> None:
    """Write ``rows`` of dataclass ``kind`` to ``path``, sorted by the field (or fields) ``key``.

    Raises DataFailure when ``key`` does not order the rows totally: equal keys would leave the
    bytes to chance.
    """
    names = (key,) if isinstance(key, str) else key
    ordered = sorted(rows, key=lambda row: tuple(getattr(row, name) for name in names))
    keys = [tuple(getattr(row, name) for name in names) for row in ordered]
    twice = next((a for a, b in pairwise(keys) if a == b), None)
    if twice is not None:
        raise DataFailure(f"two {kind.__name__} rows share {names} = {twice}", where=path)
    with table_writer(path, kind) as write:
        write(pa.Table.from_pylist([plain(row) for row in ordered], schema=schema(kind)))


@contextmanager
def table_writer(path: Path, kind: type) -> Iterator[Callable[[pa.Table], None]]:
    """Yield a function that appends tables to ``path``; how rows are dealt out to tables leaves no trace.

    A row group ends after ``ROW_GROUP`` rows, or before its texts pass ``GROUP_BYTES``.
    """
    waiting = schema(kind).empty_table()
    with (
        replaced(path) as partial,
        pq.ParquetWriter(partial, schema(kind), compression="zstd", version="2.6", store_schema=False) as writer,
    ):

        def write(table: pa.Table) -> None:
            nonlocal waiting
            waiting = pa.concat_tables([waiting, table])
            ends = _group_ends(waiting)
            for start, end in pairwise([0, *ends]):
                writer.write_table(waiting.slice(start, end - start).combine_chunks(), row_group_size=ROW_GROUP)
            waiting = waiting.slice(ends[-1] if ends else 0)

        yield write
        if waiting.num_rows:
            writer.write_table(waiting.combine_chunks(), row_group_size=ROW_GROUP)


def _group_ends(table: pa.Table) -> list[int]:
    """Where the row groups end that more rows could not change."""
    size = np.zeros(table.num_rows, np.int64)
    for field in table.schema:
        if field.type in (pa.string(), pa.list_(pa.string())):
            size += _text_bytes(table[field.name])
    total = np.concatenate([[0], np.cumsum(size)])
    ends: list[int] = []
    start = 0
    while True:
        fitting = int(np.searchsorted(total, total[start] + GROUP_BYTES, side="right")) - 1
        end = min(start + ROW_GROUP, max(fitting, start + 1))
        if end > table.num_rows or (end == table.num_rows and end < start + ROW_GROUP):
            return ends
        ends.append(end)
        start = end


def _text_bytes(column: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The bytes of text in each row of a column of texts, or of lists of texts."""
    if column.type == pa.string():
        return np.asarray(pc.fill_null(pc.binary_length(column), 0), np.int64)
    total = np.cumsum([0, *pc.binary_length(pc.list_flatten(column)).to_pylist()])
    ends = np.cumsum(np.asarray(pc.fill_null(pc.list_value_length(column), 0)))
    return np.diff(total[np.concatenate([[0], ends])])


def read_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read every row of ``path`` as ``kind``; extra columns are ignored.

    Raises DataFailure when the file is missing, no Parquet, or lacks a column.
    """
    with _opened(path, kind) as (file, names):
        return [built(kind, row) for row in file.read(columns=names).to_pylist()]


def stream_rows(path: Path, kind: type[Row]) -> Iterator[Row]:
    """Yield the rows of ``path`` one after the other, in the memory of ``BATCH`` of them. Raises as ``read_rows``."""
    with _opened(path, kind) as (file, names):
        for batch in file.iter_batches(batch_size=BATCH, columns=names):
            yield from (built(kind, row) for row in batch.to_pylist())


@contextmanager
def _opened(path: Path, kind: Any) -> Iterator[tuple[pq.ParquetFile, list[str]]]:
    """A table that has every column of ``kind``, and their names."""
    names = [field.name for field in fields(kind)]
    try:
        with pq.ParquetFile(path) as file:
            missing = [name for name in names if name not in file.schema_arrow.names]
            if missing:
                raise DataFailure(
                    f"{path} lacks the columns {', '.join(missing)}", fix="run `dvc repro` to make it anew"
                )
            yield file, names
    except FileNotFoundError:
        raise DataFailure(f"{path} is missing", fix="run `dvc repro` to make it") from None
    except pa.ArrowException as error:
        raise DataFailure(f"{path} is not a readable Parquet file", why=str(error)) from None


def require_rows(path: Path, kind: type[Row]) -> list[Row]:
    """Read at least one row; raises DataFailure also when there is none."""
    rows = read_rows(path, kind)
    if not rows:
        raise DataFailure(
            f"{path} holds no {kind.__name__} row",
            why="the data gave none for this split",
            fix="see metrics/pair.json for what was dropped; give more data, or change pairs.split or pairs.seed",
        )
    return rows


def write_tsv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of numbers for ``dvc plots``; every row has the keys of the first, None is left empty."""
    columns = list(rows[0]) if rows else []
    write_text(path, "\t".join(columns) + "\n" + "".join(tsv_row(row, columns) for row in rows))


def tsv_row(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    """One line of ``write_tsv``."""
    return "\t".join(_cell(row[name]) for name in columns) + "\n"


def _cell(value: float | int | None) -> str:
    return "" if value is None else repr(value)


def schema(kind: Any) -> pa.Schema:
    """The Arrow schema of a record: fields in order, nullable only where the annotation says None."""
    return pa.schema([_field(name, hint) for name, hint in _hints(kind).items()])


def plain(row: Any) -> dict[str, Any]:
    """A record as a dict, nested records too."""
    return {field.name: _plain(getattr(row, field.name)) for field in fields(row)}


def built(kind: Any, row: dict[str, Any]) -> Any:
    """A record of ``kind`` from a dict, nested records too."""
    return kind(**{name: _built(hint, row[name]) for name, hint in _hints(kind).items()})


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _field(name: str, hint: Any) -> pa.Field:
    inner, nullable = _optional(hint)
    if get_origin(inner) is tuple:
        item, _ = _optional(get_args(inner)[0])
        return pa.field(name, pa.list_(_arrow(item)), nullable=nullable)
    return pa.field(name, _arrow(inner), nullable=nullable)


def _arrow(hint: Any) -> pa.DataType:
    return pa.struct(list(schema(hint))) if is_dataclass(hint) else _SCALARS[hint]


def _optional(hint: Any) -> tuple[Any, bool]:
    if get_origin(hint) is UnionType:
        return next(arg for arg in get_args(hint) if arg is not NoneType), True
    return hint, False


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return plain(value) if is_dataclass(value) else value


def _built(hint: Any, value: Any) -> Any:
    inner, _ = _optional(hint)
    if get_origin(inner) is tuple:
        item = get_args(inner)[0]
        return tuple(built(item, v) if is_dataclass(item) else v for v in value)
    return value
