"""Blocks of dump lines to columns, at the speed of msgspec: the fast lane for lines of the usual shape.

It accepts a line only where ``reddit.outcome`` would read the same record from it; every other
line is handed back as odd, to be read there. So speed changes nothing, and every oddity is named
in one place. Knows nothing of deltas, threads or pseudonyms.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from persuasion.keys import Keys, numbers
from persuasion.reddit import DELTALOG, FIRST_SECOND, LAST_SECOND, NAMELESS, NUMBER_LIMIT, SCORE_LIMIT

Whole = NDArray[np.int64]


_Natural = Annotated[int, msgspec.Meta(ge=0, lt=NUMBER_LIMIT)]
_Second = Annotated[int, msgspec.Meta(ge=FIRST_SECOND, lt=LAST_SECOND)]
_SecondFloat = Annotated[float, msgspec.Meta(ge=FIRST_SECOND, lt=LAST_SECOND)]
_Score = Annotated[int, msgspec.Meta(gt=-SCORE_LIMIT, lt=SCORE_LIMIT)]
_Edit = Annotated[float, msgspec.Meta(ge=0, lt=NUMBER_LIMIT)]


class Meta(msgspec.Struct, gc=False):
    """What Arctic Shift says of a record, as far as it matters here."""

    was_deleted_later: bool | None = None


class Fields(msgspec.Struct, gc=False):
    """What is read of a line, in the types and ranges that it usually has; any other makes the line odd."""

    id: str = ""
    author: str = ""
    created_utc: _Second | _SecondFloat | str = ""
    score: _Score | None = None
    subreddit: str = ""
    body: str | UnsetType = UNSET  # absent and null are told apart, as the careful reader does
    link_id: str | UnsetType = UNSET
    parent_id: str | UnsetType = UNSET
    title: str | UnsetType = UNSET
    selftext: str | None = None
    distinguished: str | None = None
    edited: bool | _Edit | None = None
    retrieved_on: _Natural | None = None
    retrieved_utc: _Natural | None = None
    meta: Meta | None = msgspec.field(name="_meta", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Records of one kind and their numbers: line in the block (from 0), keys, Unix seconds, version.

    ``thread`` and ``parent`` are for comments; a submission has zeros there.
    """

    records: list[Fields]
    line: Whole
    key: Keys
    thread: Keys
    parent: Keys
    created: Whole
    retrieved: Whole
    edited: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A block's lines: usual comments, usual submissions, odd lines (by number), skips of other subreddits."""

    comments: Lane
    submissions: Lane
    odd: list[int]
    elsewhere: int


_NOT_USUAL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_DECODER = msgspec.json.Decoder(Fields)
TOGETHER = 256  # lines decoded at once; where one of them is odd, they are decoded one by one


def edges(data: bytes) -> tuple[Whole, Whole]:
    """Where the lines of a block start and end, their ends not counted."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    return np.append(0, ends[:-1] + 1), ends


def sort_lines(data: bytes, starts: Whole, ends: Whole, subreddit: str) -> Lines:
    """Sort the lines of a block into usual records and odd lines, and count those of other subreddits."""
    comments: tuple[list[int], list[Fields]] = ([], [])
    submissions: tuple[list[int], list[Fields]] = ([], [])
    odd: list[int] = []
    elsewhere = 0
    for number, record in enumerate(_decoded(data, starts, ends)):
        if record is None:
            odd.append(number)
        elif record.subreddit != subreddit:
            if record.subreddit.casefold() in ("", subreddit.casefold(), DELTALOG):
                odd.append(number)
            else:
                elsewhere += 1
        elif record.meta is not None and record.meta.was_deleted_later:
            odd.append(number)
        elif UNSET not in (record.body, record.link_id, record.parent_id):
            comments[0].append(number)
            comments[1].append(record)
        elif record.title is not UNSET and record.body is record.link_id is record.parent_id is UNSET:
            submissions[0].append(number)
            submissions[1].append(record)
        else:
            odd.append(number)
    (comment_lane, odd_comments), (post_lane, odd_posts) = _comments(*comments), _submissions(*submissions)
    odd = sorted([*odd, *odd_comments, *odd_posts])
    return Lines(comments=comment_lane, submissions=post_lane, odd=odd, elsewhere=elsewhere)


def _decoded(data: bytes, starts: Whole, ends: Whole) -> Iterator[Fields | None]:
    """The record of every line; None where a line has none of the usual shape."""
    content = np.frombuffer(data, np.uint8)
    objects = (content[starts] == ord("{")) & (content[ends - 1] == ord("}")) & (ends > starts)
    view = memoryview(data)
    for first in range(0, len(starts), TOGETHER):
        chunk = slice(first, first + TOGETHER)
        records = None
        # JSON in which every line begins and ends as an object, and that holds as many objects as
        # lines, has one on each: inside an object no "}", line end, "{" can follow one another
        if objects[chunk].all():
            with suppress(*_NOT_USUAL):
                records = _DECODER.decode_lines(view[starts[first] : ends[chunk][-1]])
        if records is not None and len(records) == len(starts[chunk]):
            yield from records
            continue
        for start, end in zip(starts[chunk].tolist(), ends[chunk].tolist(), strict=True):
            alone = []
            with suppress(*_NOT_USUAL):  # as deep in calls as above, so that nesting is judged the same
                alone = _DECODER.decode_lines(view[start:end])
            yield alone[0] if len(alone) == 1 else None


def _comments(line: list[int], records: list[Fields]) -> tuple[Lane, list[int]]:
    thread, usual_thread = numbers([str(record.link_id) for record in records], ("t3_",))
    parent, usual_parent = numbers([str(record.parent_id) for record in records], ("t1_", "t3_"))
    return _lane(line, records, thread, parent, usual_thread & usual_parent)


def _submissions(line: list[int], records: list[Fields]) -> tuple[Lane, list[int]]:
    none = np.zeros(len(records), np.uint64)
    return _lane(line, records, none, none, np.ones(len(records), bool))


def _lane(
    line: list[int], records: list[Fields], thread: Keys, parent: Keys, usual: NDArray[np.bool_]
) -> tuple[Lane, list[int]]:
    """Return the usual ones among records, column by column, and the lines of the others."""
    key, usual_key = numbers([record.id for record in records])
    created = _seconds([record.created_utc for record in records])
    retrieved = np.array([record.retrieved_on or record.retrieved_utc or 0 for record in records], np.int64)
    edited = np.array([record.edited or 0 for record in records], np.float64).astype(np.int64)
    usual = usual & usual_key & (created >= 0)
    nameless = [row for row, record in enumerate(records) if record.author in NAMELESS]
    usual[nameless] = False
    lines = np.array(line, np.int64)
    lane = Lane(
        records=records if usual.all() else [one for one, fits in zip(records, usual.tolist(), strict=True) if fits],
        line=lines[usual],
        key=key[usual],
        thread=thread[usual],
        parent=parent[usual],
        created=created[usual],
        retrieved=retrieved[usual],
        edited=edited[usual],
    )
    return lane, lines[~usual].tolist()


def _seconds(values: list[int | float | str]) -> Whole:
    """Times from numbers or texts of digits; -1 for what only the careful reader should judge."""
    if set(map(type, values)) <= {int, float}:  # told in C, for all but the oldest months
        return np.array(values, np.float64).astype(np.int64)  # exact: times are far below 2**53
    return np.array([_second(value) for value in values], np.int64)


def _second(value: int | float | str) -> int:
    if isinstance(value, str):
        seconds = int(value) if len(value) <= 15 and value.isascii() and value.isdigit() else -1
        return seconds if FIRST_SECOND <= seconds < LAST_SECOND else -1
    return int(value)
