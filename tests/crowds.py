"""Small dumps in which much goes wrong at once, and a slow, plain reading of them to compare with."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from persuasion.deltalog import merged, read_log
from persuasion.deltas import awards
from persuasion.masking import masked
from persuasion.pseudonyms import pseudonym
from persuasion.records import Comment, Delta, Submission
from persuasion.reddit import RawComment, RawLog, RawSubmission, outcome, same_author
from persuasion.roles import comment_role, submission_role
from tests.builders import AT, awarded_thread, logged_thread, raw_comment, raw_submission

POSTS = ["p1", "p2", "0", "Same_1"]
AUTHORS = ["op_name", "challenger", "other", "[deleted]", "DeltaBot", "AutoModerator"]
BODIES = [
    "Short naps help, says u/other at https://example.org/x.", "You are right. ∆", "&gt; !delta\n\nso they say",
    "I won't give you a !delta.", "Write to a@example.org for a &#8710;", "[removed]",
    "Confirmed: 1 delta awarded to /u/challenger.", "Confirmed: 1 delta awarded to /u/other ([1∆](/r/x)).",
    "This delta has been rejected. You can't award yourself a delta.", "A moderator has removed this delta.",
]  # fmt: skip


@st.composite
def crowds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Records of several threads, with copies, loops, absent parents and posts, DeltaBot, its log and tokens.

    Of several versions of one record each was fetched at another time, so that the last one is plain.
    """
    records = [record for post in draw(st.lists(st.sampled_from(POSTS), max_size=2)) for record in awarded_thread(post)]
    ids = [*(record["id"] for record in records), "c1", "c2", "c3", "p1", "Zz", "Odd_1"]
    for _ in range(draw(st.integers(0, 8))):
        records.append(draw(_record(ids)))
    changed = [record | {"retrieved_on": AT + 10**6 + number} for number, record in enumerate(records)]
    again = draw(st.lists(st.sampled_from(changed), max_size=2)) if changed else []
    return draw(st.permutations([*changed, *again]))


@st.composite
def _record(draw: st.DrawFn, ids: Sequence[str]) -> dict[str, Any]:
    post = draw(st.sampled_from(POSTS))
    kind = draw(st.sampled_from(["post", "log", *["comment"] * 6]))
    edited = draw(st.sampled_from([False, False, AT + 100, AT + 300]))
    fields = {
        "author": draw(st.sampled_from(AUTHORS)),
        "created_utc": AT + 10 * draw(st.integers(0, 30)),
        "edited": edited,
    }
    if kind == "post":
        return raw_submission(id=post, **fields)
    if kind == "log":
        to = draw(st.sampled_from(["challenger", "other"]))
        return logged_thread(post, draw(st.sampled_from(ids)), to, created_utc=fields["created_utc"], edited=edited)
    link = draw(st.sampled_from([post, post, post, "gone"]))
    parent = draw(
        st.sampled_from([f"t3_{link}", f"t1_{draw(st.sampled_from(ids))}", f"t1_{draw(st.sampled_from(ids))}"])
    )
    body = draw(st.sampled_from(BODIES))
    return raw_comment(id=draw(st.sampled_from(ids)), link_id=f"t3_{link}", parent_id=parent, body=body, **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plainly:
    """What must come of records: rows by id, why others are none, and signs of a delta that made none."""

    submissions: dict[str, Submission]
    comments: dict[str, Comment]
    refused: Counter[str]
    ignored: Counter[str]


def plainly(records: Sequence[Mapping[str, Any]], key: bytes, *, mask: bool) -> Plainly:
    """Read records one by one, keep all in dicts, and judge every thread as a whole."""
    raws = [outcome(json.dumps(record), "changemyview") for record in records]
    refused: Counter[str] = Counter()
    latest: dict[str, Any] = {}
    for raw in sorted(
        (raw for raw in raws if isinstance(raw, RawSubmission | RawComment)), key=lambda raw: raw.version
    ):
        refused["duplicate_id"] += raw.id in latest
        latest[raw.id] = raw
    logs = merged(read_log(raw.post) for raw in raws if isinstance(raw, RawLog))
    posts = {id_: raw for id_, raw in latest.items() if isinstance(raw, RawSubmission)}
    threads: dict[str, dict[str, RawComment]] = defaultdict(dict)
    for id_, raw in latest.items():
        if isinstance(raw, RawComment) and raw.thread_id in posts:
            threads[raw.thread_id][id_] = raw
        elif isinstance(raw, RawComment):
            refused["orphan"] += 1
    comments: dict[str, Comment] = {}
    ignored: Counter[str] = Counter()
    for id_, post in posts.items():
        endless = [name for name in threads[id_] if _endless(name, threads[id_])]
        refused["cycle"] += len(endless)
        sound = {name: raw for name, raw in threads[id_].items() if name not in endless}
        given, reasons = awards(post, sound, logs.get(id_))
        ignored += reasons
        for name, raw in sound.items():
            earned = [
                Delta(by=pseudonym(one.by, key), by_op=one.by_op, source=one.source, at=one.at)
                for one in given
                if one.awarded == name
            ]
            comments[name] = _comment(raw, post, tuple(earned), key, mask)
    return Plainly(
        submissions={id_: _submission(post, key, mask) for id_, post in posts.items()},
        comments=comments,
        refused=+refused,
        ignored=ignored,
    )


def _endless(name: str, thread: Mapping[str, RawComment]) -> bool:
    for _ in range(len(thread) + 1):
        if name not in thread:
            return False
        name = thread[name].parent_id
    return True


def _submission(raw: RawSubmission, key: bytes, mask: bool) -> Submission:
    return Submission(
        id=raw.id,
        author=pseudonym(raw.author, key),
        role=submission_role(raw.author, raw.title, raw.selftext, raw.distinguished),
        created_utc=raw.created_utc,
        score=raw.score,
        title=masked(raw.title) if mask else raw.title,
        selftext=masked(raw.selftext) if mask else raw.selftext,
    )


def _comment(raw: RawComment, post: RawSubmission, earned: tuple[Delta, ...], key: bytes, mask: bool) -> Comment:
    return Comment(
        id=raw.id,
        thread_id=raw.thread_id,
        parent_id=raw.parent_id,
        author=pseudonym(raw.author, key),
        role=comment_role(raw.author, raw.body, raw.distinguished),
        created_utc=raw.created_utc,
        score=raw.score,
        body=masked(raw.body) if mask else raw.body,
        is_op=same_author(raw.author, post.author),
        earned_delta=bool(earned),
        deltas=earned,
        rivals=(),
    )
