import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.convokit import records
from tests.forms import conversations, lines_of, posts, reasons, replies, utterance, utterances
from tests.test_documents import SCALARS, VALUES

OLD = {"speaker": "user", "conversation_id": "root", "reply_to": "reply-to"}


def read(rows, about=None):
    return list(records(lambda: lines_of(rows), conversations() if about is None else about, "changemyview"))


def test_only_root_replies_by_others_are_labelled():
    found = read(utterances())
    labelled = {id_: row.rivals for id_, row in replies(found).items() if row.given}
    assert labelled == {"t1_win": ("t1_lose",), "t1_also": ("t1_lose",)}
    assert {row.given for row in replies(found).values()} == {"", "given"}


def test_every_utterance_is_one_record():
    found = read(utterances())
    assert len(found) == len(utterances())
    assert [place.line for place, _ in found] == list(range(1, 10))
    assert reasons(found) == ["stub"]
    post = posts(found)["t3_post"]
    assert (post.title, post.selftext, post.author) == (
        "CMV: Naps are a waste",
        "I wake up dull and cross.",
        "op_name",
    )
    assert replies(found)["t1_ops"].parent_id == "t1_win"


def test_old_names_and_new_ones_give_the_same_records():
    old = [{OLD.get(name, name): value for name, value in row.items()} for row in utterances()]
    wrapped = {root: {"meta": about, "vectors": []} for root, about in conversations().items()}
    assert read(old) == [(found[0], raw) for found, (_, raw) in zip(read(old), read(utterances()), strict=True)]
    assert [raw for _, raw in read(old, wrapped)] == [raw for _, raw in read(utterances())]


def test_bare_ids_get_their_kind():
    bare = json.loads(json.dumps(utterances()).replace("t1_", "").replace("t3_", ""))
    about = {root.removeprefix("t3_"): value for root, value in conversations().items()}
    found, expected = replies(read(bare, about)), replies(read(utterances()))
    assert {id_: (row.parent_id, row.thread_id, row.rivals) for id_, row in found.items()} == {
        id_: (row.parent_id, row.thread_id, row.rivals) for id_, row in expected.items()
    }


def test_an_op_known_only_from_the_post_is_still_op():
    about = {"t3_post": {"op-title": "CMV: Naps are a waste"}}
    assert not replies(read(utterances(), about))["t1_opsroot"].given
    won = [*utterances(), utterance("t1_more", speaker="op_name", meta={"success": 1, "pair_ids": ["p_1"]})]
    assert not replies(read(won, about))["t1_more"].given


def test_two_deleted_authors_are_not_one():
    rows = [{**row, "speaker": "[deleted]"} for row in utterances()]
    about = {"t3_post": conversations()["t3_post"] | {"op-userID": "[deleted]"}}
    assert replies(read(rows, about))["t1_win"].given == "given"


def test_pairs_do_not_cross_conversations():
    other = utterance("t1_far", conversation_id="t3_two", reply_to="t3_two", meta={"success": 0, "pair_ids": ["p_1"]})
    assert replies(read([*utterances(), other]))["t1_win"].rivals == ("t1_lose",)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (utterance("t1_x", text=None), "missing_field"),
        (utterance("t1_x", timestamp=None), "missing_field"),
        (utterance("t1_x", reply_to=None), "missing_field"),
        (utterance("t1_x", conversation_id=5, reply_to=5), "wrong_type"),
        (utterance("t1_x", meta={"subreddit": "tea"}), "other_subreddit"),
        (b"[]", "not_object"),
    ],
)
def test_a_broken_utterance_is_counted(row, reason):
    assert reasons(read([row])) == [reason]


@given(
    st.dictionaries(st.sampled_from([*utterance("t1_x"), *OLD.values()]), SCALARS | VALUES, max_size=3),
    st.dictionaries(st.sampled_from(["success", "pair_ids", "score"]), SCALARS | VALUES, max_size=2),
    st.dictionaries(st.sampled_from(["t3_post", "meta"]), VALUES, max_size=2),
)
def test_any_row_gives_one_outcome(changes, meta, about):
    assert len(read([{**utterance("t1_x", meta=meta), **changes}], about)) == 1
