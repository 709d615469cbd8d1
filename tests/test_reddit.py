import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.rawfields import DELETED, FIRST_SECOND, LAST_SECOND, NUMBER_LIMIT, SCORE_LIMIT, Refused
from persuasion.reddit import RawComment, RawLog, RawSubmission, Refuse, Skip, Skipped, outcome, same_author
from tests.builders import AT, logged_thread, parsed, raw_comment, raw_submission
from tests.drifting import LINES


@pytest.mark.parametrize("time", [AT, str(AT), float(AT), f"{AT}.0", AT * 1000, f"{AT * 1000}", AT + 0.9])
def test_times_drift_into_one_shape(time):
    assert parsed(raw_comment(created_utc=time)).created_utc == AT


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (None, None),
        (..., None),
        ("7", 7),
        (3.0, 3),
        (10**30, None),
        ("x", None),
        ([], None),
        (-(2**31), None),
        (-4, -4),
    ],
)
def test_scores_drift_into_one_shape(score, expected):
    assert parsed(raw_comment(score=score)).score == expected


@pytest.mark.parametrize(
    "time", [float("nan"), float("inf"), "", "1" * 5000, [], {}, None, ..., "soon", True, 12, 10**12 * 9]
)
def test_times_that_are_none_are_refused(time):
    with pytest.raises(Refused):
        parsed(raw_comment(created_utc=time))


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, (AT + 86_400, 0)),
        ({"edited": True}, (AT + 86_400, 1)),
        ({"edited": str(AT + 5)}, (AT + 86_400, AT + 5)),
        ({"retrieved_on": None, "retrieved_utc": AT + 7.5}, (AT + 7, 0)),
        ({"retrieved_on": ..., "edited": None}, (0, 0)),
        ({"retrieved_on": 10**40, "edited": float("nan")}, (0, 0)),
    ],
)
def test_versions_drift_into_one_shape(changes, version):
    assert parsed(raw_comment(**changes)).version == version


def test_absent_names_and_authors():
    assert parsed(raw_comment(id=..., name="t1_reply")).id == "t1_reply"
    assert parsed(raw_comment(id="t1_reply")).id == "t1_reply"
    assert parsed(raw_comment(author=None)).author == parsed(raw_comment(author=...)).author == DELETED
    assert parsed(raw_comment(author="[removed]")).author == DELETED
    assert parsed(raw_comment(link_id=...)).thread_id == "t3_post"
    assert parsed(raw_submission(selftext=None)).selftext == ""


@pytest.mark.parametrize(
    "changes",
    [{"id": "a/b"}, {"id": 5}, {"id": "t3_post"}, {"id": "t1_t3_post"}, {"id": "a\0b"}, {"id": "\u0663"},
     {"parent_id": "reply"}, {"parent_id": 7}, {"link_id": "t1_reply"}, {"link_id": ..., "parent_id": "t1_reply"},
     {"author": 3}, {"body": 5}, {"body": None}, {"parent_id": None}],
)  # fmt: skip
def test_ids_and_texts_of_the_wrong_kind_are_refused(changes):
    with pytest.raises(Refused):
        parsed(raw_comment(**changes))


@pytest.mark.parametrize("record", [raw_submission(title=None), raw_submission(title=5), raw_submission(selftext=[])])
def test_a_post_needs_a_title_and_texts(record):
    with pytest.raises(Refused):
        parsed(record)


def test_other_subreddits_are_skipped_by_name_without_case():
    with pytest.raises(Skipped, match="other_subreddit"):
        parsed(raw_submission(subreddit="tea"))
    with pytest.raises(Skipped, match="other_subreddit"):
        parsed(raw_comment(subreddit="DeltaLog"))
    assert parsed(raw_submission(subreddit="ChangeMyView")).id == "t3_post"
    assert parsed(raw_submission(subreddit=...)).id == "t3_post"


@pytest.mark.parametrize("home", [{"subreddit": ...}, {"subreddit": None}, {"subreddit": "u_shop"}])
def test_advertisements_of_the_monthly_files_are_no_posts(home):
    with pytest.raises(Skipped, match="other_subreddit"):
        parsed(raw_submission(promoted=True, **home))
    assert parsed(raw_submission(promoted=None)).id == parsed(raw_submission(subreddit=..., promoted=None)).id


def test_a_post_of_deltalog_is_a_log_and_no_row():
    log = parsed(logged_thread("post", "postc", "challenger"))
    assert isinstance(log, RawLog) and log.post.author == "DeltaBot"


@pytest.mark.parametrize("name", ["[deleted]", ""])
def test_nobody_is_not_even_the_same_as_nobody(name):
    assert not same_author(name, name)
    assert same_author("a", "a") and not same_author("a", "b")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("{", "not_json"), ("[" * 5000, "not_json"), ("[]", "not_object"), ("5", "not_object"), ("{}", "missing_field"),
     ('{"children": [], "count": 0}', "stub"), ('{"body": "lone"}', "missing_field")],
)  # fmt: skip
def test_a_line_that_is_no_record_is_named(line, expected):
    assert outcome(line, "changemyview") == Refuse(reason=expected)


def test_lone_surrogates_are_replaced():
    found = outcome(json.dumps(raw_comment(body="a\ud800b", author="x\udfff")), "changemyview")
    assert (found.body, found.author) == ("a\ufffdb", "x\ufffd")
    assert outcome(json.dumps(raw_comment(body="\U0001f375")), "changemyview").body == "\U0001f375"


@pytest.mark.parametrize(
    ("meta", "author", "text"),
    [
        ({"was_deleted_later": True, "removal_type": "deleted"}, DELETED, "[deleted]"),
        ({"was_deleted_later": True}, DELETED, "[deleted]"),
        ({"was_deleted_later": True, "removal_type": "removed"}, "challenger", "[removed]"),
        ({"was_deleted_later": True, "removal_type": "removed by reddit"}, "challenger", "[removed]"),
        ({"was_deleted_later": False}, "challenger", "Nap."),
        ({"retrieved_2nd_on": AT, "is_edited": True}, "challenger", "Nap."),
        ("strange", "challenger", "Nap."),
    ],
)
def test_what_was_deleted_after_it_was_archived_is_as_reddit_shows_it(meta, author, text):
    found = parsed(raw_comment(body="Nap.", _meta=meta))
    assert (found.author, found.body) == (author, text)
    post = parsed(raw_submission(author="challenger", selftext="Nap.", _meta=meta))
    assert (post.author, post.selftext) == (author, text)


def test_a_confirmation_that_the_bot_deleted_is_still_the_bots():
    meta = {"was_deleted_later": True, "removal_type": "deleted"}
    found = parsed(raw_comment(author="DeltaBot", body="Confirmed: 1 delta awarded to /u/x", _meta=meta))
    assert (found.author, found.body) == ("DeltaBot", "[deleted]")


def test_half_a_character_is_replaced_wherever_it_stands():
    found = parsed(raw_comment(distinguished="\ud800 half", author="\ud800", body="\udfff"))
    assert (found.distinguished, found.author, found.body) == ("\ufffd half", "\ufffd", "\ufffd")


def test_control_characters_that_a_crawl_did_not_escape_are_text():
    line = json.dumps(raw_comment(body="one@two")).replace("@", "\0\t\x1b")
    assert outcome(line, "changemyview").body == "one\0\t\x1btwo"


@given(LINES)
@settings(max_examples=500)
def test_whatever_a_line_holds_it_has_one_fate_and_every_field_its_type(line):
    found = outcome(line.decode(errors="replace"), "changemyview")
    assert isinstance(found, RawSubmission | RawComment | RawLog | Skip | Refuse)
    record = found.post if isinstance(found, RawLog) else found
    if isinstance(record, RawSubmission | RawComment):
        assert FIRST_SECOND <= record.created_utc < LAST_SECOND
        assert record.score is None or abs(record.score) < SCORE_LIMIT
        assert all(type(number) is int and abs(number) < NUMBER_LIMIT for number in record.version)
        texts = [getattr(record, name) for name in record.__slots__]
        assert all(text.encode() is not None for text in texts if isinstance(text, str))
        assert record.author and record.id[:3] in ("t1_", "t3_")


@given(st.sampled_from(["created_utc", "score", "edited", "retrieved_on"]), st.integers(0, 10**9))
def test_a_number_means_the_same_in_every_month_of_the_dumps(name, number):
    seconds = AT + number
    value = number if name == "score" else seconds
    shapes = [value, str(value), float(value), f"{value}.0"]
    assert len({repr(parsed(raw_comment(**{name: shape}))) for shape in shapes}) == 1
