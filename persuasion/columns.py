"""Raw records to columns: keys, roles, and, where it may matter for deltas, what was said in full.

``said`` never leaves the stage. Both lanes of reading end here, so that a record's columns do not
depend on which one took it.
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from persuasion.deltabot import is_deltabot
from persuasion.deltatokens import TOKEN_SIGNS, may_bear_token
from persuasion.fastlane import Lane
from persuasion.keys import keys
from persuasion.reddit import Place, RawComment, RawSubmission
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
_NO_TOKEN = (b"&gt;", b"&lt;", b"&amp; ")  # what an ampersand is most often of
TEXTS = {"title", "selftext", "body"}


def usual_submissions(lane: Lane, places: Columns) -> Columns:
    """The columns of submissions from the fast lane, with those of their places."""
    said, selftexts = lane.said, [text or "" for text in lane.said["selftext"]]
    marked = zip(said["author"], said["title"], selftexts, said["distinguished"], strict=True)
    return (
        _numbers(lane)
        | places
        | {
            "thread": lane.key,
            "id": pc.binary_join_element_wise("t3_", said["id"], ""),
            "author": said["author"],
            "role": [submission_role(*one) for one in marked],
            "score": said["score"],
            "title": said["title"],
            "selftext": selftexts,
        }
    )


def usual_comments(lane: Lane, places: Columns) -> Columns:
    """The columns of comments from the fast lane, with those of their places."""
    said, bodies = lane.said, lane.said["body"]
    texts = pa.array(bodies, pa.string())
    return (
        _numbers(lane)
        | places
        | {
            "thread": lane.thread,
            "parent": lane.parent,
            "id": pc.binary_join_element_wise("t1_", said["id"], ""),
            "thread_id": said["link_id"],
            "parent_id": said["parent_id"],
            "author": said["author"],
            "role": comment_roles(said["author"], bodies, said["distinguished"], texts),
            "score": said["score"],
            "body": texts,
            "said": _said(said["author"], bodies, texts),
            "given": pa.repeat("", len(bodies)),
            "rivals": pa.nulls(len(bodies), pa.list_(pa.string())),
        }
    )


def _numbers(lane: Lane) -> Columns:
    return {
        "key": lane.key,
        "created_utc": lane.created,
        "retrieved": lane.retrieved,
        "edited": lane.edited,
    }


def _said(authors: Sequence[str], bodies: Sequence[str], texts: pa.StringArray) -> list[str | None]:
    """The full texts of comments that may award a delta or speak of one; None for all others."""
    bots = {author for author in set(authors) if is_deltabot(author)}
    said: list[str | None] = [body if author in bots else None for author, body in zip(authors, bodies, strict=True)]
    for row in holding(texts, TOKEN_SIGNS, unless=_NO_TOKEN).tolist():
        if may_bear_token(bodies[row]):
            said[row] = bodies[row]
    return said


def odd_submissions(found: Sequence[tuple[Place, RawSubmission]]) -> Columns:
    """The columns of submissions that were read one by one."""
    posts = [post for _, post in found]
    own = keys([post.id[3:] for post in posts])
    return _raw(found) | {
        "thread": own,
        "key": own,
        "role": [submission_role(post.author, post.title, post.selftext, post.distinguished) for post in posts],
        "title": [post.title for post in posts],
        "selftext": [post.selftext for post in posts],
    }


def odd_comments(found: Sequence[tuple[Place, RawComment]]) -> Columns:
    """The columns of comments that were read one by one."""
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
        "rivals": [list(comment.rivals) or None for comment in comments],  # as in the fast lane, which knows none
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
