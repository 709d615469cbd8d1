"""Whose comment earned a delta, for all threads of a table at once.

Only comments that may matter are looked at one by one: those in which something was ``said`` that
may be a delta, those a log of r/DeltaLog names, and the two comments above each. The rules
themselves are in ``deltas``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from persuasion.deltalog import Log
from persuasion.deltas import Award, awards
from persuasion.gathering import Rows, numbers
from persuasion.keys import Keys, keys
from persuasion.reddit import RawComment, RawSubmission


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Awards by the row of the comment that earned them, and the signs of a delta that made none, by reason."""

    awards: Mapping[int, list[Award]]
    ignored: Counter[str]


def earned(submissions: pa.Table, comments: pa.Table, logs: Mapping[str, Log]) -> Earned:
    """Judge every thread; ``comments`` are sorted by thread, and both tables by key within it.

    A thread in which the source itself labels a comment (``given``) is left as the source has it.
    """
    found: dict[int, list[Award]] = defaultdict(list)
    ignored: Counter[str] = Counter()
    threads = numbers(comments, "thread")
    labelled = np.unique(threads[np.asarray(pc.not_equal(comments["given"], ""))])
    rows = _relevant(comments, logs)
    rows = rows[~np.isin(threads[rows], labelled)]
    told = {id_: list(group) for id_, group in groupby(_raw(comments, rows), key=lambda one: one[1].thread_id)}
    for post in _posts(submissions, [*told, *logs], labelled):
        by_id = {comment.id: (row, comment) for row, comment in told.get(post.id, ())}
        given, reasons = awards(post, {id_: one for id_, (_, one) in by_id.items()}, logs.get(post.id))
        for award in given:
            found[by_id[award.awarded][0]].append(award)
        ignored += reasons
    return Earned(awards=found, ignored=ignored)


def _relevant(comments: pa.Table, logs: Mapping[str, Log]) -> Rows:
    """Rows that may matter, in order: what was said, what a log names, and two comments above each."""
    key, parent = numbers(comments, "key"), numbers(comments, "parent")
    order = np.argsort(key, kind="stable")
    named = _rows(_named(logs), key, order)
    wanted = np.union1d(np.flatnonzero(comments["said"].is_valid().to_numpy()), named)
    above = wanted
    for _ in range(2):
        above = _rows(parent[above], key, order)
        wanted = np.union1d(wanted, above)
    return wanted


def _named(logs: Mapping[str, Log]) -> Keys:
    ids = [id_ for log in logs.values() for logged in log.logged for id_ in (logged.awarding, logged.awarded) if id_]
    return keys([id_[3:] for id_ in ids])


def _rows(wanted: Keys, key: Keys, order: Rows) -> Rows:
    """The rows of the keys that are there."""
    if not len(order):
        return np.zeros(0, np.int64)
    row = order[np.minimum(np.searchsorted(key, wanted, sorter=order), len(order) - 1)]
    return row[key[row] == wanted]


def _posts(table: pa.Table, threads: Sequence[str], labelled: Keys) -> list[RawSubmission]:
    """The submissions of some threads, but for the labelled ones."""
    named = np.isin(numbers(table, "key"), keys([thread[3:] for thread in threads]))
    rows = np.flatnonzero(named & ~np.isin(numbers(table, "key"), labelled))
    fields = table.select(["id", "author", "created_utc", "score"]).take(pa.array(rows)).to_pylist()
    empty: dict[str, Any] = {"title": "", "selftext": "", "distinguished": "", "version": (0, 0)}
    return [RawSubmission(**one, **empty) for one in fields]


def _raw(table: pa.Table, rows: Rows) -> Iterator[tuple[int, RawComment]]:
    names = ["id", "thread_id", "parent_id", "author", "created_utc", "score", "said", "retrieved", "edited"]
    for row, fields in zip(rows.tolist(), table.select(names).take(pa.array(rows)).to_pylist(), strict=True):
        version, said = (fields.pop("retrieved"), fields.pop("edited")), fields.pop("said") or ""
        yield row, RawComment(**fields, body=said, distinguished="", version=version, given="", rivals=())
