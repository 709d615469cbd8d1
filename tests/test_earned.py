import numpy as np
import pyarrow as pa
import pytest

from persuasion.deltalog import read_log
from persuasion.earned import earned
from persuasion.parts import Reader, read_outcomes
from persuasion.reddit import Place
from tests.builders import awarded_thread, logged_thread, parsed, raw_comment

READER = Reader(subreddit="changemyview", mask=True)
NOWHERE = Place(file="it", line=1, offset=0, length=0)


def judged(records, logs=(), given=()):
    """Awards and ignored signs of records; the comments named in ``given`` are labelled by their source."""
    part = read_outcomes([(NOWHERE, parsed(record)) for record in records], READER)
    submissions, comments = (in_order(table) for table in (part.submissions, part.comments))
    labels = pa.array(["given" if id_ in given else "" for id_ in comments["id"].to_pylist()], pa.string())
    comments = comments.set_column(comments.schema.get_field_index("given"), "given", labels)
    read = [read_log(parsed(log).post) for log in logs]
    found = earned(submissions, comments, {log.thread: log for log in read})
    ids = comments["id"].to_pylist()
    return {ids[row]: [award.by for award in awards] for row, awards in found.awards.items()}, dict(found.ignored)


def in_order(table):
    columns = (table[name].to_numpy() for name in ("key", "created_utc", "thread"))
    return table.take(pa.array(np.lexsort(tuple(columns)))).combine_chunks()


@pytest.mark.parametrize("posts", [["post"], ["one", "two", "Odd_1"]])
def test_every_thread_has_its_own_awards(posts):
    records = [record for post in posts for record in awarded_thread(post)]
    assert judged(records) == ({f"t1_{post}a": ["op_name"] for post in posts}, {})


def test_what_was_said_is_read_before_it_was_masked():
    *thread, bot = awarded_thread()
    wrong = bot | {"body": bot["body"].replace("challenger", "other")}
    assert judged([*thread, bot])[0] == {"t1_posta": ["op_name"]}
    assert judged([*thread, wrong]) == ({}, {"name_differs": 1})


def test_the_bots_word_is_enough_where_nobody_wrote_a_token():
    post, winner, other, award, bot = awarded_thread()
    assert judged([post, winner, other, award | {"body": "Well said."}, bot])[0] == {"t1_posta": ["op_name"]}


def test_comments_far_from_any_sign_are_not_asked():
    talk = [raw_comment(id=f"c{number}", parent_id=f"t1_c{number - 1}") for number in range(1, 50)]
    assert judged([*awarded_thread(), *talk]) == judged(awarded_thread())


def test_a_log_is_asked_about_its_own_thread_only():
    post, winner, other, award, _ = awarded_thread()
    silent = [post, winner, other, award | {"author": "[deleted]", "body": "[deleted]"}]
    foreign = [dict(record, id=record["id"].replace("post", "two")) for record in silent[:1]]
    logs = [logged_thread("post", "postc", "challenger")]
    assert judged(silent) == ({}, {})
    assert judged([*silent, *foreign], logs) == ({"t1_posta": ["op_name"]}, {})
    assert judged([*silent, *foreign], [logged_thread("two", "postc", "challenger")])[0] == {}


def test_a_thread_that_its_source_labels_is_left_alone():
    records = [*awarded_thread("one"), *awarded_thread("two")]
    assert judged(records, given={"t1_oneb"}) == ({"t1_twoa": ["op_name"]}, {})


def test_nothing_earns_nothing():
    assert judged([]) == ({}, {})
    assert judged(awarded_thread()[:1]) == ({}, {})
