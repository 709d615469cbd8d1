"""A range of threads, gathered from all parts, to finished rows: who is OP, and who earned a delta.

Names end here: what leaves this room carries keyed pseudonyms only. Rows are ordered by thread,
time and id, so that ranges follow one another and the whole is the same however it was cut.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from persuasion.circles import circular
from persuasion.columns import COMMENTS, SUBMISSIONS
from persuasion.deltalog import Log
from persuasion.deltas import Award
from persuasion.earned import earned
from persuasion.finishing import comment_rows, labels, parents_absent, removed_by, submission_rows, years
from persuasion.gathering import PartFile, gather, numbers, refused
from persuasion.keys import Keys
from persuasion.pseudonyms import pseudonym
from persuasion.records import Delta
from persuasion.removals import Removals

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The key of the pseudonyms, and whose rows are to be removed."""

    key: bytes
    removals: Removals


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """What one join works on: the threads with keys from ``low`` to ``high``."""

    low: int
    high: int
    submissions: tuple[PartFile, ...]
    comments: tuple[PartFile, ...]
    logs: Mapping[str, Log]
    secrets: Secrets


@dataclass(slots=True, kw_only=True)
class Joined:
    """The rows of a range, in order, and its account.

    ``removed`` counts (entry of the removals file, table), ``years`` (table, year).
    """

    submissions: pa.Table = None
    comments: pa.Table = None
    refusals: list[pa.Table] = field(default_factory=list)
    deltas: Counter[tuple[str, bool]] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    removed: Counter[tuple[str, str]] = field(default_factory=Counter)
    years: Counter[tuple[str, int]] = field(default_factory=Counter)
    parents_absent: int = 0


def join(task: Range) -> Joined:
    """Finish the rows of a range."""
    joined = Joined()
    submissions = _signed(gather(task.submissions, task.low, task.high, SUBMISSIONS), task.secrets.key)
    comments = _signed(gather(task.comments, task.low, task.high, COMMENTS), task.secrets.key)
    posts_gone = removed_by(submissions, task.secrets.removals, {})
    threads = numbers(submissions, "thread")
    below = {int(threads[row]): entry for row, entry in posts_gone.items()}
    gone = removed_by(comments, task.secrets.removals, below)
    joined.removed.update((entry, "submissions") for entry in posts_gone.values())
    joined.removed.update((entry, "comments") for entry in gone.values())
    left = pa.array(_all_but(gone, comments))
    comments = comments.append_column("left", left)
    comments = _ordered(comments, _sound(threads, comments, task, joined))
    submissions = _ordered(submissions, _all_but(posts_gone, submissions))
    found = earned(submissions, comments, task.logs)
    every = labels(comments) | {row: _deltas(awards, task.secrets) for row, awards in found.awards.items()}
    comments, deltas = _left(comments, every)
    joined.ignored = found.ignored
    joined.deltas.update((delta.source, delta.by_op) for given in deltas.values() for delta in given)
    for name, table in (("submissions", submissions), ("comments", comments)):
        joined.years.update({(name, year): count for year, count in years(table).items()})
    joined.parents_absent = parents_absent(comments)
    joined.submissions = submission_rows(submissions)
    joined.comments = comment_rows(submissions, comments, deltas)
    return joined


_pseudonym = lru_cache(maxsize=1 << 17)(pseudonym)  # who writes in one range writes in others


def _signed(table: pa.Table, key: bytes) -> pa.Table:
    """Add every author's pseudonym as column ``who``."""
    authors = pc.dictionary_encode(table["author"].combine_chunks())
    names = pa.array([_pseudonym(name, key) for name in authors.dictionary.to_pylist()], pa.string())
    return table.append_column("who", pa.DictionaryArray.from_arrays(authors.indices, names))


def _sound(threads: Keys, comments: pa.Table, task: Range, joined: Joined) -> Mask:
    """Which comments stand in a thread: neither without a submission, nor in a circle of parents."""
    thread, parent, key = (numbers(comments, name) for name in ("thread", "parent", "key"))
    orphan = ~np.isin(thread, threads)
    top = np.asarray(pc.starts_with(comments["parent_id"], "t3_"))
    looped = ~orphan & circular(thread, key, parent, top)
    left = np.asarray(comments["left"])
    for mask, reason in ((orphan, "orphan"), (looped, "cycle")):
        joined.refusals.append(refused(comments, np.flatnonzero(mask & left), task.comments, reason))
    return ~orphan & ~looped


def _left(comments: pa.Table, deltas: Mapping[int, list[Delta]]) -> tuple[pa.Table, dict[int, list[Delta]]]:
    """The comments that nobody asked to remove, with their deltas: a removed comment may have awarded one."""
    left = np.asarray(comments["left"])
    if left.all():
        return comments, dict(deltas)
    row = np.cumsum(left) - 1
    kept = {int(row[at]): given for at, given in deltas.items() if left[at]}
    return comments.filter(pa.array(left)).combine_chunks(), kept


def _all_but(rows: Iterable[int], table: pa.Table) -> Mask:
    kept = np.ones(table.num_rows, bool)
    kept[list(rows)] = False
    return kept


def _ordered(table: pa.Table, kept: Mask) -> pa.Table:
    """The kept rows by thread, time and key."""
    order = np.lexsort((numbers(table, "key"), table["created_utc"].to_numpy(), numbers(table, "thread")))
    return table.take(pa.array(order[kept[order]])).combine_chunks()


def _deltas(awards: Iterable[Award], secrets: Secrets) -> list[Delta]:
    """Deltas under pseudonyms; one who is to be forgotten stays unnamed where the award is another's to keep."""
    return [
        Delta(by="" if by in secrets.removals.authors else by, by_op=one.by_op, source=one.source, at=one.at)
        for one in awards
        for by in [pseudonym(one.by, secrets.key)]
    ]
