"""Ready pairs, one per row of a JSON list, JSON lines, CSV or TSV, to the same records that a dump gives.

Columns ``prompt, chosen, rejected`` or ``post, positive, negative``, and the forms of TRL (conversational),
LLaMA-Factory (alpaca, sharegpt) and Axolotl (``chat_template.default``); others are not used. A row holds
three texts, and each counts as one record: it becomes a post or a comment, repeats one that is there
(``repeated``), or is refused with its row. Ids are hashes of the texts; authors and times are unknown.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from persuasion.documents import ESCAPED, entries
from persuasion.errors import DataFailure
from persuasion.messages import COMPLETION, PROMPT, Odd, kind, plain_text, text_of
from persuasion.preferences import GIVEN, Collected, named, parsed
from persuasion.reddit import Outcome, Place, Refuse

COLUMNS = (
    ("prompt", "chosen", "rejected"),
    ("post", "positive", "negative"),
    ("instruction", "chosen", "rejected"),  # LLaMA-Factory, alpaca form
    ("conversations", "chosen", "rejected"),  # LLaMA-Factory, sharegpt form
    ("messages", "chosen", "rejected"),  # Axolotl
)
ALPACA = ("input", "history")  # what may stand beside an instruction
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
    if not isinstance(row, dict):
        return []
    used = (*_columns(row), *ALPACA) if "instruction" in row else _columns(row)
    return sorted(name for name in row if isinstance(name, str) and name not in used)


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
    try:
        if not isinstance(row, dict):
            raise Odd("the row", kind(row), "an object with prompt, chosen, rejected")
        prompt, chosen, rejected = _columns(row)
        post = _instruction(row) if prompt == "instruction" else text_of(row.get(prompt), prompt, PROMPT)
        return post, text_of(row.get(chosen), chosen, COMPLETION), text_of(row.get(rejected), rejected, COMPLETION)
    except Odd as odd:
        raise DataFailure(
            f"row {place.line}: {odd}", where=place.file, why=f"expected {odd.expected}", fix="correct the row"
        ) from None


def _columns(row: Any) -> tuple[str, str, str]:
    """The columns that a row has, or else those that its prompt's name lets expect."""
    whole = (columns for columns in COLUMNS if set(columns) <= row.keys())
    begun = (columns for columns in COLUMNS if columns[0] in row)
    return next(whole, None) or next(begun, COLUMNS[0])


def _instruction(row: dict[Any, Any]) -> str:
    """The prompt of the alpaca form: instruction and input joined by a line end, as LLaMA-Factory joins them."""
    if row.get("history"):
        raise Odd(
            "history", f"a {kind(row['history'])} with turns", "none: conversations of several turns are not read"
        )
    parts = [plain_text(row.get("instruction"), "instruction"), plain_text(row.get("input") or "", "input")]
    return "\n".join(part for part in parts if part)
