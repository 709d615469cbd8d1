"""Ready pairs, one per row of a CSV or JSON list, to the same rows that a dump gives.

Columns ``prompt, chosen, rejected`` or ``post, positive, negative``. A row holds three texts, and
each text counts as one line: it becomes a submission or a comment, repeats one that is there
(``skipped_by.repeated``), or is refused with its row. Ids are hashes of the texts.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure
from persuasion.reading import Refusal
from persuasion.records import PERSON, Comment, Delta, Submission

COLUMNS = (("prompt", "chosen", "rejected"), ("post", "positive", "negative"))
REFUSED = ("empty_text", "same_completions")
SKIPPED = ("repeated",)
GIVEN = Delta(source="given", by="", by_op=True, at=None)
HEAD = 1 << 16


@dataclass(slots=True, kw_only=True)
class ReadyPairs:
    """Rows by id, refusals (three per refused row) and counts of texts."""

    submissions: dict[str, Submission] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    skipped_by: Counter[str] = field(default_factory=Counter)
    lines: int = 0


def recognised(path: Path) -> bool:
    """Whether a file looks like ready pairs by its first bytes: a JSON list, or a CSV with the columns."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(HEAD).decode("utf-8-sig", "replace").lstrip()
    return head.startswith("[") or _columns(head.partition("\n")[0]) is not None


def read_pairs(path: Path) -> ReadyPairs:
    """Read a file of ready pairs.

    Raises DataFailure (row, field, got, expected) for a missing field or a wrong type, and for a file
    that is neither a JSON list nor a CSV with the columns.
    """
    pairs = ReadyPairs()
    for row, texts in enumerate(_rows(path), start=1):
        pairs.lines += 3
        reason = _refused(*texts)
        if reason:
            pairs.refusals += [Refusal(file=path.name, line=row, reason=reason)] * 3
        else:
            _add(pairs, *texts)
    return pairs


def _refused(prompt: str, chosen: str, rejected: str) -> str:
    """Why a row is no pair, or ""."""
    if not (prompt.strip() and chosen.strip() and rejected.strip()):
        return "empty_text"
    return "same_completions" if chosen.strip() == rejected.strip() else ""


def _add(pairs: ReadyPairs, prompt: str, chosen: str, rejected: str) -> None:
    thread = "t3_" + _digest(prompt)
    if thread not in pairs.submissions:
        pairs.submissions[thread] = Submission(
            id=thread, author="", role=PERSON, created_utc=0, score=None, title="", selftext=prompt
        )
    else:
        pairs.skipped_by["repeated"] += 1
    winner, loser = (_completion(pairs, thread, prompt, text) for text in (chosen, rejected))
    rivals = tuple(sorted({*winner.rivals, loser.id}))
    pairs.comments[winner.id] = replace(winner, earned_delta=True, deltas=(GIVEN,), rivals=rivals)


def _completion(pairs: ReadyPairs, thread: str, prompt: str, text: str) -> Comment:
    """The comment that holds ``text``, made when it is new."""
    id_ = "t1_" + _digest(f"{prompt}\0{text}")
    if id_ in pairs.comments:
        pairs.skipped_by["repeated"] += 1
        return pairs.comments[id_]
    pairs.comments[id_] = Comment(
        id=id_,
        thread_id=thread,
        parent_id=thread,
        author="",
        role=PERSON,
        created_utc=0,
        score=None,
        body=text,
        is_op=False,
        earned_delta=False,
        deltas=(),
        rivals=(),
    )
    return pairs.comments[id_]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _rows(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (prompt, chosen, rejected) row by row."""
    if not path.is_file():
        raise DataFailure(
            f"{path} is no file of ready pairs", why="source.path names it", fix="correct source.path in params.yaml"
        )
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise DataFailure(f"{path.name} cannot be read", where=path, why=error.strerror or str(error)) from None
    entries = _json_rows(text, path) if text.lstrip().startswith("[") else _csv_rows(text, path)
    for row, entry in enumerate(entries, start=1):
        names = _names(entry, row, path)
        prompt, chosen, rejected = (_field(entry, name, row, path) for name in names)
        yield prompt, chosen, rejected


def _json_rows(text: str, path: Path) -> list[Any]:
    try:
        return list(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DataFailure(f"{path.name} is not valid JSON", where=path, why=str(error), fix="correct it") from None


def _csv_rows(text: str, path: Path) -> Iterator[dict[Any, Any]]:
    header = text.partition("\n")[0]
    delimiter = _columns(header)
    if delimiter is None:
        raise DataFailure(
            f"{path.name} is not a file of ready pairs",
            where=path,
            why="expected a JSON list, or a CSV whose header has prompt, chosen, rejected or post, positive, negative",
            fix="name the columns so, or set source.kind to dump",
        )
    csv.field_size_limit(1 << 30)
    try:
        yield from csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise DataFailure(f"{path.name} is not valid CSV", where=path, why=str(error), fix="correct it") from None


def _columns(header: str) -> str | None:
    """The delimiter under which a first line names the columns, or None."""
    for delimiter in (",", "\t", ";"):
        named = {name.strip().strip('"') for name in header.split(delimiter)}
        if any(named >= set(columns) for columns in COLUMNS):
            return delimiter
    return None


def _names(entry: Any, row: int, path: Path) -> tuple[str, str, str]:
    if not isinstance(entry, dict):
        raise _wrong(path, row, "the row", entry, "an object with prompt, chosen, rejected")
    return COLUMNS[1] if "prompt" not in entry and "post" in entry else COLUMNS[0]


def _field(entry: dict[str, Any], name: str, row: int, path: Path) -> str:
    """A required text of a row, with lone surrogates replaced."""
    value = entry.get(name)
    if not isinstance(value, str):
        raise _wrong(path, row, name, value, "a text")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _wrong(path: Path, row: int, name: str, got: Any, expected: str) -> DataFailure:
    kind = "nothing" if got is None else type(got).__name__
    return DataFailure(
        f"row {row}: {name} is {kind}", where=path, why=f"expected {expected}", fix="correct or remove the row"
    )
