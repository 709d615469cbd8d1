"""Ready pairs, one per row of a JSON list, JSON lines, CSV or TSV, to the same records that a dump gives.

Columns ``prompt, chosen, rejected`` or ``post, positive, negative``; others are not used. A row holds
three texts, and each counts as one record: it becomes a post or a comment, repeats one that is there
(``repeated``), or is refused with its row. Ids are hashes of the texts; authors and times are unknown.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from persuasion.documents import ESCAPED, entries
from persuasion.errors import DataFailure
from persuasion.preferences import GIVEN, Collected, named, parsed
from persuasion.reddit import Outcome, Place, Refuse

COLUMNS = (("prompt", "chosen", "rejected"), ("post", "positive", "negative"))
FIELD_BYTES = 1 << 30


def rows(text: str, name: str) -> Iterator[tuple[Place, Any]]:
    """Yield each row of one file with its place; a place counts rows, from 1.

    Raises DataFailure for a text that is neither JSON nor a CSV whose header names the columns.
    """
    start = text.removeprefix("\ufeff").lstrip()
    found = entries(text, name) if start.startswith(("[", "{")) else _csv_rows(text, name)
    for row, place in found:
        yield place, row


def records(rows: Iterable[tuple[Place, Any]]) -> Iterator[tuple[Place, Outcome]]:
    """Turn rows of any number of files into three records each.

    Raises DataFailure (row, field, got, expected) for a missing field or a wrong type. All rows are
    held until the last, because a chosen text's rivals may stand anywhere.
    """
    collected = Collected()
    for place, row in rows:
        texts = _texts(row, place)
        reason = _unusable(*texts)
        if reason:
            for _ in texts:
                collected.add(place, Refuse(reason=reason))
        else:
            _add(collected, place, *texts)
    yield from collected.entries


def delimiter(header: str) -> str | None:
    """The delimiter under which a CSV's first line names the columns, or None."""
    for mark in (",", "\t", ";"):
        names = {name.strip().strip('"') for name in header.split(mark)}
        if any(names >= set(columns) for columns in COLUMNS):
            return mark
    return None


def unused(row: Any) -> list[str]:
    """The columns of a row that are not read."""
    names = row.keys() if isinstance(row, dict) else ()
    return sorted(name for name in names if isinstance(name, str) and name not in _columns(row))


def _unusable(prompt: str, chosen: str, rejected: str) -> str:
    """Why a row is no pair, or ""."""
    if not (prompt.strip() and chosen.strip() and rejected.strip()):
        return "empty_text"
    return "same_completions" if chosen.strip() == rejected.strip() else ""


def _add(collected: Collected, place: Place, prompt: str, chosen: str, rejected: str) -> None:
    thread = named("t3", prompt)
    collected.add(place, parsed({"id": thread, "title": "", "selftext": prompt}, ""))
    ids = []
    for text in (chosen, rejected):
        id_ = named("t1", f"{prompt}\0{text}")
        ids.append(collected.add(place, parsed({"id": id_, "link_id": thread, "parent_id": thread, "body": text}, "")))
    if ids[0] is not None:
        collected.prefer(ids[0], ids[1], GIVEN)


def _csv_rows(text: str, name: str) -> Iterator[tuple[dict[Any, Any], Place]]:
    """Yield each row with its place: its bytes are those that the CSV reader took to complete it."""
    mark = delimiter(text.removeprefix("\ufeff").partition("\n")[0])
    if mark is None:
        raise DataFailure(
            f"{name} is not a file of ready pairs",
            why="expected a JSON list, or a CSV whose header has prompt, chosen, rejected or post, positive, negative",
            fix="name the columns so, or correct source.kind",
        )
    csv.field_size_limit(FIELD_BYTES)
    taken = _Taken(text)
    try:
        reader = csv.DictReader(taken, delimiter=mark, strict=True)
        offset = taken.bytes if reader.fieldnames else 0
        for line, row in enumerate(reader, start=1):
            taken.repaired, repaired = False, taken.repaired
            yield row, Place(file=name, line=line, offset=offset, length=taken.bytes - offset, repaired=repaired)
            offset = taken.bytes
    except csv.Error as error:
        raise DataFailure(f"{name} is not valid CSV", why=str(error), fix="correct it") from None


class _Taken:
    """The lines of a text, counting the bytes of those that were taken; ``repaired``: some were no UTF-8."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.bytes = 0
        self.repaired = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            start = self.bytes == 0
            self.bytes += len(line.encode("utf-8", "surrogateescape"))
            self.repaired = self.repaired or ESCAPED.search(line) is not None
            yield line.removeprefix("\ufeff") if start else line


def _texts(row: Any, place: Place) -> tuple[str, str, str]:
    if not isinstance(row, dict):
        raise _wrong(place, "the row", row, "an object with prompt, chosen, rejected")
    prompt, chosen, rejected = (_field(row, name, place) for name in _columns(row))
    return prompt, chosen, rejected


def _columns(row: Any) -> tuple[str, str, str]:
    return COLUMNS[1] if "prompt" not in row and "post" in row else COLUMNS[0]


def _field(row: dict[Any, Any], name: str, place: Place) -> str:
    """A required text of a row, with lone surrogates replaced."""
    value = row.get(name)
    if not isinstance(value, str):
        raise _wrong(place, name, value, "a text")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _wrong(place: Place, name: str, got: Any, expected: str) -> DataFailure:
    kind = "nothing" if got is None else type(got).__name__
    return DataFailure(
        f"row {place.line}: {name} is {kind}", where=place.file, why=f"expected {expected}", fix="correct the row"
    )
