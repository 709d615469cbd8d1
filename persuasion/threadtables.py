"""The thread tables range by range: some threads with all their comments, a row group or so at a time.

``extract`` writes both tables in the order of the threads' keys. Tables in any other order are sorted first, in
memory. Where ranges are cut changes no result: a thread is always whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from persuasion import tables
from persuasion.errors import DataFailure
from persuasion.keys import Keys, keys
from persuasion.records import Comment, Submission
from persuasion.tables import schema

GROUPS = 2  # of a range: more would hold more texts at once, fewer would read each group twice, for the thread across
BATCH = 1 << 13  # rows decoded at once
SUBMISSIONS, COMMENTS = "submissions.parquet", "comments.parquet"
_THREAD = {SUBMISSIONS: "id", COMMENTS: "thread_id"}
_KINDS = {SUBMISSIONS: Submission, COMMENTS: Comment}


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Rows from ``start`` to before ``end`` of each table; they hold the same threads, whole."""

    folder: Path
    submissions: tuple[int, int]
    comments: tuple[int, int]

    def read(self) -> tuple[pa.Table, pa.Table]:
        """Both tables' rows of the range."""
        return (
            _rows(self.folder / SUBMISSIONS, Submission, *self.submissions),
            _rows(self.folder / COMMENTS, Comment, *self.comments),
        )


def ranges(folder: Path, scratch: Path) -> list[Range]:
    """Cut the tables at every ``GROUPS``-th row group of the comments; unsorted ones are copied to ``scratch``, sorted.

    Raises DataFailure where a table is missing, no Parquet, or lacks a column.
    """
    found = {name: _keys(folder / name) for name in _THREAD}
    if any(np.any(each[1:] < each[:-1]) for each in found.values()):
        folder = _sorted(folder, found, scratch)
        found = {name: np.sort(each) for name, each in found.items()}
    with _opened(folder / COMMENTS) as file:
        sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    starts = np.cumsum([0, *sizes])[GROUPS:-1:GROUPS]
    borders = np.unique(found[COMMENTS][starts])
    cuts = {name: [0, *np.searchsorted(each, borders).tolist(), len(each)] for name, each in found.items()}
    return [
        Range(
            folder=folder,
            submissions=(cuts[SUBMISSIONS][place], cuts[SUBMISSIONS][place + 1]),
            comments=(cuts[COMMENTS][place], cuts[COMMENTS][place + 1]),
        )
        for place in range(len(borders) + 1)
    ]


def earned(folder: Path) -> set[str]:
    """The ids of all comments that earned a delta, whoever gave it."""
    found: set[str] = set()
    with _opened(folder / COMMENTS) as file:
        for batch in file.iter_batches(columns=["id", "earned_delta"]):
            found.update(batch.filter(batch["earned_delta"])["id"].to_pylist())
    return found


def _keys(path: Path) -> Keys:
    """The key of each row's thread."""
    parts = [np.zeros(0, np.uint64)]
    column = _THREAD[path.name]
    with _opened(path) as file:
        missing = [name for name in schema(_KINDS[path.name]).names if name not in file.schema_arrow.names]
        if missing:
            raise DataFailure(f"{path} lacks the columns {', '.join(missing)}", fix="run `dvc repro` to make it anew")
        for batch in file.iter_batches(columns=[column]):
            ids = batch[column].dictionary_encode()
            parts.append(keys([id_[3:] for id_ in ids.dictionary.to_pylist()])[np.asarray(ids.indices)])
    return np.concatenate(parts)


def _sorted(folder: Path, found: dict[str, Keys], scratch: Path) -> Path:
    """Copies of the tables in the order of their threads' keys."""
    scratch.mkdir(parents=True, exist_ok=True)
    for name, each in found.items():
        table = pq.read_table(folder / name).take(pa.array(np.argsort(each, kind="stable")))
        pq.write_table(table, scratch / name, row_group_size=tables.ROW_GROUP)
    return scratch


def _rows(path: Path, kind: type, start: int, end: int) -> pa.Table:
    """Rows ``start`` to before ``end``, reading only the row groups that hold them."""
    names = schema(kind).names
    with _opened(path) as file:
        bounds = np.cumsum([0, *(file.metadata.row_group(number).num_rows for number in range(file.num_row_groups))])
        if start == end:
            return schema(kind).empty_table()
        first, last = np.searchsorted(bounds, (start, end - 1), side="right") - 1
        groups: Sequence[int] = range(int(first), int(last) + 1)
        # row groups read whole leave their memory in pieces: as much again as the table
        table = pa.Table.from_batches(file.iter_batches(BATCH, row_groups=groups, columns=names, use_threads=False))
    return table.slice(start - int(bounds[first]), end - start).combine_chunks()


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise DataFailure(f"{path} is missing", fix="run `dvc repro` to make it") from None
    except pa.ArrowException as error:
        raise DataFailure(f"{path} is not a readable Parquet file", why=str(error)) from None
