"""Raw records to a part: two Arrow tables, with all that a record alone decides.

That is its keys, its role, its masked text, and, where it may matter for deltas, what was said in
full (``said``; it never leaves the stage). Rows keep their place, so that a later refusal can name
it. Knows nothing of other records: ``joining`` brings them together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from persuasion.deltalog import Log, is_deltabot, read_log
from persuasion.deltas import TOKEN_SIGNS, may_bear_token
from persuasion.dumps import Block
from persuasion.fastlane import Lane, Whole, edges, sort_lines
from persuasion.keys import keys
from persuasion.masking import masked_column
from persuasion.records import Refusal
from persuasion.reddit import Outcome, Place, RawComment, RawLog, RawSubmission, Refuse, Skip, outcome
from persuasion.refusals import COLUMNS, tabled
from persuasion.roles import comment_role, comment_roles, submission_role
from persuasion.signs import holding

_SHARED = [
    ("thread", pa.uint64()), ("key", pa.uint64()), ("id", pa.string()), ("author", pa.string()),
    ("role", pa.string()), ("created_utc", pa.int64()), ("score", pa.int64()),
    ("retrieved", pa.int64()), ("edited", pa.int64()),
    ("line", pa.int64()), ("offset", pa.int64()), ("length", pa.int64()),
]  # fmt: skip
SUBMISSIONS = pa.schema([*_SHARED, ("title", pa.string()), ("selftext", pa.string())])
COMMENTS = pa.schema([
    *_SHARED, ("parent", pa.uint64()), ("thread_id", pa.string()), ("parent_id", pa.string()), ("body", pa.string()),
    ("said", pa.string()), ("given", pa.string()), ("rivals", pa.list_(pa.string())),
])  # fmt: skip
Columns = dict[str, Any]
_TEXTS = {"title", "selftext", "body"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How records are read: whose subreddit, and whether identities in texts are masked."""

    subreddit: str
    mask: bool


@dataclass(slots=True, kw_only=True)
class Account:
    """What became of a block's lines (``length`` bytes of them) that are no rows. Places count within the unit."""

    lines: int = 0
    length: int = 0
    repaired: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    refusals: pa.Table = field(default_factory=COLUMNS.empty_table)
    logs: list[Log] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The rows of a block, and the account of all its lines."""

    submissions: pa.Table
    comments: pa.Table
    account: Account


def read_block(block: Block, name: str, reader: Reader) -> Part:
    """Read a block of dump lines."""
    place = Place(file=name, line=block.line, offset=block.offset, length=block.length)
    if block.data is None:
        part = read_outcomes([(place, Refuse(reason="line_too_long"))], reader)
        part.account.length = block.length
        return part
    starts, ends = edges(block.data)
    places = _Places(name, block, starts, ends)
    found = sort_lines(block.data, starts, ends, reader.subreddit)
    odd = {number: block.data[starts[number] : ends[number]] for number in found.odd}
    outcomes, repaired = _careful(odd, places, reader)
    usual = _submissions(found.submissions, places), _comments(found.comments, places)
    part = _part(outcomes, reader, [usual[0]], [usual[1]])
    part.account.lines, part.account.length, part.account.repaired = len(starts), block.length, repaired
    if found.elsewhere:
        part.account.skipped["other_subreddit"] += found.elsewhere
    return part


def read_outcomes(outcomes: Sequence[tuple[Place, Outcome]], reader: Reader) -> Part:
    """Take what a form's own reader made of its records; each counts as one line."""
    part = _part(outcomes, reader, [], [])
    part.account.lines = len(outcomes)
    return part


class _Places:
    """The places of a block's lines, by number from 0."""

    def __init__(self, name: str, block: Block, starts: Whole, ends: Whole) -> None:
        self.name, self.line = name, block.line
        self.offset, self.length = block.offset + starts, ends - starts

    def __getitem__(self, number: int) -> Place:
        offset, length = int(self.offset[number]), int(self.length[number])
        return Place(file=self.name, line=self.line + number, offset=offset, length=length)

    def columns(self, numbers: Any) -> Columns:
        return {"line": numbers + self.line, "offset": self.offset[numbers], "length": self.length[numbers]}


def _careful(odd: Mapping[int, bytes], places: _Places, reader: Reader) -> tuple[list[tuple[Place, Outcome]], int]:
    """Read odd lines one by one; bytes that are not UTF-8 are replaced and their lines counted."""
    outcomes, repaired = [], 0
    for number, line in odd.items():
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode(errors="replace")
            repaired += 1
        text = text.removeprefix("\ufeff").strip()
        outcomes.append((places[number], outcome(text, reader.subreddit) if text else Skip(reason="blank")))
    return outcomes, repaired


def _part(
    outcomes: Sequence[tuple[Place, Outcome]], reader: Reader, submissions: list[Columns], comments: list[Columns]
) -> Part:
    """Bring the usual records' columns and the outcomes of the others together."""
    kinds: dict[type, list[tuple[Place, Any]]] = {
        kind: [] for kind in (RawSubmission, RawComment, RawLog, Refuse, Skip)
    }
    for place, what in outcomes:
        kinds[type(what)].append((place, what))
    account = Account(
        skipped=Counter([*(skip.reason for _, skip in kinds[Skip]), *("deltalog" for _ in kinds[RawLog])]),
        refusals=tabled([_refusal(place, refuse.reason) for place, refuse in kinds[Refuse]]),
        logs=[read_log(log.post) for _, log in kinds[RawLog]],
    )
    odd_posts, odd_comments = _raw_submissions(kinds[RawSubmission]), _raw_comments(kinds[RawComment])
    return Part(
        submissions=_table([*submissions, odd_posts], SUBMISSIONS, reader),
        comments=_table([*comments, odd_comments], COMMENTS, reader),
        account=account,
    )


def _refusal(place: Place, reason: str) -> Refusal:
    return Refusal(file=place.file, line=place.line, offset=place.offset, length=place.length, reason=reason)


def _table(lots: Sequence[Columns], schema: pa.Schema, reader: Reader) -> pa.Table:
    """Rows in the order of lines (odd lines last), with masked texts."""
    table = pa.concat_tables(
        pa.Table.from_arrays([_column(lot[field.name], field.type) for field in schema], schema=schema) for lot in lots
    ).combine_chunks()
    if reader.mask:
        for name in _TEXTS & set(schema.names):
            texts = masked_column(table[name].combine_chunks())
            table = table.set_column(schema.get_field_index(name), name, texts)
    return table


def _column(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _submissions(lane: Lane, places: _Places) -> Columns:
    records = lane.records
    roles = [submission_role(one.author, str(one.title), one.selftext or "", one.distinguished) for one in records]
    return _numbers(lane, places) | {
        "thread": lane.key,
        "id": pc.binary_join_element_wise("t3_", pa.array([one.id for one in records], pa.string()), ""),
        "author": [one.author for one in records],
        "role": roles,
        "score": [one.score for one in records],
        "title": [one.title for one in records],
        "selftext": [one.selftext or "" for one in records],
    }


def _comments(lane: Lane, places: _Places) -> Columns:
    records = lane.records
    bodies = [str(one.body) for one in records]
    texts = pa.array(bodies, pa.string())
    authors = [one.author for one in records]
    return _numbers(lane, places) | {
        "thread": lane.thread,
        "parent": lane.parent,
        "id": pc.binary_join_element_wise("t1_", pa.array([one.id for one in records], pa.string()), ""),
        "thread_id": [one.link_id for one in records],
        "parent_id": [one.parent_id for one in records],
        "author": authors,
        "role": comment_roles(authors, bodies, [one.distinguished for one in records], texts),
        "score": [one.score for one in records],
        "body": texts,
        "said": _said(authors, bodies, texts),
        "given": pa.repeat("", len(records)),
        "rivals": pa.nulls(len(records), pa.list_(pa.string())),
    }


def _numbers(lane: Lane, places: _Places) -> Columns:
    return {
        "key": lane.key,
        "created_utc": lane.created,
        "retrieved": lane.retrieved,
        "edited": lane.edited,
    } | places.columns(lane.line)


def _said(authors: Sequence[str], bodies: Sequence[str], texts: pa.StringArray) -> list[str | None]:
    """The full texts of comments that may award a delta or speak of one; None for all others."""
    bots = {author for author in set(authors) if is_deltabot(author)}
    said: list[str | None] = [body if author in bots else None for author, body in zip(authors, bodies, strict=True)]
    for sign in TOKEN_SIGNS:
        for row in holding(texts, sign, unless=b"&gt;").tolist():
            if may_bear_token(bodies[row]):
                said[row] = bodies[row]
    return said


def _raw_submissions(found: Sequence[tuple[Place, RawSubmission]]) -> Columns:
    posts = [post for _, post in found]
    own = keys([post.id[3:] for post in posts])
    return _raw(found) | {
        "thread": own,
        "key": own,
        "role": [submission_role(post.author, post.title, post.selftext, post.distinguished) for post in posts],
        "title": [post.title for post in posts],
        "selftext": [post.selftext for post in posts],
    }


def _raw_comments(found: Sequence[tuple[Place, RawComment]]) -> Columns:
    comments = [comment for _, comment in found]
    bodies = [comment.body for comment in comments]
    return _raw(found) | {
        "thread": keys([comment.thread_id[3:] for comment in comments]),
        "key": keys([comment.id[3:] for comment in comments]),
        "parent": keys([comment.parent_id[3:] for comment in comments]),
        "thread_id": [comment.thread_id for comment in comments],
        "parent_id": [comment.parent_id for comment in comments],
        "role": [comment_role(comment.author, comment.body, comment.distinguished) for comment in comments],
        "body": bodies,
        "said": _said([one.author for one in comments], bodies, pa.array(bodies, pa.string())),
        "given": [comment.given for comment in comments],
        "rivals": [list(comment.rivals) for comment in comments],
    }


def _raw(found: Sequence[tuple[Place, Any]]) -> Columns:
    return {
        "id": [record.id for _, record in found],
        "author": [record.author for _, record in found],
        "created_utc": [record.created_utc for _, record in found],
        "score": [record.score for _, record in found],
        "retrieved": [record.version[0] for _, record in found],
        "edited": [record.version[1] for _, record in found],
        "line": [place.line for place, _ in found],
        "offset": [place.offset for place, _ in found],
        "length": [place.length for place, _ in found],
    }
