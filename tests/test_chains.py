from collections import Counter

import pytest

from persuasion.chains import records, threads
from persuasion.errors import DataFailure
from persuasion.records import DELETED, Delta
from tests.builders import AT, comment, submission


def award(at=AT + 120, by="u_op", by_op=True):
    return Delta(by=by, by_op=by_op, source="confirmed", at=at)


def by_op(id_, parent, at=AT + 120, **changes):
    return comment(id=id_, parent_id=parent, author="u_op", is_op=True, created_utc=at, **changes)


def made(*comments, post=None):
    counts = Counter()
    return list(records(post or submission(), comments, counts)), +counts


def test_a_record_is_the_way_down_to_a_comment_by_op():
    reply, answer = comment(deltas=(award(),)), by_op("t1_answer", "t1_reply", body="True. ∆")
    other = by_op("t1_other", "t1_reply", AT + 150, body="And yet.")
    found, counts = made(reply, comment(id="t1_aside", parent_id="t1_reply"), answer, other)
    post = submission()
    assert found[0] == {
        "submission_id": "t3_post",
        "submission_author": "u_op",
        "submission_title": post.title,
        "submission_body": post.selftext,
        "comments_thread_root_comment_id": "t1_reply",
        "comments_thread_leaf_comment_id": "t1_answer",
        "comments_thread_is_delta": True,
        "comments_thread": [
            {"comment_id": "t1_reply", "author": "u_challenger", "body": reply.body, "parent_id": "t3_post",
             "link_id": "t3_post", "created_utc": AT + 60},
            {"comment_id": "t1_answer", "author": "u_op", "body": "True. ∆", "parent_id": "t1_reply",
             "link_id": "t3_post", "created_utc": AT + 120},
        ],
    }  # fmt: skip
    assert [record["comments_thread_is_delta"] for record in found] == [True, False]
    assert counts == {"records": 2, "delta": 1}


@pytest.mark.parametrize("delta", [award(at=None), award(at=AT + 121), award(by="u_other"), award(by_op=False)])
def test_a_token_makes_no_delta_only_an_award_does(delta):
    found, counts = made(comment(deltas=(delta,)), by_op("t1_answer", "t1_reply", body="!delta"))
    assert not found[0]["comments_thread_is_delta"] and counts["unplaced"] == delta.by_op


def test_a_top_level_comment_by_op_is_its_own_root():
    found, _ = made(by_op("t1_own", "t3_post"))
    assert found[0]["comments_thread_root_comment_id"] == found[0]["comments_thread_leaf_comment_id"] == "t1_own"


def test_a_comment_is_never_taken_for_the_post_of_the_same_number():
    found, counts = made(comment(id="t1_post"), by_op("t1_own", "t1_post"), by_op("t1_lost", "t3_other"))
    assert [len(record["comments_thread"]) for record in found] == [2] and counts["missing_parent"] == 1


def test_deleted_accounts_are_nobody():
    gone = comment(id="t1_gone", author="", role=DELETED, body="What I said.")
    assert made(gone, post=submission(author="", role=DELETED)) == ([], {})
    found, _ = made(gone, by_op("t1_own", "t1_gone"))
    assert found[0]["comments_thread"][0]["body"] == "[deleted]"


def test_broken_ways_are_counted():
    circle = [by_op("t1_a", "t1_b"), by_op("t1_b", "t1_a")]
    assert made(*circle, by_op("t1_c", "t1_none")) == ([], {"cycle": 2, "missing_parent": 1})
    counts = Counter()
    assert not list(records(None, [by_op("t1_c", "t3_post")], counts)) and counts["no_post"] == 1


def test_depth_needs_no_recursion():
    down = [comment(id=f"t1_{at}", parent_id=f"t1_{at - 1}" if at else "t3_post") for at in range(5000)]
    found, _ = made(*down, by_op("t1_last", "t1_4999"))
    assert len(found[0]["comments_thread"]) == 5001


def test_threads_are_joined_as_they_come():
    posts = [submission(id=f"t3_{name}") for name in ("9", "z", "10")]  # in the order of numbers, not of texts
    rows = [comment(thread_id=f"t3_{name}", id=f"t1_{name}{i}") for name in ("9", "a", "10") for i in range(2)]
    found = [(post and post.id, len(replies)) for post, replies in threads(posts, rows)]
    assert found == [("t3_9", 2), (None, 2), ("t3_10", 2)]
    with pytest.raises(DataFailure, match="not in the order"):
        list(threads(posts, rows[::-1]))
