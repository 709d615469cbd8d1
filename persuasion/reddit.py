"""A line of a Reddit dump to a raw record, or to a named reason why not.

The dumps' types drift by month (times as text or floats, null scores, absent names); here they
become one shape or a named refusal. Knows nothing of deltas, threads or pseudonyms.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DELETED = "[deleted]"
DELTALOG = "deltalog"
NO_BODY = frozenset({"[deleted]", "[removed]"})
FIRST_SECOND, LAST_SECOND = 1_119_484_800, 4_102_444_800  # Reddit's founding (June 2005) to 2100
SCORE_LIMIT, NUMBER_LIMIT = 2**31, 2**53
NAMELESS = frozenset({"", "[missing]", "[removed]"})
_ID = re.compile(r"(t[13])_([A-Za-z0-9_]{1,20})")
_DECODER = json.JSONDecoder(strict=False)  # a NUL or tab that a crawl did not escape is text like any other
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record came from: file, line (from 1), and the bytes of the line in the decompressed file.

    ``repaired``: these bytes were no UTF-8, and the offending ones were replaced.
    """

    file: str
    line: int
    offset: int
    length: int
    repaired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSubmission:
    """A post under its author's real name. ``version`` orders copies of one id: (retrieved, edited)."""

    id: str
    author: str
    created_utc: int
    score: int | None
    title: str
    selftext: str
    distinguished: str
    version: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawComment:
    """A comment under its author's real name; ids keep their kind.

    ``given`` names the label that the source itself gives ("given", "score"; "" for none), ``rivals``
    the comments it sets against this one.
    """

    id: str
    thread_id: str
    parent_id: str
    author: str
    created_utc: int
    score: int | None
    body: str
    distinguished: str
    version: tuple[int, int]
    given: str
    rivals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLog:
    """A post of r/DeltaLog, where DeltaBot lists the awards of a thread."""

    post: RawSubmission


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """A record that is none of ours, counted by ``reason``."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """A record that cannot become a row, for ``reason``."""

    reason: str


Raw = RawSubmission | RawComment
Outcome = Raw | RawLog | Skip | Refuse


class Refused(ValueError):
    """The record cannot become a row; the argument is the reason's name."""


class Skipped(ValueError):
    """The record is none of ours; the argument is the reason's name."""


def outcome(line: str, subreddit: str) -> Outcome:
    """Turn one line into a raw record, or say why not."""
    try:
        return parse(loaded(line), subreddit)
    except Refused as refused:
        return Refuse(reason=str(refused))
    except Skipped as skipped:
        return Skip(reason=str(skipped))


def loaded(line: str) -> dict[str, Any]:
    """Read a line as a JSON object. Raises Refused."""
    try:
        record = _DECODER.decode(line)
    except (ValueError, RecursionError):
        raise Refused("not_json") from None
    if not isinstance(record, dict):
        raise Refused("not_object")
    return record


def parse(record: Mapping[str, Any], subreddit: str) -> Raw | RawLog:
    """Turn a record of Reddit's own form into a raw one. Raises Refused or Skipped with the reason's name."""
    home = record.get("subreddit")
    folded = home.casefold() if isinstance(home, str) else ""
    # the only records that name no subreddit in monthly files are advertisements (RS_ until 2018, some 10,000 a month)
    elsewhere = folded not in ("", subreddit.casefold()) or (not folded and record.get("promoted") is not None)
    if elsewhere and folded != DELTALOG:
        raise Skipped("other_subreddit")
    record = _as_shown(record)
    if "body" in record and ("link_id" in record or "parent_id" in record):
        if elsewhere:
            raise Skipped("other_subreddit")
        return _comment(record)
    if "title" in record or "selftext" in record:
        return RawLog(post=_submission(record)) if elsewhere else _submission(record)
    raise Refused("stub" if "children" in record else "missing_field")


def _as_shown(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record as Reddit shows it now: Arctic Shift keeps what was taken away after its first visit, and says so."""
    meta = record.get("_meta")
    if not isinstance(meta, dict) or meta.get("was_deleted_later") is not True:
        return record
    by_author = meta.get("removal_type") in (None, "deleted")
    text = DELETED if by_author else "[removed]"
    shown: dict[str, Any] = {name: text for name in ("body", "selftext") if isinstance(record.get(name), str)}
    # a bot's own name tells that it spoke, and nobody's wish
    if by_author and str(record.get("author")).casefold() != "deltabot":
        shown["author"] = DELETED
    return {**record, **shown}


def is_deleted(author: str) -> bool:
    """Whether an author's name says only that the account is gone."""
    return author == DELETED


def same_author(author: str, other: str) -> bool:
    """Whether two names are one account; deleted and unknown ("") accounts are nobody's."""
    return author == other and author not in ("", DELETED)


def _submission(record: Mapping[str, Any]) -> RawSubmission:
    return RawSubmission(
        id=_id(record, "t3"),
        author=_author(record),
        created_utc=_time(record),
        score=_score(record),
        title=_text(record, "title"),
        selftext=_text(record, "selftext") if record.get("selftext") is not None else "",
        distinguished=_distinguished(record),
        version=_version(record),
    )


def _comment(record: Mapping[str, Any]) -> RawComment:
    parent = _kinded(_text(record, "parent_id"), None)
    thread = parent if record.get("link_id") is None else _kinded(_text(record, "link_id"), "t3")
    if not thread.startswith("t3_"):
        raise Refused("missing_field" if record.get("link_id") is None else "wrong_type")
    return RawComment(
        id=_id(record, "t1"),
        thread_id=thread,
        parent_id=parent,
        author=_author(record),
        created_utc=_time(record),
        score=_score(record),
        body=_text(record, "body"),
        distinguished=_distinguished(record),
        version=_version(record),
        given="",
        rivals=(),
    )


def _text(record: Mapping[str, Any], name: str) -> str:
    """A required text, with lone surrogates replaced."""
    value = record.get(name)
    if value is None:
        raise Refused("missing_field")
    if not isinstance(value, str):
        raise Refused("wrong_type")
    return _SURROGATE.sub("\ufffd", value)


def _id(record: Mapping[str, Any], kind: str) -> str:
    """The id with its kind; ``name`` is absent for years of comments, so ``id`` comes first."""
    return _kinded(_text(record, "id" if record.get("id") is not None else "name"), kind)


def _kinded(value: str, kind: str | None) -> str:
    """Return ``value`` as ``t1_…`` or ``t3_…``; only an expected ``kind`` may be filled in."""
    full = value if kind is None or value.startswith(f"{kind}_") else f"{kind}_{value}"
    match = _ID.fullmatch(full)
    if match is None or match[2][:3] in ("t1_", "t3_"):
        raise Refused("wrong_type")
    return full


def _author(record: Mapping[str, Any]) -> str:
    author = record.get("author")
    nameless = author is None or (isinstance(author, str) and author in NAMELESS)
    return DELETED if nameless else _text(record, "author")


def _time(record: Mapping[str, Any]) -> int:
    """Unix seconds from an int, a float, a text of either, or milliseconds."""
    value = record.get("created_utc")
    if value is None:
        raise Refused("missing_field")
    seconds = _number(value)
    if seconds is None:
        raise Refused("wrong_type")
    if seconds >= FIRST_SECOND * 1000:
        seconds //= 1000
    if not FIRST_SECOND <= seconds < LAST_SECOND:
        raise Refused("out_of_range")
    return seconds


def _score(record: Mapping[str, Any]) -> int | None:
    value = _number(record.get("score"))
    return value if value is not None and abs(value) < SCORE_LIMIT else None


def _distinguished(record: Mapping[str, Any]) -> str:
    value = record.get("distinguished")
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def _version(record: Mapping[str, Any]) -> tuple[int, int]:
    retrieved = _number(record.get("retrieved_on")) or _number(record.get("retrieved_utc")) or 0
    edited = _number(record.get("edited")) or 0
    return retrieved if abs(retrieved) < NUMBER_LIMIT else 0, edited if abs(edited) < NUMBER_LIMIT else 0


def _number(value: Any) -> int | None:
    """A whole number from an int, a finite float or a text of either; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = float(value) if len(value) <= 32 else None
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) else None
