import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persuasion import planning
from persuasion.keys import keys
from persuasion.pseudonyms import key_for, pseudonym
from persuasion.records import BOT, PERSON
from tests.builders import AT, awarded_thread, logged_thread, ndjson, raw_comment, raw_submission, source
from tests.crowds import crowds, plainly
from tests.extracting import read_files


def threads_of(*records, **changes):
    return read_files(ndjson(records), **changes)


def secret():
    return key_for(source("anywhere"))


def as_plainly(records, *, mask):
    """Rows, refusals and ignored signs of both ways to read the same records, ours first."""
    ours, theirs = (
        read_files(ndjson([raw_submission(id="first"), *records]), mask=mask),
        plainly(records, secret(), mask=mask),
    )
    ignored = {reason: count for reason, count in ours.metrics["deltas_ignored_by"].items() if count}
    return (
        ({row.id: row for row in ours.submissions if row.id != "t3_first"}, theirs.submissions),
        (ours.by_id, theirs.comments),
        (ours.reasons, theirs.refused),
        (ignored, theirs.ignored),
    )


@given(crowds(), st.booleans())
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_the_join_is_what_plain_reading_gives(records, mask):
    for ours, theirs in as_plainly(records, mask=mask):
        assert ours == theirs


@given(crowds())
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_ranges_of_threads_leave_no_trace(records):
    content = ndjson([raw_submission(id="first"), *records])
    once = read_files(content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "RANGE_BYTES", 1)
        many = read_files(content, block_bytes=1024)
    assert (many.tables, many.metrics, many.refusals) == (once.tables, once.metrics, once.refusals)


@given(crowds())
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_rows_are_in_order_of_thread_time_and_id(records):
    found = read_files(ndjson([raw_submission(id="first"), *records]))
    assert [row.id for row in found.submissions] == sorted((row.id for row in found.submissions), key=number)
    places = [(number(row.thread_id), row.created_utc, number(row.id)) for row in found.comments]
    assert places == sorted(places)


def number(id_):
    return int(keys([id_[3:]])[0])


def test_a_thread_becomes_rows_with_the_delta_where_it_was_earned():
    threads = threads_of(*awarded_thread())
    rows = threads.by_id
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
    assert pseudonym("op_name", secret()) in authors
    assert pseudonym("op_name", b"other") not in authors


def test_a_comment_without_its_submission_is_refused_and_one_without_its_parent_stays():
    threads = threads_of(raw_submission(), raw_comment(parent_id="t1_gone"), raw_comment(id="lost", link_id="t3_gone"))
    assert [row.id for row in threads.comments] == ["t1_reply"]
    assert (threads.reasons, threads.metrics["parents_absent"]) == ({"orphan": 1}, 1)
    sound = threads_of(*awarded_thread())
    assert sound.metrics["parents_absent"] == 0
    elsewhere = threads_of(
        *awarded_thread(), raw_submission(id="two"), raw_comment(link_id="t3_two", parent_id="t1_posta")
    )
    assert elsewhere.metrics["parents_absent"] == 1


def test_loops_of_parents_are_refused_with_all_below_and_nothing_hangs():
    parents = {"a": "t1_b", "b": "t1_c", "c": "t1_a", "below": "t1_a", "self": "t1_self", "sound": "t3_post"}
    threads = threads_of(raw_submission(), *(raw_comment(id=id_, parent_id=up) for id_, up in parents.items()))
    assert [row.id for row in threads.comments] == ["t1_sound"]
    assert threads.reasons == {"cycle": 5}


@pytest.mark.parametrize("step", [1, -1])
def test_a_thread_may_be_deeper_than_the_stack(step):
    chain = [raw_comment(id=f"c{n}", parent_id=f"t1_c{n - 1}" if n else "t3_post") for n in range(5000)]
    threads = threads_of(raw_submission(), *chain[::step])
    assert len(threads.comments) == 5000 and not threads.refusals


def test_a_chain_against_the_order_of_ids_is_no_loop():
    chain = [raw_comment(id=f"c{9999 - n}", parent_id=f"t1_c{10_000 - n}" if n else "t3_post") for n in range(5000)]
    assert len(threads_of(raw_submission(), *chain).comments) == 5000


def test_one_id_of_two_kinds_is_two_things():
    threads = threads_of(
        raw_submission(id="same"),
        raw_comment(id="same", link_id="t3_same", parent_id="t3_same"),
        raw_comment(id="below", link_id="t3_same", parent_id="t1_same"),
    )
    assert (threads.submissions[0].id, set(threads.by_id)) == ("t3_same", {"t1_below", "t1_same"})
    assert not threads.refusals


def test_deleted_authors_are_nobody():
    threads = threads_of(
        raw_submission(author="[deleted]"), raw_comment(author="[deleted]"), raw_comment(id="n", author=None)
    )
    assert [row.is_op for row in threads.comments] == [False, False]
    assert {row.author for row in [*threads.submissions, *threads.comments]} == {""}


def test_the_bots_last_edit_says_when_it_spoke():
    bot = {"id": "x1", "parent_id": "t1_postc", "author": "DeltaBot", "link_id": "t3_post", "created_utc": AT + 300}
    removal = raw_comment(**bot, body="A moderator has removed this delta.")
    *thread, confirmation = awarded_thread()
    assert threads_of(*thread, confirmation, removal).metrics["deltas"] == 0
    again = threads_of(*thread, confirmation | {"edited": AT + 400}, removal)
    assert again.metrics["deltas_by"]["confirmed"] == 1


def test_a_confirmation_that_was_deleted_later_confirms_nothing_and_leaves_no_token_to_count():
    *thread, confirmation = awarded_thread()
    found = threads_of(*thread, confirmation | {"_meta": {"was_deleted_later": True, "removal_type": "deleted"}})
    assert (found.metrics["deltas"], found.metrics["deltas_ignored_by"]["bot_other"]) == (0, 1)
    assert threads_of(*thread, confirmation | {"_meta": {"is_edited": True}}).metrics["deltas"] == 1


def test_a_log_repairs_what_the_thread_no_longer_tells():
    *thread, _ = awarded_thread()
    thread[3] |= {"author": "[deleted]", "body": "[deleted]"}
    assert threads_of(*thread).metrics["deltas"] == 0
    logged = threads_of(*thread, logged_thread("post", "postc", "challenger"))
    assert (logged.metrics["deltas_by"]["deltalog"], logged.metrics["skipped_by"]["deltalog"]) == (1, 1)
    assert logged.by_id["t1_posta"].deltas[0].by_op


def test_signs_in_a_log_of_which_the_thread_holds_nothing_are_counted():
    """Whether another sign of the thread is in the dump must make no difference."""
    logs = [logged_thread("post", "gone1", "challenger")]
    alone, beside = threads_of(raw_submission(), *logs), threads_of(raw_submission(), raw_comment(body="!delta"), *logs)
    assert alone.metrics["deltas_ignored_by"] == beside.metrics["deltas_ignored_by"]
    assert alone.metrics["deltas_ignored_by"]["no_awarding_comment"] == 1
