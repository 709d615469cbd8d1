"""A source, whichever form it has, to thread tables with every line accounted for.

Three steps in bounded memory: units of work become parts on disk; of copies of one record the
latest is chosen; ranges of threads are joined and written in order. The bytes of the result depend
on the records alone, not on files, blocks, workers or the order of lines.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from persuasion import planning, refusals
from persuasion.config import Source
from persuasion.cores import cores, in_order, unsearched, workers
from persuasion.deltas import IGNORED
from persuasion.engine import Saved, read_parts
from persuasion.errors import DataFailure
from persuasion.files import remove
from persuasion.forms import inputs
from persuasion.joining import Joined, Range, Secrets, join
from persuasion.progress import bar
from persuasion.pseudonyms import key_for
from persuasion.records import Comment, Submission
from persuasion.refusals import shifted
from persuasion.removals import read_removals
from persuasion.tables import table_writer
from persuasion.units import Unit, units

MALFORMED = ("line_too_long", "not_json", "not_object", "missing_field", "wrong_type", "out_of_range")
REFUSED = (*MALFORMED, "stub", "duplicate_id", "orphan", "cycle", "empty_text", "same_completions")
SKIPPED = ("blank", "other_subreddit", "deltalog", "other_task", "repeated", "removed")
SOURCES = ("confirmed", "deltalog", "token", "given", "score")


@dataclass(slots=True, kw_only=True)
class Extracted:
    """The account of a source: every line is a row, a refusal or a skip."""

    lines: int = 0
    repaired: int = 0
    parents_absent: int = 0
    refusals: list[pa.Table] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    deltas: Counter[tuple[str, bool]] = field(default_factory=Counter)
    years: Counter[tuple[str, int]] = field(default_factory=Counter)
    removed: dict[str, dict[str, int]] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)

    def rows(self, table: str) -> int:
        """How many rows ``table`` ("submissions" or "comments") has."""
        return sum(count for (name, _), count in self.years.items() if name == table)


def extract(source: Source, folder: Path) -> Extracted:
    """Read ``source`` and write submissions.parquet and comments.parquet to ``folder``.

    Raises DataFailure when it is unusable, UsageFailure for an unusable key or removals file.
    """
    key, removals = key_for(source), read_removals(Path(source.removals_file))
    work = units(inputs(source))
    extracted = Extracted(forms=sorted({one.form for unit in work for one in unit.inputs}))
    scratch = folder / "scratch"
    with workers(source.workers, sum(unit.end - unit.start for unit in work)) as pool:
        read = _read(work, source, scratch, pool)
        placed = planning.placed(work, read)
        _account(extracted, placed, source)
        (submissions, old_submissions), (comments, old_comments) = (
            planning.copies(placed, kind) for kind in planning.KINDS
        )
        extracted.refusals += [*old_submissions, *old_comments]
        ranges = planning.ranges(submissions, comments, placed, Secrets(key=key, removals=removals))
    with unsearched():
        _write(extracted, ranges, folder, cores(source.workers))
    remove(scratch)
    untouched = {entry: {"submissions": 0, "comments": 0} for entry in sorted(removals.ids | removals.authors)}
    extracted.removed = untouched | extracted.removed
    return extracted


def measured(extracted: Extracted) -> dict[str, Any]:
    """The stage's metrics; lines = submissions + comments + refused + the sum of skipped_by."""
    deltas: Counter[str] = Counter()
    for (source, _), count in extracted.deltas.items():
        deltas[source] += count
    return {
        "lines": extracted.lines,
        "submissions": extracted.rows("submissions"),
        "comments": extracted.rows("comments"),
        "refused": sum(table.num_rows for table in extracted.refusals),
        "refused_by": _counted(refusals.by_reason(refusals.joined(extracted.refusals)), REFUSED),
        "skipped_by": _counted(extracted.skipped, SKIPPED),
        "repaired": extracted.repaired,
        "parents_absent": extracted.parents_absent,
        "deltas": deltas.total(),
        "deltas_by": _counted(deltas, SOURCES),
        "deltas_from_op": sum(count for (_, by_op), count in extracted.deltas.items() if by_op),
        "deltas_ignored_by": _counted(extracted.ignored, IGNORED),
    }


def _counted(counts: Counter[str], known: Sequence[str]) -> dict[str, int]:
    """Counts by reason, zeros included, so that the metrics keep their keys."""
    return {**dict.fromkeys(known, 0), **counts}


def _read(work: Sequence[Unit], source: Source, scratch: Path, pool: Executor) -> list[list[Saved]]:
    if source.engine == "ray":
        from persuasion import cluster

        return cluster.read_parts(work, source, scratch)
    return read_parts(work, source, scratch, pool)


def _account(extracted: Extracted, placed: Sequence[planning.Placed], source: Source) -> None:
    """Add up what parsing said. Raises DataFailure for the first malformed line when ``source.strict``."""
    for one in placed:
        account = one.saved.account
        extracted.lines += account.lines
        extracted.repaired += account.repaired
        extracted.skipped += account.skipped
        extracted.refusals.append(shifted(account.refusals, one.line, one.offset))
    malformed = pc.is_in(refusals.joined(extracted.refusals)["reason"], pa.array(MALFORMED))
    if source.strict and pc.any(malformed).as_py():
        first = refusals.joined(extracted.refusals).filter(malformed).slice(0, 1).to_pylist()[0]
        raise DataFailure(
            f"{first['file']} line {first['line']} is malformed",
            why=first["reason"].replace("_", " "),
            fix="repair the line, or set source.strict to false to count and skip such lines",
        )


def _write(extracted: Extracted, ranges: Sequence[Range], folder: Path, count: int) -> None:
    """Join the ranges, ``count`` of them at a time, and write their rows in order.

    Threads do: nearly all of a join is Arrow's, which needs no Python, and rows need not travel.
    """
    with (
        table_writer(folder / "submissions.parquet", Submission) as submissions,
        table_writer(folder / "comments.parquet", Comment) as comments,
        ThreadPoolExecutor(count) as threads,
        bar(len(ranges), "joining", "range") as shown,
    ):
        for joined in in_order(threads, join, ranges, ahead=count + 1):
            submissions(joined.submissions)
            comments(joined.comments)
            _add(extracted, joined)
            shown.update()


def _add(extracted: Extracted, joined: Joined) -> None:
    extracted.refusals += joined.refusals
    extracted.ignored += joined.ignored
    extracted.deltas += joined.deltas
    extracted.years += joined.years
    extracted.parents_absent += joined.parents_absent
    extracted.skipped["removed"] += joined.removed.total()
    for (entry, kind), count in joined.removed.items():
        counts = extracted.removed.setdefault(entry, {"submissions": 0, "comments": 0})
        counts[kind] += count
