import pytest

from persuasion.preferences import Collected, named, parsed, renamed
from persuasion.rawfields import DELETED
from persuasion.reddit import Place, RawComment, RawSubmission, Refuse, Skip
from tests.builders import raw_comment, raw_submission
from tests.forms import reasons, replies

PLACE = Place(file="file", line=1, offset=0, length=1)


def reply(**changes):
    return parsed(raw_comment(**changes), "changemyview")


def test_what_a_form_does_not_know_stays_unknown():
    known, unknown = parsed(raw_comment(), "changemyview"), parsed(raw_comment(author=..., created_utc=...), "x")
    assert isinstance(known, RawComment) and known.author == "challenger" and known.created_utc > 0
    assert unknown == Skip(reason="other_subreddit")
    unknown = parsed(raw_comment(author=..., created_utc=..., subreddit=...), "x")
    assert isinstance(unknown, RawComment) and (unknown.author, unknown.created_utc) == ("", 0)


@pytest.mark.parametrize("author", [None, "[deleted]", "[missing]", ""])
def test_a_name_that_is_gone_is_deleted_and_not_unknown(author):
    post = parsed(raw_submission(author=author), "changemyview")
    assert isinstance(post, RawSubmission) and post.author == DELETED


def test_a_null_time_is_refused_not_unknown():
    assert parsed(raw_comment(created_utc=None), "changemyview") == Refuse(reason="missing_field")


def test_a_text_becomes_one_row_however_often_it_comes():
    collected = Collected()
    assert [collected.add(PLACE, reply()) for _ in range(3)] == ["t1_reply"] * 3
    assert collected.add(PLACE, reply(body="Other words.")) is None
    assert collected.add(PLACE, Refuse(reason="stub")) is None
    assert len(replies(collected.entries)) == 1
    assert reasons(collected.entries) == ["repeated", "repeated", "duplicate_id", "stub"]


def test_rivals_add_up_and_stay_in_order():
    collected = Collected()
    for id_ in ("win", "b", "a"):
        collected.add(PLACE, reply(id=id_))
    for loser in ("t1_b", "t1_a", "t1_b", None):
        collected.prefer("t1_win", loser, "given")
    rows = replies(collected.entries)
    assert (rows["t1_win"].given, rows["t1_win"].rivals) == ("given", ("t1_a", "t1_b"))
    assert rows["t1_a"].given == "" and rows["t1_a"].rivals == ()


def test_fields_are_renamed_and_missing_ones_stay_missing():
    assert renamed({"a": None, "b": 2}, {"a": "x", "c": "z"}) == {"x": None}


def test_a_text_without_an_id_is_named_by_its_hash():
    assert named("t3", "Naps?") == "t3_0a3978e18db1b7eb"
    assert named("t1", "Naps?\0No.") != named("t1", "Naps?\0No. ")
    assert named("t1", "\ud800").startswith("t1_")
