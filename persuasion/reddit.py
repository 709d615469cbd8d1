"""A line of a Reddit dump to a raw record, or to a named reason why not.

The dumps' types drift by month (times as text or floats, null scores, absent names); here they
become one shape or a named refusal. Knows nothing of deltas, threads or pseudonyms.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from persuasion import rawfields
from persuasion.rawfields import DELETED, Refused

DELTALOG = "deltalog"
NO_BODY = frozenset({"[deleted]", "[removed]"})
_DECODER = json.JSONDecoder(strict=False)  # a NUL or tab that a crawl did not escape is text like any other


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
        id=rawfields.full_id(record, "t3"),
        author=rawfields.author(record),
        created_utc=rawfields.created(record),
        score=rawfields.score(record),
        title=rawfields.text(record, "title"),
        selftext=rawfields.text(record, "selftext") if record.get("selftext") is not None else "",
        distinguished=rawfields.distinguished(record),
        version=rawfields.version(record),
    )


def _comment(record: Mapping[str, Any]) -> RawComment:
    parent = rawfields.kinded(rawfields.text(record, "parent_id"), None)
    thread = parent if record.get("link_id") is None else rawfields.kinded(rawfields.text(record, "link_id"), "t3")
    if not thread.startswith("t3_"):
        raise Refused("missing_field" if record.get("link_id") is None else "wrong_type")
    return RawComment(
        id=rawfields.full_id(record, "t1"),
        thread_id=thread,
        parent_id=parent,
        author=rawfields.author(record),
        created_utc=rawfields.created(record),
        score=rawfields.score(record),
        body=rawfields.text(record, "body"),
        distinguished=rawfields.distinguished(record),
        version=rawfields.version(record),
        given="",
        rivals=(),
    )
