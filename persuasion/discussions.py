"""Some threads as columns: who wrote, answered and awarded what; texts are cleaned when they are asked for.

Most comments are never looked at: they stand in a thread without an award, come too late or from a
bot. Columns tell which at the speed of arrays, and only the texts that may be used are cleaned.
Rows are ordered by post, time and id (as a number, as Reddit counts them), whatever the order of the tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from persuasion import markdown
from persuasion.keys import keys
from persuasion.records import BOT, DELETED, MODERATOR, PERSON

GONE = ("[deleted]", "[removed]")
FEW = 5  # texts that are sooner read one by one
SOME = 1 << 14  # texts that may be copied
POST, ABSENT = -1, -2  # parents that are no row
NOBODY = -1  # the author of a deleted or unknown account, who is nobody's equal
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as a prompt. ``refusal`` says why it can be none ("" when it can); ``prompt`` is "" then."""

    id: str
    author: str
    created_utc: int
    prompt: str
    refusal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discussions:
    """Posts, and all their comments as columns with one entry per row.

    ``post`` is a place in ``posts`` (their number for a comment of no known post), ``parent`` a row, POST or
    ABSENT; ``author`` a number per account or NOBODY, ``op_author`` that of each post. ``person``: neither a
    bot, a moderator nor a deleted account; ``op``: by the post's author; ``won``: OP gave it a delta;
    ``awarded``: anyone did; ``gone``: its text was deleted or removed.
    """

    posts: tuple[Post, ...]
    table: pa.Table
    ids: Sequence[str]
    post: Rows
    parent: Rows
    author: Rows
    op_author: Rows
    created: Rows
    person: Flags
    op: Flags
    won: Flags
    awarded: Flags
    gone: Flags
    clean: bool
    _texts: dict[int, str] = field(default_factory=dict)

    def rows_of(self, post: int) -> slice:
        """The rows of one post."""
        start, end = np.searchsorted(self.post, (post, post + 1))
        return slice(int(start), int(end))

    def texts(self, rows: Sequence[int]) -> list[str]:
        """The texts of some rows, cleaned unless texts stay as the source has them."""
        new = [row for row in dict.fromkeys(rows) if row not in self._texts]
        if len(new) < FEW:
            bodies = [self.field("body", row) for row in new]
        else:
            bodies = self.table["body"].take(pa.array(new, pa.int64())).to_pylist()
        self._texts.update(zip(new, map(markdown.clean, bodies) if self.clean else bodies, strict=True))
        return [self._texts[row] for row in rows]

    def field(self, name: str, row: int) -> Any:
        """One field of one row, as the tables have it."""
        return self.table[name].chunk(0)[row].as_py()


def discussions(submissions: pa.Table, comments: pa.Table, *, clean: bool) -> Discussions:
    """Join posts with their comments."""
    order = np.argsort(keys([id_[3:] for id_ in submissions["id"].to_pylist()]), kind="stable")
    posts = tuple(_post(row, clean=clean) for row in submissions.take(pa.array(order)).to_pylist())
    ids = pa.array([post.id for post in posts], pa.string())
    place = pc.fill_null(pc.index_in(comments["thread_id"], value_set=ids), len(posts)).cast(pa.int64())
    table = comments.append_column("post", place).combine_chunks()
    numbers = keys([id_[3:] for id_ in table["id"].to_pylist()])
    rows = np.lexsort((numbers, table["created_utc"].to_numpy(), table["post"].to_numpy()))
    if np.any(np.diff(rows) != 1):  # the tables of `extract` are in this order
        table = table.take(pa.array(rows)).combine_chunks()
    post = np.asarray(table["post"])
    authors = pa.concat_arrays([pa.array([post.author for post in posts], pa.string()), _one(table["author"])])
    codes = np.where(np.asarray(pc.equal(authors, "")), NOBODY, np.asarray(authors.dictionary_encode().indices))
    author, op_author = codes[len(posts) :], codes[: len(posts)]
    role = table["role"]
    return Discussions(
        posts=posts,
        table=table,
        ids=table["id"].to_pylist(),
        post=post,
        parent=_parents(table),
        author=author,
        op_author=op_author,
        created=np.asarray(table["created_utc"]),
        person=np.asarray(pc.equal(role, PERSON)),
        op=np.asarray(table["is_op"]) | ((author != NOBODY) & (author == np.append(op_author, NOBODY)[post])),
        won=_won(_one(table["deltas"]), table.num_rows),
        awarded=np.asarray(table["earned_delta"]),
        gone=_gone(table["body"]) | np.asarray(pc.equal(role, DELETED)),
        clean=clean,
    )


def prompt_of(title: str, text: str, *, clean: bool) -> str:
    """Title, blank line, text; one alone when the other is empty, "" when both are."""
    if clean:
        title, text = markdown.clean_title(title), markdown.clean(text)
    return "\n\n".join(part for part in (title, text) if part)


def _post(row: dict[str, Any], *, clean: bool) -> Post:
    prompt = prompt_of(row["title"], row["selftext"], clean=clean)
    refusal = _refusal(row, prompt)
    return Post(
        id=row["id"],
        author=row["author"],
        created_utc=row["created_utc"],
        prompt="" if refusal else prompt,
        refusal=refusal,
    )


def _refusal(row: dict[str, Any], prompt: str) -> str:
    """Why a post can be no prompt; "" when it can. A deleted OP is refused: nobody is known to be OP then."""
    if row["role"] in (MODERATOR, BOT):
        return "moderator_post"
    if row["role"] == DELETED and not row["author"]:
        return "op_deleted"
    if row["role"] == DELETED or row["selftext"].strip() in GONE:
        return "post_removed"
    return "" if prompt.strip() else "empty_post"


def _parents(table: pa.Table) -> Rows:
    """The row of each comment's parent: POST under the post itself, ABSENT where there is none."""
    parent = table["parent_id"]
    row = np.asarray(pc.fill_null(pc.index_in(parent, value_set=_one(table["id"])), ABSENT)).astype(np.int64)
    return np.where(np.asarray(pc.equal(parent, table["thread_id"])), POST, row)


def _gone(bodies: pa.ChunkedArray) -> Flags:
    """Which texts are what Reddit puts in a text's place; trimmed some at a time, since that copies them."""
    found = [
        np.asarray(pc.is_in(pc.utf8_trim_whitespace(bodies.slice(start, SOME)), pa.array(GONE)))
        for start in range(0, len(bodies), SOME)
    ]
    return np.concatenate([np.zeros(0, bool), *found])


def _won(deltas: pa.ListArray, rows: int) -> Flags:
    """Which rows OP gave a delta."""
    found = np.zeros(rows, bool)
    by_op = np.asarray(pc.struct_field(pc.list_flatten(deltas), "by_op"))
    found[np.asarray(pc.list_parent_indices(deltas))[by_op]] = True
    return found


def _one(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return (
        column.combine_chunks()
        if isinstance(column, pa.Array)
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.array([], column.type)
    )
