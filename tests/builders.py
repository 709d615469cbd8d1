"""Small builders: rows and raw records with sensible fields, changed by keyword."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa

from persuasion.config import Source
from persuasion.discussions import Discussions, discussions
from persuasion.records import PERSON, Comment, Delta, Pair, Submission
from persuasion.reddit import Raw, RawLog, parse
from persuasion.tables import plain, schema
from tests.closures import ROOT

AT = 1_400_000_000


def submission(**changes: Any) -> Submission:
    """A row of submissions.parquet."""
    fields: dict[str, Any] = {
        "id": "t3_post",
        "author": "u_op",
        "role": PERSON,
        "created_utc": AT,
        "score": 5,
        "title": "CMV: Naps are a waste of a good afternoon",
        "selftext": "I wake up dull and cross, and the evening is gone.",
    }
    return Submission(**fields | changes)


def comment(**changes: Any) -> Comment:
    """A row of comments.parquet, top-level on ``submission()``."""
    fields: dict[str, Any] = {
        "id": "t1_reply",
        "thread_id": "t3_post",
        "parent_id": "t3_post",
        "author": "u_challenger",
        "role": PERSON,
        "created_utc": AT + 60,
        "score": 2,
        "body": "A nap of twenty minutes ends before deep sleep begins, so you wake up clear.",
        "is_op": False,
        "earned_delta": False,
        "deltas": (),
        "rivals": (),
    }
    return Comment(**fields | changes)


def arrow(rows: Iterable[Any], kind: type) -> pa.Table:
    """Rows of a record as a table."""
    return pa.Table.from_pylist([plain(row) for row in rows], schema(kind))


def talk_of(posts: Iterable[Submission], comments: Iterable[Comment], *, clean: bool = True) -> Discussions:
    """Posts and their comments, as pairs are made of them."""
    return discussions(arrow(posts, Submission), arrow(comments, Comment), clean=clean)


def delta(*, by_op: bool = True, source: str = "confirmed") -> Delta:
    """An award."""
    return Delta(by="OP" if by_op else "other", by_op=by_op, source=source, at=500)


def pair(**changes: Any) -> Pair:
    """A row of a file of pairs."""
    fields: dict[str, Any] = {
        "pair_id": "p_1", "thread_id": "t3_post", "split": "train",
        "prompt": "CMV: Naps are a waste of a good afternoon", "chosen": "A nap of twenty minutes leaves you clear.",
        "rejected": "Just drink coffee like the rest of us.", "chosen_id": "t1_won", "rejected_id": "t1_lost",
        "chosen_author": "", "rejected_author": "", "op_author": "u_op", "created_utc": AT,
        "chosen_created_utc": AT + 60, "rejected_created_utc": AT + 90, "chosen_score": None, "rejected_score": None,
        "label_source": "confirmed",
    }  # fmt: skip
    return Pair(**fields | changes)


def raw_submission(**changes: Any) -> dict[str, Any]:
    """A submission as a dump holds it; a value of ``...`` removes the field."""
    fields = {
        "id": "post",
        "author": "op_name",
        "created_utc": AT,
        "score": 5,
        "subreddit": "changemyview",
        "title": "CMV: Naps are a waste of a good afternoon",
        "selftext": "I wake up dull and cross, and the evening is gone.",
        "distinguished": None,
        "edited": False,
        "retrieved_on": AT + 86_400,
    }
    return _without_gaps(fields | changes)


def raw_comment(**changes: Any) -> dict[str, Any]:
    """A comment as a dump holds it, top-level on ``raw_submission()``; a value of ``...`` removes the field."""
    fields = {
        "id": "reply",
        "link_id": "t3_post",
        "parent_id": "t3_post",
        "author": "challenger",
        "created_utc": AT + 60,
        "score": 2,
        "subreddit": "changemyview",
        "body": "A nap of twenty minutes ends before deep sleep begins, so you wake up clear.",
        "distinguished": None,
        "edited": False,
        "retrieved_on": AT + 86_400,
    }
    return _without_gaps(fields | changes)


def awarded_thread(post: str = "post") -> list[dict[str, Any]]:
    """A raw thread of one submission in which ``challenger`` earns OP's delta and ``other`` does not."""
    link = {"link_id": f"t3_{post}"}
    return [
        raw_submission(id=post),
        raw_comment(id=f"{post}a", parent_id=f"t3_{post}", **link),
        raw_comment(id=f"{post}b", parent_id=f"t3_{post}", author="other", body="Just drink coffee like us.", **link),
        raw_comment(id=f"{post}c", parent_id=f"t1_{post}a", author="op_name", body="True, short ones help. ∆", **link),
        raw_comment(
            id=f"{post}d",
            parent_id=f"t1_{post}c",
            author="DeltaBot",
            body="Confirmed: 1 delta awarded to /u/challenger ([1∆](/r/changemyview/wiki/user/challenger)).",
            **link,
        ),
    ]


def logged_thread(post: str, awarding: str, to: str, **changes: Any) -> dict[str, Any]:
    """DeltaBot's post in r/DeltaLog about the thread ``post``: OP's comment ``awarding`` gave ``to`` a delta."""
    thread = f"https://www.reddit.com/r/changemyview/comments/{post}/a_title"
    text = (
        f"Deltas of [this post]({thread}/)\n\n# Deltas from OP /u/op_name\n\n"
        f'* 1 delta from OP to /u/{to} for "[Short naps end in time.]({thread}/{awarding}/?context=3)"'
    )
    fields = {"id": f"log{post}", "author": "DeltaBot", "subreddit": "DeltaLog", "selftext": text}
    return raw_submission(**fields | changes)


def parsed(record: dict[str, Any]) -> Raw | RawLog:
    """A raw dict as ``reddit.parse`` reads it."""
    return parse(record, "changemyview")


def ndjson(records: Iterable[dict[str, Any]]) -> bytes:
    """Records as the bytes of a plain dump."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def source(path: Path, **changes: Any) -> Source:
    """The ``source`` section, reading ``path``."""
    fields: dict[str, Any] = {
        "path": str(path),
        "kind": "auto",
        "subreddit": "changemyview",
        "strict": False,
        "mask": True,
        "pseudonym_key_file": None,
        "removals_file": str(ROOT / "data/removals.txt"),
        "max_line_bytes": 100_000,
        "zst_window_mb": 128,
        "engine": "local",
        "workers": 1,
        "block_bytes": 8 << 20,
    }
    return Source(**fields | changes)


def _without_gaps(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ...}
