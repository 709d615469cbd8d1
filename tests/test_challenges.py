"""Units: what an award makes of a comment, and what stands against it."""

from dataclasses import replace

import pytest

from persuasion.config import load_params
from persuasion.pairing import build_pairs
from persuasion.records import BOT
from tests.builders import AT, comment, delta, submission, talk_of

PARAMS = replace(load_params().pairs, min_words=1)
OP, ANN, BEN, CAT = "u_op", "u_ann", "u_ben", "u_cat"


def say(name, parent, author, at, **changes):
    """A comment with words of its own."""
    body = f"The {name} speaks of {name} and {name}ness at some length."
    given = {"id": f"t1_{name}", "parent_id": parent, "author": author, "created_utc": AT + at, "is_op": author == OP}
    return comment(**given | {"body": body} | changes, earned_delta="deltas" in changes)


def thread(**last):
    """Ann argues down a path and wins with her second comment; Ben and Cat argue elsewhere."""
    return [
        say("a1", "t3_post", ANN, 1), say("o1", "t1_a1", OP, 2), say("a2", "t1_o1", ANN, 3, deltas=(delta(),), **last),
        say("b1", "t3_post", BEN, 4), say("o2", "t1_b1", OP, 5), say("b2", "t1_o2", BEN, 6),
        say("c1", "t3_post", CAT, 7), say("c2", "t1_o1", CAT, 8), say("o3", "t1_a2", OP, 99),
    ]  # fmt: skip


def built(comments, unit, **changes):
    pairs, dropped = build_pairs(talk_of([submission()], comments), replace(PARAMS, unit=unit, **changes))
    return {(row.chosen_id, row.rejected_id): row for row in pairs}, {row.id: row.reason for row in dropped}


def test_root_takes_top_level_comments_alone():
    pairs, dropped = built(thread(), "root")
    assert not pairs and dropped["t1_a2"] == "nested"


def test_path_is_all_that_the_challenger_wrote_down_one_path_and_nothing_of_ops():
    pairs, _ = built(thread(), "path")
    assert set(pairs) == {("t1_a2", "t1_b2"), ("t1_a2", "t1_c1")}
    row = pairs["t1_a2", "t1_b2"]
    assert [part.split()[1] for part in row.chosen.split("\n\n")] == ["a1", "a2"]
    assert [part.split()[1] for part in row.rejected.split("\n\n")] == ["b1", "b2"]
    assert row.prompt == talk_of([submission()], []).posts[0].prompt
    assert (row.chosen_created_utc, row.rejected_created_utc) == (AT + 1, AT + 4)  # where each path begins


def test_path_ends_before_op_left_and_begins_with_the_challenger():
    pairs, _ = built([*thread(), say("b3", "t1_b2", BEN, 100)], "path")
    assert ("t1_a2", "t1_b2") in pairs
    other = [row if row.id != "t1_a1" else replace(row, author=CAT) for row in thread()]
    assert built(other, "path")[1]["t1_a2"] == "not_root_challenger"


def test_nested_shows_the_path_above_and_takes_answers_to_the_same_text():
    pairs, _ = built(thread(), "nested")
    assert set(pairs) == {("t1_a2", "t1_c2")}
    post, first, second = pairs["t1_a2", "t1_c2"].prompt.rsplit("\n\n", 2)
    assert first.startswith("Reply: The a1") and second.startswith("OP: The o1")
    assert post == talk_of([submission()], []).posts[0].prompt


@pytest.mark.parametrize("unit", ["path", "nested"])
def test_broken_paths_are_named_and_end(unit):
    lost = [row for row in thread() if row.id != "t1_o1"]
    assert built(lost, unit)[1]["t1_a2"] == "broken_path"
    circle = [replace(row, parent_id="t1_a2") if row.id == "t1_a1" else row for row in thread()]
    assert built(circle, unit)[1]["t1_a2"] == "broken_path"


def test_a_path_through_a_removed_comment_or_a_bot_is_no_prompt():
    for changes in ({"body": "[removed]"}, {"role": BOT, "is_op": False, "author": "u_bot"}):
        broken = [replace(row, **changes) if row.id == "t1_o1" else row for row in thread()]
        assert built(broken, "nested")[1]["t1_a2"] == "broken_path"


def test_a_path_of_thousands_is_walked():
    deep = [say("d0", "t3_post", ANN, 1)]
    for k in range(1, 5000):
        deep.append(say(f"d{k}", f"t1_d{k - 1}", OP if k % 2 else ANN, k + 1))
    deep[-2] = replace(deep[-2], deltas=(delta(),), earned_delta=True)
    pairs, _ = built([*deep, say("b1", "t3_post", BEN, 2)], "path", max_words=100_000)
    assert [row.chosen.count("\n\n") + 1 for row in pairs.values()] == [2500]
