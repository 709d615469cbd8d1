"""A source to its raw records: what was read, what was skipped, what was refused and why.

Every line of every file is counted once: as a record, a refusal or a skip. Knows nothing of deltas.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from persuasion.config import Source
from persuasion.dumps import files, lines
from persuasion.errors import DataFailure
from persuasion.reddit import Place, Raw, RawComment, RawSubmission, Refused, Skipped, parse

MALFORMED = ("line_too_long", "not_json", "not_object", "missing_field", "wrong_type", "out_of_range")
REFUSED = (*MALFORMED, "stub", "duplicate_id", "orphan", "cycle")
SKIPPED = ("blank", "other_subreddit")
Record = TypeVar("Record", RawSubmission, RawComment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A line that became no row. It never carries the line's text."""

    file: str
    line: int
    reason: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """Everything a source held. ``repaired``: lines whose bytes were not UTF-8 and were replaced."""

    submissions: dict[str, RawSubmission] = field(default_factory=dict)
    comments: dict[str, RawComment] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    skipped_by: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    repaired: int = 0


def read(source: Source) -> Reading:
    """Read every dump file of ``source.path``.

    Of several records with one id the latest by retrieval, then edit, stays; the others are refused.
    Raises DataFailure for unusable files and, when ``source.strict``, for the first malformed line.
    """
    reading = Reading()
    for path in files(Path(source.path)):
        for place, line in _placed(path, source):
            reading.lines += 1
            try:
                _keep(reading, parse(_decoded(line, reading), source.subreddit, place))
            except Skipped as skipped:
                reading.skipped_by[str(skipped)] += 1
            except Refused as refused:
                _refuse(reading, place, str(refused), strict=source.strict)
    return reading


def _placed(path: Path, source: Source) -> Iterator[tuple[Place, bytes | None]]:
    numbered = enumerate(lines(path, source.max_line_bytes, source.zst_window_mb), start=1)
    return ((Place(file=path.name, line=number), line) for number, line in numbered)


def _decoded(line: bytes | None, reading: Reading) -> str:
    """Decode a line; bytes that are not UTF-8 are replaced and the line counted."""
    if line is None:
        raise Refused("line_too_long")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
        reading.repaired += 1
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise Skipped("blank")
    return text


def _keep(reading: Reading, record: Raw) -> None:
    """File a record under its id, refusing the older one of two."""
    if isinstance(record, RawSubmission):
        older: Raw | None = _latest(reading.submissions, record)
    else:
        older = _latest(reading.comments, record)
    if older is not None:
        _refuse(reading, older.place, "duplicate_id", strict=False)


def _latest(kept: dict[str, Record], record: Record) -> Record | None:
    """Keep the newer of two records, by a total order over their content; return the other."""
    other = kept.get(record.id)
    if other is not None and (other.version, repr(other)) >= (record.version, repr(record)):
        return record
    kept[record.id] = record
    return other


def _refuse(reading: Reading, place: Place, reason: str, *, strict: bool) -> None:
    if strict and reason in MALFORMED:
        raise DataFailure(
            f"{place.file} line {place.line} is malformed",
            why=reason.replace("_", " "),
            fix="repair the line, or set source.strict to false to count and skip such lines",
        )
    reading.refusals.append(Refusal(file=place.file, line=place.line, reason=reason))
