import pytest

from persuasion.records import BOT, DELETED, MODERATOR, PERSON
from persuasion.threads import build, pseudonym, role
from tests.builders import awarded_thread, parsed, raw_comment, raw_submission

KEY = b"secret"


def threads_of(*records):
    raw = [parsed(record) for record in records]
    posts = {record.id: record for record in raw if record.id.startswith("t3_")}
    comments = {record.id: record for record in raw if record.id.startswith("t1_")}
    return build(posts, comments, KEY)


def test_a_thread_becomes_rows_with_the_delta_where_it_was_earned():
    threads = threads_of(*awarded_thread())
    rows = {row.id: row for row in threads.comments}
    assert [row.id for row in threads.comments if row.earned_delta] == ["t1_posta"]
    (delta,) = rows["t1_posta"].deltas
    assert (delta.by, delta.by_op, delta.source) == (threads.submissions[0].author, True, "confirmed")
    assert [id_ for id_, row in rows.items() if row.is_op] == ["t1_postc"]
    assert rows["t1_postd"].role == BOT
    assert rows["t1_postb"].role == PERSON


def test_no_name_leaves_the_room():
    threads = threads_of(*awarded_thread())
    authors = {row.author for row in [*threads.submissions, *threads.comments]}
    assert all(author.startswith("u_") and len(author) == 18 for author in authors)
    assert pseudonym("op_name", KEY) in authors
    assert pseudonym("op_name", b"other") not in authors
    assert pseudonym("[deleted]", KEY) == ""


def test_a_comment_without_its_submission_is_refused_and_one_without_its_parent_stays():
    threads = threads_of(raw_submission(), raw_comment(parent_id="t1_gone"), raw_comment(id="lost", link_id="t3_gone"))
    assert [row.id for row in threads.comments] == ["t1_reply"]
    assert [refusal.reason for refusal in threads.refusals] == ["orphan"]


def test_loops_of_parents_are_refused_with_all_below_and_nothing_hangs():
    parents = {"a": "t1_b", "b": "t1_c", "c": "t1_a", "below": "t1_a", "self": "t1_self", "sound": "t3_post"}
    threads = threads_of(raw_submission(), *(raw_comment(id=id_, parent_id=up) for id_, up in parents.items()))
    assert [row.id for row in threads.comments] == ["t1_sound"]
    assert [refusal.reason for refusal in threads.refusals] == ["cycle"] * 5


def test_a_thread_may_be_deeper_than_the_stack():
    chain = [raw_comment(id=f"c{n}", parent_id=f"t1_c{n - 1}" if n else "t3_post") for n in range(5000)]
    assert len(threads_of(raw_submission(), *chain[::-1]).comments) == 5000


def test_one_id_of_two_kinds_is_two_things():
    threads = threads_of(raw_submission(id="same"), raw_comment(id="same", link_id="t3_same", parent_id="t3_same"))
    assert (threads.submissions[0].id, threads.comments[0].id) == ("t3_same", "t1_same")
    assert not threads.refusals


def test_deleted_authors_are_nobody():
    threads = threads_of(
        raw_submission(author="[deleted]"), raw_comment(author="[deleted]"), raw_comment(id="n", author=None)
    )
    assert [row.is_op for row in threads.comments] == [False, False]
    assert {row.author for row in [*threads.submissions, *threads.comments]} == {""}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, PERSON),
        ({"author": "[deleted]"}, DELETED),
        ({"body": "[removed]"}, DELETED),
        ({"author": "AutoModerator", "distinguished": "moderator"}, BOT),
        ({"distinguished": "moderator"}, MODERATOR),
        ({"body": "Sorry, u/some_name \u2013 your comment has been removed for breaking Rule 2"}, MODERATOR),
        ({"body": "/u/some_name, your comment has been removed: see the rules"}, MODERATOR),
        ({"body": "u/some_name - your submission has been removed for breaking Rule B"}, MODERATOR),
        ({"body": "My appendix was removed, and your comment helped."}, PERSON),
    ],
)  # fmt: skip
def test_roles_of_comments(changes, expected):
    assert role(parsed(raw_comment(**changes))) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [("[META] A new rule", MODERATOR), ("Meta: feedback", MODERATOR), ("[Mod Post] Hello", MODERATOR),
     ("Fresh Topic Friday", MODERATOR), ("CMV: Meta analyses are overrated", PERSON), ("Metaphors lie CMV", PERSON)],
)  # fmt: skip
def test_roles_of_submissions(title, expected):
    assert role(parsed(raw_submission(title=title))) == expected
