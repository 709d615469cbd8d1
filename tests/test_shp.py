import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.shp import records
from tests.forms import lines_of, posts, reasons, replies, shp_row
from tests.test_documents import SCALARS, VALUES


def read(*rows):
    return list(records(lines_of(rows), "changemyview"))


def test_a_row_is_a_post_and_two_replies_labelled_by_votes():
    found = read(shp_row())
    post, a, b = (raw for _, raw in found)
    assert (post.id, post.title, post.author, post.created_utc) == ("t3_post", "", "", 0)
    assert post.selftext.startswith("CMV: Naps")
    assert (a.id, a.given, a.rivals, a.score) == ("t1_aaa", "score", ("t1_bbb",), 12)
    assert (b.id, b.given, b.rivals) == ("t1_bbb", "", ())
    assert a.parent_id == a.thread_id == "t3_post" and a.author == "" and a.created_utc > b.created_utc
    assert len({place for place, _ in found}) == 1


def test_the_label_says_which_side_is_preferred():
    rows = replies(read(shp_row(labels=0)))
    assert (rows["t1_bbb"].given, rows["t1_bbb"].rivals, rows["t1_aaa"].given) == ("score", ("t1_aaa",), "")


def test_a_reply_in_many_rows_is_one_row_with_all_its_rivals():
    other = {"c_root_id_B": "ccc", "human_ref_B": "Go to bed early."}
    found = read(shp_row(), shp_row(**other), shp_row(domain="changemyview_test", **other))
    assert len(found) == 9
    assert len(posts(found)) == 1 and len(replies(found)) == 3
    assert replies(found)["t1_aaa"].rivals == ("t1_bbb", "t1_ccc")
    assert reasons(found) == ["repeated"] * 5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (shp_row(domain="askbaking_train"), ["other_subreddit"]),
        ({"post_id": "post"}, ["missing_field"]),
        (shp_row(labels=2), ["wrong_type"]),
        (shp_row(labels="A"), ["wrong_type"]),
        (shp_row(human_ref_B="Nap for twenty minutes."), ["same_completions"]),
        (shp_row(human_ref_B=7), ["wrong_type"]),
        (shp_row(created_at_utc_A=None), ["missing_field"]),
        (b"{", ["not_json"]),
    ],
)
def test_a_broken_row_makes_no_label_and_is_counted(row, reason):
    found = read(row)
    assert reasons(found) == reason
    assert not any(comment.given for comment in replies(found).values())


@given(st.lists(st.tuples(st.sampled_from(list(shp_row())), SCALARS | VALUES), max_size=3))
def test_any_row_gives_one_outcome_or_three(changes):
    assert len(read(shp_row(**dict(changes)))) in (1, 3)
