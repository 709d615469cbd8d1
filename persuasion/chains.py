"""Threads as the records of the original research code's "12-factor" study: one for each comment by OP.

A record is the way from a top-level comment down to a comment by OP, with the post, and whether that
last comment awarded a delta. Pure; a thread of any depth needs no recursion.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from persuasion.errors import DataFailure
from persuasion.keys import keys
from persuasion.records import DELETED, Comment, Submission

GONE = "[deleted]"
LEFT_OUT = ("no_post", "missing_parent", "cycle")


def threads(
    posts: Iterable[Submission], comments: Iterable[Comment]
) -> Iterator[tuple[Submission | None, list[Comment]]]:
    """Yield the comments of each thread that has any, with their post (None where there is none).

    Both must come in the order of threads, as ``extract`` writes them, so that one thread is in memory
    at a time. Raises DataFailure where they do not.
    """
    waiting = iter(posts)
    post, last = next(waiting, None), -1
    for thread_id, found in groupby(comments, key=lambda comment: comment.thread_id):
        key = _key(thread_id)
        if key <= last:
            raise DataFailure("the comments are not in the order of threads", where=thread_id, fix="dvc repro extract")
        last = key
        while post is not None and _key(post.id) < key:
            post = next(waiting, None)
        yield post if post is not None and post.id == thread_id else None, list(found)


def records(post: Submission | None, comments: Sequence[Comment], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    """Yield a thread's records in the order of OP's comments, and add to ``counts``.

    Counted are ``records``, those with a ``delta``, OP's comments that give none by the reasons of
    ``LEFT_OUT``, and ``unplaced``: awards by OP that no comment of the thread is known to have made. A
    comment by OP made those of its parent's awards that bear its author and the second it was written.
    """
    by_id = {comment.id: comment for comment in comments}
    told = {(reply.parent_id, reply.author, reply.created_utc) for reply in comments if reply.is_op}
    given = {(comment.id, delta.by, delta.at) for comment in comments for delta in comment.deltas if delta.by_op}
    counts["unplaced"] += len(given - told)
    for leaf in comments:
        if not leaf.is_op:  # never true of a deleted account, so that no stranger is taken for OP
            continue
        path = _path(leaf, by_id)
        if post is None or isinstance(path, str):
            counts["no_post" if post is None else str(path)] += 1
            continue
        is_delta = (leaf.parent_id, leaf.author, leaf.created_utc) in given
        counts["records"] += 1
        counts["delta"] += is_delta
        yield _record(post, path, is_delta=is_delta)


def _path(leaf: Comment, by_id: Mapping[str, Comment]) -> list[Comment] | str:
    """The comments from a top-level one down to ``leaf``, or why there is no such way."""
    path, seen = [leaf], {leaf.id}
    while path[-1].parent_id != leaf.thread_id:
        above = by_id.get(path[-1].parent_id)
        if above is None:
            return "missing_parent"
        if above.id in seen:
            return "cycle"
        seen.add(above.id)
        path.append(above)
    return path[::-1]


def _record(post: Submission, path: Sequence[Comment], *, is_delta: bool) -> dict[str, Any]:
    return {
        "submission_id": post.id,
        "submission_author": post.author,
        "submission_title": post.title,
        "submission_body": post.selftext,
        "comments_thread_root_comment_id": path[0].id,
        "comments_thread_leaf_comment_id": path[-1].id,
        "comments_thread_is_delta": is_delta,
        "comments_thread": [_comment(comment) for comment in path],
    }


def _comment(comment: Comment) -> dict[str, Any]:
    return {
        "comment_id": comment.id,
        "author": comment.author,
        "body": GONE if comment.role == DELETED else comment.body,
        "parent_id": comment.parent_id,
        "link_id": comment.thread_id,
        "created_utc": comment.created_utc,
    }


def _key(thread_id: str) -> int:
    return int(keys([thread_id[3:]])[0])
