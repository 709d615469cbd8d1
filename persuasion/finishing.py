"""Gathered tables to the rows that leave the stage: whose they are, what they earned, what must go.

Works on tables with their authors' pseudonyms in column ``who``; knows nothing of how deltas are found.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from persuasion.gathering import numbers
from persuasion.records import Comment, Delta, Submission
from persuasion.removals import Removals
from persuasion.tables import plain, schema


def removed_by(table: pa.Table, removals: Removals, posts: Mapping[int, str]) -> dict[int, str]:
    """Return the rows to remove, each with the entry of the removals file it goes by.

    That is its id, its author, or the entry that its thread's post goes by (``posts``, by thread key).
    """
    if not (removals.ids or removals.authors):
        return {}
    thread, who = numbers(table, "thread"), table["who"].cast(pa.string())
    named = np.asarray(pc.is_in(table["id"], pa.array(sorted(removals.ids), pa.string())))
    written = np.asarray(pc.is_in(who, pa.array(sorted(removals.authors), pa.string())))
    below = np.isin(thread, np.fromiter(posts, np.uint64, len(posts)))
    rows = np.flatnonzero(named | written | below)
    found = {}
    ids, names = (column.take(pa.array(rows)).to_pylist() for column in (table["id"], who))
    for row, id_, name in zip(rows.tolist(), ids, names, strict=True):
        own = id_ if id_ in removals.ids else name
        found[row] = own if named[row] or written[row] else posts[int(thread[row])]
    return found


def submission_rows(table: pa.Table) -> pa.Table:
    """The rows of submissions.parquet."""
    return _rows(Submission, table, {"author": table["who"].cast(pa.string())})


def comment_rows(submissions: pa.Table, comments: pa.Table, deltas: Mapping[int, list[Delta]]) -> pa.Table:
    """The rows of comments.parquet, ``deltas`` by row; both tables are in the order of threads."""
    post = np.searchsorted(numbers(submissions, "thread"), numbers(comments, "thread"))
    author, op = comments["who"].cast(pa.string()), submissions["who"].cast(pa.string()).take(pa.array(post))
    counts = np.zeros(comments.num_rows, np.int32)
    for row, given in deltas.items():
        counts[row] = len(given)
    kind = schema(Comment).field("deltas").type
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    values = pa.array([plain(delta) for row in sorted(deltas) for delta in deltas[row]], kind.value_type)
    made = {
        "author": author,
        "is_op": pc.and_(pc.equal(author, op), pc.not_equal(author, "")),
        "earned_delta": pa.array(counts > 0),
        "deltas": pa.ListArray.from_arrays(offsets, values, type=kind),
        "rivals": _filled(comments["rivals"]),
    }
    return _rows(Comment, comments, made)


def labels(comments: pa.Table) -> dict[int, list[Delta]]:
    """Deltas that the source itself gives, by row; votes ("score") are nobody's in particular."""
    rows = np.flatnonzero(np.asarray(pc.not_equal(comments["given"], "")))
    given = comments["given"].take(pa.array(rows)).to_pylist()
    return {
        row: [Delta(by="", by_op=label == "given", source=label, at=None)]
        for row, label in zip(rows.tolist(), given, strict=True)
    }


def parents_absent(comments: pa.Table) -> int:
    """How many replies have a parent that is no comment of their thread here; in partial dumps these are many."""
    thread, key, parent = (numbers(comments, name) for name in ("thread", "key", "parent"))
    reply = np.asarray(pc.starts_with(comments["parent_id"], "t1_"))
    row = pc.fill_null(pc.index_in(pa.array(parent), value_set=pa.array(key)), 0).to_numpy()
    return int(np.count_nonzero(reply & ~((key[row] == parent) & (thread[row] == thread))))


def years(table: pa.Table) -> Counter[int]:
    """How many rows are of which year (UTC); 0 where the time is unknown."""
    seconds = np.asarray(table["created_utc"].to_numpy(), np.int64)
    found = seconds.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    values, counts = np.unique(np.where(seconds > 0, found, 0), return_counts=True)
    return Counter(dict(zip(values.tolist(), counts.tolist(), strict=True)))


def _filled(lists: pa.ChunkedArray) -> pa.Array:
    """Empty lists in place of nulls; a dump has nothing else."""
    nothing = pa.ListArray.from_arrays(np.zeros(len(lists) + 1, np.int32), pa.array([], pa.string()))
    return nothing if lists.null_count == len(lists) else pc.fill_null(lists, pa.scalar([], lists.type))


def _rows(kind: type, table: pa.Table, made: Mapping[str, pa.Array]) -> pa.Table:
    """The columns of a record kind: those made here, the others as the table has them."""
    wanted = schema(kind)
    return pa.Table.from_arrays([made[name] if name in made else table[name] for name in wanted.names], schema=wanted)
