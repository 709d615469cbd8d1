"""From parts to ranges: where every part stood in its file, which copies lost, where to cut the threads.

Cuts only share out the work: the rows of a range depend on its threads, and ranges follow one another.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from persuasion.deltalog import merged
from persuasion.duplicates import losers
from persuasion.engine import Saved
from persuasion.gathering import PartFile, Stored, load, refused
from persuasion.joining import Range, Secrets
from persuasion.keys import keys
from persuasion.units import Unit

RANGE_BYTES = 1 << 25
LAST = (1 << 64) - 1
KINDS = ("submissions", "comments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A saved part, and how many lines and bytes of its file precede its unit."""

    saved: Saved
    line: int
    offset: int


def placed(work: Sequence[Unit], read: Sequence[Sequence[Saved]]) -> list[Placed]:
    """Add to every part what precedes its unit in its file; only dumps are cut into several units."""
    before: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    found = []
    for unit, parts in zip(work, read, strict=True):
        line, offset = before[unit.name]
        found += [Placed(saved=saved, line=line, offset=offset) for saved in parts]
        lines, length = (sum(getattr(one.account, name) for one in parts) for name in ("lines", "length"))
        before[unit.name] = line + lines, offset + length
    return found


def copies(placed: Sequence[Placed], kind: str) -> tuple[list[PartFile], list[pa.Table]]:
    """Return one table's parts, each with the rows that lost against a later copy, and these rows' refusals."""
    parts = [_part(one, stored) for one in placed if (stored := _stored(one, kind)) is not None]
    refusals = []
    for number, rows in losers(parts).items():
        parts[number] = replace(parts[number], dropped=rows)
        table = load(parts[number].path)
        table = table.append_column("part", pa.array(np.full(table.num_rows, number, np.int32)))
        refusals.append(refused(table, rows, parts, "duplicate_id"))
    return parts, refusals


def ranges(
    submissions: Sequence[PartFile],
    comments: Sequence[PartFile],
    placed: Sequence[Placed],
    secrets: Secrets,
) -> list[Range]:
    """Cut the threads into ranges of about ``RANGE_BYTES``."""
    logs = merged(log for one in placed for log in one.saved.account.logs)
    log_keys = keys([thread[3:] for thread in logs]).tolist()
    return [
        Range(
            low=low,
            high=high,
            submissions=_within(submissions, low, high),
            comments=_within(comments, low, high),
            logs={thread: logs[thread] for thread, key in zip(logs, log_keys, strict=True) if low <= key <= high},
            secrets=secrets,
        )
        for low, high in _borders(placed)
    ]


def _borders(placed: Sequence[Placed]) -> list[tuple[int, int]]:
    """Lowest and highest key of each range, from samples of the parts' keys weighted by their rows' size."""
    samples, weights = [np.zeros(0, np.uint64)], [np.zeros(0)]
    for one in placed:
        for stored in filter(None, (_stored(one, kind) for kind in KINDS)):
            samples.append(stored.sample)
            weights.append(np.full(len(stored.sample), stored.size / len(stored.sample)))
    every, weight = np.concatenate(samples), np.concatenate(weights)
    order = np.argsort(every, kind="stable")
    number = (np.cumsum(weight[order]) // RANGE_BYTES).astype(np.int64)
    starts = np.unique(every[order][1:][np.diff(number) > 0]).tolist()
    return list(zip([0, *starts], [*(start - 1 for start in starts), LAST], strict=True))


def _within(parts: Sequence[PartFile], low: int, high: int) -> tuple[PartFile, ...]:
    return tuple(part for part in parts if part.low <= high and part.high >= low)


def _stored(one: Placed, kind: str) -> Stored | None:
    stored: Stored | None = getattr(one.saved, kind)
    return stored


def _part(one: Placed, stored: Stored) -> PartFile:
    return PartFile(
        path=stored.path,
        low=int(stored.sample[0]),
        high=int(stored.sample[-1]),
        file=one.saved.file,
        line=one.line,
        offset=one.offset,
        dropped=np.zeros(0, np.int64),
    )
