import json

import pytest
from hypothesis import given

from persuasion.arcticshift import records, unfolded
from persuasion.errors import DataFailure
from persuasion.reddit import RawLog
from tests.builders import awarded_thread, raw_comment, raw_submission
from tests.forms import STUB, deep_tree, listing, posts, reasons, replies, tree, wrapped
from tests.test_documents import VALUES

COMMENTS = ["t1_posta", "t1_postb", "t1_postc", "t1_postd"]


def read(*documents, glue="\n"):
    return list(records(glue.join(json.dumps(document) for document in documents), "file", "changemyview"))


def test_a_search_gives_its_records():
    found = read({"data": awarded_thread()})
    assert list(posts(found)) == ["t3_post"]
    assert sorted(replies(found)) == COMMENTS
    assert [place.line for place, _ in found] == [1, 2, 3, 4, 5]


def test_a_tree_gives_every_reply_and_refuses_its_stubs():
    found = read({"data": tree()})
    assert sorted(replies(found)) == COMMENTS
    assert replies(found)["t1_postd"].parent_id == "t1_postc"
    assert reasons(found) == ["stub"]


def test_a_page_of_reddit_gives_post_and_comments():
    post = {"kind": "t3", "data": raw_submission()}
    found = read([listing([post]), listing(tree())])
    assert list(posts(found)) == ["t3_post"]
    assert sorted(replies(found)) == COMMENTS


def test_all_shapes_give_the_same_records():
    plain = replies(read({"data": awarded_thread()}))
    assert plain == replies(read({"data": tree()})) == replies(read(awarded_thread())) == replies(read(listing(tree())))


def test_several_replies_in_one_file_each_have_their_bytes():
    first, second = {"data": awarded_thread()}, {"data": tree()}
    found = read(first, second)
    places = [place for place, _ in found]
    size = len(json.dumps(first))
    assert [place.line for place in places] == list(range(1, 11))
    assert {(place.offset, place.length) for place in places} == {(0, size), (size + 1, len(json.dumps(second)))}


def test_five_thousand_replies_deep():
    found = list(records(deep_tree(5000), "file", "changemyview"))
    assert len(replies(found)) == len(found) == 5000


def test_other_subreddits_and_broken_records_are_counted():
    log = raw_submission(subreddit="DeltaLog", author="DeltaBot")
    data = [raw_comment(subreddit="tea"), raw_comment(body=...), "abc", 5, None, {"kind": "more", "data": STUB}, log]
    found = read({"data": data})
    assert reasons(found) == ["other_subreddit", "missing_field", "not_object", "not_object", "not_object", "stub"]
    assert isinstance(found[-1][1], RawLog)


def test_links_to_other_records_are_no_records():
    comment = raw_comment(replies=listing(["t1_x", "t1_y"]))
    assert list(unfolded(comment)) == list(unfolded([comment])) == [comment]
    assert list(unfolded(raw_comment(replies=["t1_x"]))) == [raw_comment(replies=["t1_x"])]
    assert len(list(unfolded(wrapped(raw_comment())))) == 1


def test_an_error_of_the_api_is_no_data():
    with pytest.raises(DataFailure, match="error of the API") as failure:
        read({"data": None, "error": "Timeout.\x1b[2J"})
    assert "\x1b" not in str(failure.value)


@given(VALUES)
def test_any_json_becomes_outcomes_or_a_failure(value):
    try:
        assert all(place.line == at for at, (place, _) in enumerate(read(value), start=1))
    except DataFailure:
        assert isinstance(value, dict)
