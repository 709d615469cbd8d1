"""Lines to a part: two Arrow tables with all that a record alone decides, and the account of the lines.

Rows keep their place, so that a later refusal can name it. Knows nothing of other records:
``joining`` brings them together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from persuasion.columns import (
    COMMENTS,
    SUBMISSIONS,
    TEXTS,
    Columns,
    odd_comments,
    odd_submissions,
    usual_comments,
    usual_submissions,
)
from persuasion.deltalog import Log, read_log
from persuasion.dumps import Block
from persuasion.fastlane import Whole, edges, sort_lines
from persuasion.hiding import masked_column
from persuasion.records import Refusal
from persuasion.reddit import Outcome, Place, RawComment, RawLog, RawSubmission, Refuse, Skip, outcome
from persuasion.refusals import COLUMNS, tabled


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
    """Read a block of dump lines.

    How deep JSON may nest depends on the calls that are open, so a block is read in a thread of its
    own, where there are none: a line is then refused or not whoever reads it.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_read_block, block, name, reader).result()


def _read_block(block: Block, name: str, reader: Reader) -> Part:
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
    usual = (
        usual_submissions(found.submissions, places.columns(found.submissions.line)),
        usual_comments(found.comments, places.columns(found.comments.line)),
    )
    part = _part(outcomes, reader, [usual[0]], [usual[1]])
    part.account.lines, part.account.length, part.account.repaired = len(starts), block.length, repaired
    if found.elsewhere:
        part.account.skipped["other_subreddit"] += found.elsewhere
    return part


def read_outcomes(outcomes: Sequence[tuple[Place, Outcome]], reader: Reader) -> Part:
    """Take what a form's own reader made of its records; each counts as one line."""
    part = _part(outcomes, reader, [], [])
    part.account.lines = len(outcomes)
    part.account.repaired = sum(place.repaired for place, _ in outcomes)
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
    odd_posts, odd_talk = odd_submissions(kinds[RawSubmission]), odd_comments(kinds[RawComment])
    return Part(
        submissions=_table([*submissions, odd_posts], SUBMISSIONS, reader),
        comments=_table([*comments, odd_talk], COMMENTS, reader),
        account=account,
    )


def _refusal(place: Place, reason: str) -> Refusal:
    return Refusal(file=place.file, line=place.line, offset=place.offset, length=place.length, reason=reason)


def _table(lots: Sequence[Columns], schema: pa.Schema, reader: Reader) -> pa.Table:
    """Rows in the order of lines (odd lines last), with masked texts."""
    tables = [
        pa.Table.from_arrays([_column(lot[field.name], field.type) for field in schema], schema=schema) for lot in lots
    ]
    # most blocks hold no odd line, and then nothing needs to be copied
    table = pa.concat_tables([one for one in tables if one.num_rows] or tables[:1]).combine_chunks()
    if reader.mask:
        for name in TEXTS & set(schema.names):
            texts = masked_column(table[name].combine_chunks())
            table = table.set_column(schema.get_field_index(name), name, texts)
    return table


def _column(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)
