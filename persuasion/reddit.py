"""A line of a Reddit dump to a raw record, or to a named reason why not.

The dumps' types drift by month (times as text or floats, null scores, absent names); here they
become one shape or a named refusal. Knows nothing of deltas, threads or pseudonyms.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

DELETED = "[deleted]"
NO_BODY = frozenset({"[deleted]", "[removed]"})
FIRST_SECOND, LAST_SECOND = 1_119_484_800, 4_102_444_800  # Reddit's founding (June 2005) to 2100
SCORE_LIMIT = 2**31
_ID = re.compile(r"(t[13])_([A-Za-z0-9_]{1,20})")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record came from: file name and line, from 1."""

    file: str
    line: int


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
    place: Place = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawComment:
    """A comment under its author's real name; ids keep their kind."""

    id: str
    thread_id: str
    parent_id: str
    author: str
    created_utc: int
    score: int | None
    body: str
    distinguished: str
    version: tuple[int, int]
    place: Place = field(repr=False, compare=False)


Raw = RawSubmission | RawComment


class Refused(ValueError):
    """The line cannot become a record; the argument is the reason's name."""


class Skipped(ValueError):
    """The line is none of ours; the argument is the reason's name."""


def parse(line: str, subreddit: str, place: Place) -> Raw:
    """Turn one line into a raw record. Raises Refused or Skipped with the reason's name."""
    record = _loaded(line)
    home = record.get("subreddit")
    if isinstance(home, str) and home.casefold() != subreddit.casefold():
        raise Skipped("other_subreddit")
    if "body" in record and ("link_id" in record or "parent_id" in record):
        return _comment(record, place)
    if "title" in record or "selftext" in record:
        return _submission(record, place)
    raise Refused("stub" if "children" in record else "missing_field")


def is_deleted(author: str) -> bool:
    """Whether an author's name says only that the account is gone: two such authors are never the same one."""
    return author == DELETED


def _loaded(line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise Refused("not_json") from None
    if not isinstance(record, dict):
        raise Refused("not_object")
    return record


def _submission(record: dict[str, Any], place: Place) -> RawSubmission:
    return RawSubmission(
        id=_id(record, "t3"),
        author=_author(record),
        created_utc=_time(record),
        score=_score(record),
        title=_text(record, "title"),
        selftext=_text(record, "selftext") if record.get("selftext") is not None else "",
        distinguished=_distinguished(record),
        version=_version(record),
        place=place,
    )


def _comment(record: dict[str, Any], place: Place) -> RawComment:
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
        place=place,
    )


def _text(record: dict[str, Any], name: str) -> str:
    """A required text, with lone surrogates replaced."""
    value = record.get(name)
    if value is None:
        raise Refused("missing_field")
    if not isinstance(value, str):
        raise Refused("wrong_type")
    return _SURROGATE.sub("\ufffd", value)


def _id(record: dict[str, Any], kind: str) -> str:
    """The id with its kind; ``name`` is absent for years of comments, so ``id`` comes first."""
    return _kinded(_text(record, "id" if record.get("id") is not None else "name"), kind)


def _kinded(value: str, kind: str | None) -> str:
    """Return ``value`` as ``t1_…`` or ``t3_…``; only an expected ``kind`` may be filled in."""
    full = value if kind is None or value.startswith(f"{kind}_") else f"{kind}_{value}"
    match = _ID.fullmatch(full)
    if match is None or match[2][:3] in ("t1_", "t3_"):
        raise Refused("wrong_type")
    return full


def _author(record: dict[str, Any]) -> str:
    if record.get("author") in (None, "", "[missing]", "[removed]"):
        return DELETED
    return _text(record, "author")


def _time(record: dict[str, Any]) -> int:
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


def _score(record: dict[str, Any]) -> int | None:
    value = _number(record.get("score"))
    return value if value is not None and abs(value) < SCORE_LIMIT else None


def _distinguished(record: dict[str, Any]) -> str:
    value = record.get("distinguished")
    return value if isinstance(value, str) else ""


def _version(record: dict[str, Any]) -> tuple[int, int]:
    retrieved = _number(record.get("retrieved_on")) or _number(record.get("retrieved_utc")) or 0
    return retrieved, _number(record.get("edited")) or 0


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
