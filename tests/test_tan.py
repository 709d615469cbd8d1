import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.tan import ALL, OP, PAIR, records
from tests.builders import raw_comment
from tests.forms import lines_of, listing, posts, reasons, replies, tan_comment, tan_pair, tan_post, tan_thread
from tests.test_documents import SCALARS, VALUES


def read(task, *rows):
    return list(records(lines_of(rows), task, "changemyview"))


def test_threads_keep_the_post_every_comment_and_deltabot():
    found = read(ALL, tan_thread())
    assert list(posts(found)) == ["t3_post"]
    assert sorted(replies(found)) == ["t1_posta", "t1_postb", "t1_postc", "t1_postd"]
    assert replies(found)["t1_postd"].author == "DeltaBot"
    assert not any(comment.given for comment in replies(found).values())
    assert reasons(found) == ["stub"]


def test_threads_stream():
    lines = lines_of([tan_thread(), b"{"])
    found = records(lines, ALL, "changemyview")
    assert next(found)[1].id == "t3_post"
    assert next(lines).raw == b"{"


def test_nested_replies_are_read_too():
    nested = raw_comment(id="top", replies=listing([{"kind": "t1", "data": raw_comment(id="below")}]))
    assert sorted(replies(read(ALL, tan_thread(comments=[nested])))) == ["t1_below", "t1_top"]


def test_a_pair_labels_the_winning_root_reply_alone():
    found = read(PAIR, tan_pair())
    post, win, after, lose = (raw for _, raw in found)
    assert (post.id, post.author, post.created_utc) == ("t3_post", "op_name", 0)
    assert (win.id, win.given, win.rivals) == ("t1_win", "given", ("t1_lose",))
    assert (after.id, after.parent_id, after.given) == ("t1_win2", "t1_ops", "")
    assert (lose.id, lose.author, lose.given) == ("t1_lose", "other", "")
    assert {place.line for place, _ in found} == {1}


def test_a_negative_used_again_is_one_row_and_rivals_add_up():
    again = tan_pair(positive={"comments": [tan_comment("also")]})
    more = tan_pair(negative={"comments": [tan_comment("third")]})
    found = read(PAIR, tan_pair(), again, more)
    rows = replies(found)
    assert rows["t1_win"].rivals == ("t1_lose", "t1_third")
    assert rows["t1_also"].rivals == ("t1_lose",)
    assert reasons(found) == ["repeated"] * 5
    assert len(found) == len(rows) + 1 + 5


def test_a_trimmed_pair_gets_its_parents_and_ids_from_the_row():
    trimmed = {"positive": {"comments": [{"body": "Sleep."}, {"body": "Dream."}]}, "negative": [{"body": "Wake."}]}
    found = read(PAIR, tan_pair(**trimmed))
    top, below, lose = replies(found).values()
    assert top.parent_id == top.thread_id == "t3_post"
    assert below.parent_id == top.id
    assert top.rivals == (lose.id,) and (top.author, top.created_utc) == ("", 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"op_name": None}, ["missing_field"]),
        ({"op_text": 5}, ["wrong_type"]),
        ({"positive": None}, ["missing_field"]),
        ({"positive": {"comments": []}}, ["missing_field"]),
        ({"positive": {"comments": {"body": "x"}}}, ["wrong_type"]),
        ({"positive": {"comments": ["x"]}}, ["not_object"]),
        ({"positive": {"comments": [tan_comment("win", subreddit="tea")]}}, ["other_subreddit"]),
    ],
)
def test_a_broken_pair_labels_nothing(changes, reason):
    found = read(PAIR, tan_pair(**changes))
    assert reasons(found) == reason
    assert not any(comment.given for comment in replies(found).values())


def test_a_winner_stays_one_when_its_rival_is_broken():
    found = read(PAIR, tan_pair(negative={"comments": [tan_comment("lose", body=None)]}))
    assert (replies(found)["t1_win"].given, replies(found)["t1_win"].rivals) == ("given", ())


def test_posts_alone_give_posts_alone():
    found = read(OP, tan_post(), tan_post(name="t3_two", selftext=None), tan_post(name=None))
    assert {id_: post.selftext for id_, post in posts(found).items()} == {"t3_lone": "It is hot.", "t3_two": ""}
    assert reasons(found) == ["missing_field"]


@pytest.mark.parametrize("task", [ALL, PAIR, OP])
def test_one_task_is_read_and_the_lines_of_the_others_are_counted(task):
    found = read(task, tan_thread(), tan_pair(), tan_post(), {"strange": 1}, b" ", b"{")
    others = [reason for reason in reasons(found) if reason != "stub"]
    assert sorted(others) == ["blank", "missing_field", "not_json", "other_task", "other_task"]


@given(
    st.sampled_from([ALL, PAIR, OP]),
    st.sampled_from([tan_thread(), tan_pair(), tan_post()]),
    st.dictionaries(st.sampled_from([*tan_thread(), *tan_pair(), *tan_post()]), SCALARS | VALUES, max_size=3),
)
def test_any_row_gives_at_least_one_outcome(task, row, changes):
    assert read(task, row | changes)
