"""Blocks of dump lines to columns, at the speed of msgspec: the fast lane for lines of the usual shape.

It accepts a line only where ``reddit.outcome`` would read the same record from it; every other
line is handed back as odd, to be read there. So speed changes nothing, and every oddity is named
in one place. Knows nothing of deltas, threads or pseudonyms.
"""

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple
from numpy.typing import NDArray

from persuasion.keys import Keys, numbers
from persuasion.rawfields import FIRST_SECOND, LAST_SECOND, NAMELESS, NUMBER_LIMIT, SCORE_LIMIT
from persuasion.reddit import DELTALOG

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]


_Natural = Annotated[int, msgspec.Meta(ge=0, lt=NUMBER_LIMIT)]
_Second = Annotated[int, msgspec.Meta(ge=FIRST_SECOND, lt=LAST_SECOND)]
_SecondFloat = Annotated[float, msgspec.Meta(ge=FIRST_SECOND, lt=LAST_SECOND)]
_Score = Annotated[int, msgspec.Meta(gt=-SCORE_LIMIT, lt=SCORE_LIMIT)]
_Edit = Annotated[float, msgspec.Meta(ge=0, lt=NUMBER_LIMIT)]


class Meta(msgspec.Struct, gc=False):
    """What Arctic Shift says of a record, as far as it matters here."""

    was_deleted_later: bool | None = None


class _Fields(msgspec.Struct, gc=False, kw_only=True):
    """What is read of a line, in the types and ranges that it usually has; any other makes the line odd."""

    id: str = ""
    author: str = ""
    created_utc: _Second | _SecondFloat | str = ""
    score: _Score | None = None
    subreddit: str = ""
    distinguished: str | None = None
    edited: bool | _Edit | None = None
    retrieved_on: _Natural | None = None
    retrieved_utc: _Natural | None = None
    meta: Meta | None = msgspec.field(name="_meta", default=None)


class _Comment(_Fields, gc=False, kw_only=True):
    body: str
    link_id: str
    parent_id: str


class _Submission(_Fields, gc=False, kw_only=True):
    """Absent and null are told apart, as the careful reader does: a record with a body is no submission."""

    title: str
    selftext: str | None = None
    body: UnsetType = UNSET
    link_id: UnsetType = UNSET
    parent_id: UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Records of one kind, by column: what the lines say, and numbers made of it.

    ``said`` has the columns as read, the ids among them as Arrow arrays. The numbers: line in the block
    (from 0), keys, Unix seconds, version. ``thread`` and ``parent`` are for comments, and zeros else.
    """

    said: Mapping[str, Any]
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


@dataclass(slots=True)
class _Found:
    """Lines read as one kind of record: their numbers, and the records as tuples in the order of its fields."""

    kind: type[_Fields]
    ids: Mapping[str, Sequence[str]]
    decoder: Any
    line: list[int] = field(default_factory=list)
    records: list[tuple[Any, ...]] = field(default_factory=list)


_NOT_USUAL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_IDS = {"id": ("",), "link_id": ("t3_",), "parent_id": ("t1_", "t3_")}  # with their kinds
_KINDS: Sequence[tuple[type[_Fields], Mapping[str, Sequence[str]]]] = ((_Comment, _IDS), (_Submission, {"id": ("",)}))
_DECODERS = [(kind, ids, msgspec.json.Decoder(kind)) for kind, ids in _KINDS]
TOGETHER = 256  # lines decoded at once; where one of them is odd, they are decoded one by one


def edges(data: bytes) -> tuple[Whole, Whole]:
    """Where the lines of a block start and end, their ends not counted."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    return np.append(0, ends[:-1] + 1), ends


def sort_lines(data: bytes, starts: Whole, ends: Whole, subreddit: str) -> Lines:
    """Sort the lines of a block into usual records and odd lines, and count those of other subreddits."""
    found = [_Found(*kind) for kind in _DECODERS]
    odd = _decoded(data, starts, ends, found)
    (comments, odd_comments, others), (submissions, odd_posts, other_posts) = (_lane(one, subreddit) for one in found)
    odd = sorted([*odd, *odd_comments, *odd_posts])
    return Lines(comments=comments, submissions=submissions, odd=odd, elsewhere=others + other_posts)


def _decoded(data: bytes, starts: Whole, ends: Whole, found: Sequence[_Found]) -> list[int]:
    """Add the record of every line to those of its kind; return the lines that have none of the usual shape."""
    content = np.frombuffer(data, np.uint8)
    objects = (content[starts] == ord("{")) & (content[ends - 1] == ord("}")) & (ends > starts)
    view, odd = memoryview(data), []
    for first in range(0, len(starts), TOGETHER):
        chunk = slice(first, first + TOGETHER)
        # JSON in which every line begins and ends as an object, and that holds as many objects as
        # lines, has one on each: inside an object no "}", line end, "{" can follow one another
        if objects[chunk].all() and _taken(found, first, view[starts[first] : ends[chunk][-1]], len(starts[chunk])):
            continue
        for number, (start, end) in enumerate(zip(starts[chunk].tolist(), ends[chunk].tolist(), strict=True), first):
            if not _taken(found, number, view[start:end], 1):  # as deep in calls, so nesting is judged the same
                odd.append(number)
    return odd


def _taken(found: Sequence[_Found], number: int, lines: memoryview, count: int) -> bool:
    """Add the records of ``count`` lines to those of their kind, if they all are of one and of the usual shape."""
    for one in found:
        with suppress(*_NOT_USUAL):
            records = one.decoder.decode_lines(lines)
            if len(records) == count:
                one.line += range(number, number + count)
                one.records += map(astuple, records)
                return True
    return False


def _lane(found: _Found, subreddit: str) -> tuple[Lane, list[int], int]:
    """Return the usual ones among records, the lines of odd ones, and how many are of other subreddits."""
    said, line = _columns(found), np.array(found.line, np.int64)
    keyed = {name: numbers(said[name], kinds) for name, kinds in found.ids.items()}
    key, thread, parent = (keyed[name][0] if name in keyed else np.zeros(len(line), np.uint64) for name in _IDS)
    usual = np.all([known for _, known in keyed.values()], axis=0)
    created = _seconds(said["created_utc"])
    retrieved = [on or utc or 0 for on, utc in zip(said["retrieved_on"], said["retrieved_utc"], strict=True)]
    here, others = _homes(said["subreddit"], subreddit)
    usual &= here & (created >= 0) & ~_any(said["author"], NAMELESS) & ~_gone(said["meta"])
    whole = bool(usual.all())
    lane = Lane(
        said=said if whole else {name: _only(column, usual) for name, column in said.items()},
        line=line[usual],
        key=key[usual],
        thread=thread[usual],
        parent=parent[usual],
        created=created[usual],
        retrieved=np.array(retrieved, np.int64)[usual],
        edited=np.array([edited or 0 for edited in said["edited"]], np.float64).astype(np.int64)[usual],
    )
    return lane, line[~usual & ~others].tolist(), int(others.sum())


def _columns(found: _Found) -> dict[str, Any]:
    """The records' fields by name, ids as Arrow arrays."""
    names = found.kind.__struct_fields__
    columns = zip(*found.records, strict=True) if found.records else repeat((), len(names))
    said: dict[str, Any] = dict(zip(names, columns, strict=True))
    return said | {name: pa.array(said[name], pa.string()) for name in found.ids}


def _homes(homes: Sequence[str], subreddit: str) -> tuple[Mask, Mask]:
    """Which records are of this subreddit, and which are surely of another."""
    others = {home for home in set(homes) if home.casefold() not in ("", subreddit.casefold(), DELTALOG)}
    return _any(homes, {subreddit}), _any(homes, others)


def _any(values: Sequence[str], wanted: Set[str]) -> Mask:
    """Which values are among the wanted: of a block's distinct ones most often none or all."""
    distinct = set(values)
    if not distinct & wanted or distinct <= wanted:
        return np.full(len(values), bool(distinct & wanted))
    return np.fromiter((value in wanted for value in values), bool, len(values))


def _gone(metas: Sequence[Meta | None]) -> Mask:
    return np.fromiter((meta is not None and bool(meta.was_deleted_later) for meta in metas), bool, len(metas))


def _only(column: Any, rows: Mask) -> Any:
    return column.filter(pa.array(rows)) if isinstance(column, pa.Array) else list(compress(column, rows.tolist()))


def _seconds(values: Sequence[int | float | str]) -> Whole:
    """Times from numbers or texts of digits; -1 for what only the careful reader should judge."""
    if set(map(type, values)) <= {int, float}:  # told in C, for all but the oldest months
        return np.array(values, np.float64).astype(np.int64)  # exact: times are far below 2**53
    return np.array([_second(value) for value in values], np.int64)


def _second(value: int | float | str) -> int:
    if isinstance(value, str):
        seconds = int(value) if len(value) <= 15 and value.isascii() and value.isdigit() else -1
        return seconds if FIRST_SECOND <= seconds < LAST_SECOND else -1
    return int(value)
