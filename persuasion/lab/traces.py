"""Whether a table holds rows to forget, and what else must then be looked for.

An author's entry leads to the ids of what he wrote, these to the pairs made of them, and pairs to
verdicts, which carry a pair's id alone. Known by column names (persuasion/records.py) in Parquet
and JSON Lines, told by their first bytes. Knows nothing of revisions, caches or remotes.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from persuasion.removals import is_pseudonym

IDS = ("id", "comment_id", "chosen_id", "rejected_id", "thread_id", "pair_id")
AUTHORS = {"author": "id", "chosen_author": "chosen_id", "rejected_author": "rejected_id", "op_author": "thread_id"}
"""Columns of pseudonyms, each with the column of what that author wrote. Neither ``parent_id`` nor ``deltas``
counts: a reply to a forgotten comment is another's row."""
NAMELESS = frozenset({"completions", "chosen"})
"""Columns of comments' texts. Beside a thread's id and no id of their own, they may be any of the thread's."""
TEXTS = NAMELESS | {"body", "prompt", "rejected", "selftext", "text", "title"}
"""Columns of texts; rows without any (splits, dropped ids, log-probabilities) teach a model nothing."""
LONGEST = 1 << 24  # bytes of a line read; longer lines are none of ours
BATCH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Ids of comments, posts and pairs; authors; and ``threads`` whose nameless texts may be sought ones."""

    ids: frozenset[str]
    authors: frozenset[str]
    threads: frozenset[str]

    def __or__(self, other: "Sought") -> "Sought":
        """Return what either seeks."""
        return Sought(
            ids=self.ids | other.ids, authors=self.authors | other.authors, threads=self.threads | other.threads
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found: ``rows`` for certain, ``texts`` of these with words, ``doubtful`` ones, and what to seek now.

    ``table``: whether it is a table of known rows at all.
    """

    rows: int
    texts: int
    doubtful: int
    table: bool
    sought: Sought


def sought(entries: Iterable[str]) -> Sought:
    """Return what the entries of a removals file seek."""
    every = frozenset(entries)
    authors = frozenset(filter(is_pseudonym, every))
    return Sought(ids=every - authors, authors=authors, threads=frozenset())


def find(stream: BinaryIO, wanted: Sought) -> Found:
    """Look through one file; ``Found.sought`` is ``wanted`` with all that its rows lead to.

    Raises pyarrow.ArrowException or OSError for a Parquet file that cannot be read.
    """
    rows = texts = doubtful = 0
    known = False
    for names, table in _tables(stream):
        known = True
        sure = _matching(table, wanted)
        count = pc.sum(sure).as_py() or 0
        rows += count
        texts += count if TEXTS & names else 0
        wanted = _led_to(table, sure, wanted)
        if "thread_id" in names and NAMELESS & names and not names & (set(IDS) - {"thread_id"}):
            unsure = pc.and_not(_isin(table["thread_id"], wanted.threads), sure)
            doubtful += pc.sum(unsure).as_py() or 0
    return Found(rows=rows, texts=texts, doubtful=doubtful, table=known, sought=wanted)


def _matching(table: pa.Table, wanted: Sought) -> pa.ChunkedArray:
    """Which rows bear an id or an author that is sought."""
    found = pa.chunked_array([pa.array([False] * table.num_rows, pa.bool_())])
    for columns, values in ((IDS, wanted.ids), (AUTHORS, wanted.authors)):
        for name in columns:
            if name in table.column_names and values:
                found = pc.or_(found, _isin(table[name], values))
    return found


def _led_to(table: pa.Table, rows: pa.ChunkedArray, wanted: Sought) -> Sought:
    """Add the pairs and threads of the rows found, and what the authors sought wrote."""
    hits = table.filter(rows)
    if not hits.num_rows:
        return wanted
    has = set(hits.column_names)
    ids = set(_values(hits["pair_id"])) if "pair_id" in has else set()
    for author, own in AUTHORS.items():
        if author in has and own in has and wanted.authors:
            ids |= set(_values(hits.filter(_isin(hits[author], wanted.authors))[own]))
    threads = set(_values(hits["thread_id"])) if "thread_id" in has else set()
    return replace(wanted, ids=wanted.ids | ids, threads=wanted.threads | threads)


def _isin(column: pa.ChunkedArray, values: frozenset[str]) -> pa.ChunkedArray:
    return pc.is_in(column.cast(pa.string()), pa.array(sorted(values), pa.string()))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _values(column: pa.ChunkedArray) -> list[str]:
    return column.drop_null().unique().to_pylist()


def _tables(stream: BinaryIO) -> Iterator[tuple[set[str], pa.Table]]:
    """The columns' names and the known columns, batch by batch; nothing for a file that is no table of ours."""
    start = stream.read(4)
    stream.seek(0)
    if start == b"PAR1":
        yield from _parquet(stream)
    elif start.startswith(b"{"):
        yield from _json_lines(stream)


def _parquet(stream: BinaryIO) -> Iterator[tuple[set[str], pa.Table]]:
    # Arrow's own threads would still be holding the Python stream when the process ends, and abort it
    with pq.ParquetFile(stream, pre_buffer=False) as file:
        schema = file.schema_arrow
        kept = [name for name in (*IDS, *AUTHORS) if name in schema.names and _is_text(schema.field(name).type)]
        for group in range(file.num_row_groups) if kept else ():
            yield set(schema.names), file.read_row_group(group, columns=kept, use_threads=False)
        if kept and not file.num_row_groups:
            yield set(schema.names), schema.empty_table().select(kept)


def _json_lines(stream: BinaryIO) -> Iterator[tuple[set[str], pa.Table]]:
    rows: list[dict[str, str]] = []
    names: set[str] = set()
    while line := stream.readline(LONGEST):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not isinstance(row, dict):
            break
        names |= row.keys()
        rows.append({name: row[name] for name in (*IDS, *AUTHORS) if isinstance(row.get(name), str)})
        if len(rows) == BATCH:
            yield from _from_rows(names, rows)
            rows = []
    yield from _from_rows(names, rows)


def _from_rows(names: set[str], rows: list[dict[str, str]]) -> Iterator[tuple[set[str], pa.Table]]:
    kept = [name for name in (*IDS, *AUTHORS) if any(name in row for row in rows)]
    if kept:
        yield names, pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in kept]))
