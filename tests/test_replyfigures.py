"""Figures of replies: a number, or null with the reason why; never NaN, and cut posts are counted."""

import json
from dataclasses import replace

import pytest

from persuasion.records import Reply
from persuasion.replyfigures import Told, figures
from persuasion.touchstones import PREFIX
from persuasion.undefined import settled
from tests.test_judging import nulls

ONE = Reply(thread_id="t3_1", prompt="Naps help", text="They do help you, friend", base_text="They do", chosen="",
            seed=1, stopped=True, base_stopped=False, crisis=False)  # fmt: skip
CASES = {
    "nothing": [],
    "one": [ONE],
    "without words": [replace(ONE, text="", base_text="!?")],
    "posts without words": [replace(ONE, thread_id=f"t3_{at}", prompt="the of") for at in range(3)],
    "in crisis alone": [replace(ONE, crisis=True)],
    "challenges alone": [replace(ONE, thread_id=f"{PREFIX}a"), replace(ONE, thread_id=f"{PREFIX}b")],
    "alike": [replace(ONE, thread_id=f"t3_{at}", prompt=f"Naps help {at} people") for at in range(4)],
}


def judged(rows):
    facts = {row.thread_id: Told((4, 2), cut=row.thread_id.endswith(("1", "a"))) for row in rows}
    return settled(figures(rows, facts, ["they do help"]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_a_number_or_null_with_a_reason(name):
    plain, reasons = judged(CASES[name])
    json.dumps(plain, allow_nan=False)
    assert nulls(plain) == set(reasons) and all(reasons.values())


def test_the_reasons_are_told_apart():
    assert judged([])[1]["eos_rate"] == "no replies"
    assert judged(CASES["one"])[1]["self_bleu"] == "fewer than two replies with words"
    assert judged(CASES["without words"])[1]["distinct_1"] == "no reply with words"
    assert judged(CASES["posts without words"])[1]["relevance.own"] == "the posts have no content words"
    assert judged(CASES["alike"])[1] == {"challenge.eos_rate": "no replies"} | {
        name: why for name, why in judged([])[1].items() if name.startswith("challenge.")
    } | {"base.distinct_3": "no reply of 3 words", "base.repetition_4": "no reply of 4 words"}  # fmt: skip


def test_cut_posts_are_counted_apart_from_challenges_and_crises():
    rows = [*CASES["alike"], *CASES["challenges alone"]]
    plain, _ = judged(rows)
    assert plain["truncated"] == {"prompt": 1} and plain["challenge"]["truncated"] == {"prompt": 1}
    assert judged(CASES["in crisis alone"])[0]["truncated"] == {"prompt": 0}
