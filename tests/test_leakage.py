import random
from dataclasses import replace
from itertools import combinations

import pytest

from persuasion.errors import DataFailure
from persuasion.leakage import leaks, refuse_leaks
from persuasion.records import SPLITS, Pair
from persuasion.shingles import jaccard, shingles


def text(seed, count=60):
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(2000)}" for _ in range(count))


def pair(number):
    return Pair(
        pair_id=f"p_{number}",
        thread_id=f"t3_{number}",
        split=SPLITS[number % 3],
        prompt=text(f"prompt {number}"),
        chosen=text(f"chosen {number}"),
        rejected=text(f"rejected {number}"),
        chosen_id=f"t1_{number}c",
        rejected_id=f"t1_{number}r",
        chosen_author="",
        rejected_author="",
        op_author=f"op{number}",
        created_utc=0,
        chosen_created_utc=0,
        rejected_created_utc=0,
        chosen_score=None,
        rejected_score=None,
        label_source="confirmed",
    )


PAIRS = [pair(number) for number in range(30)]
PLANTED = {
    "thread": {"thread_id": "t3_0"},
    "author": {"op_author": "op0"},
    "near_duplicate": {"prompt": PAIRS[0].prompt + " and more"},
    "label": {"rejected": "Edit: thanks for the delta! " + text("x")},
    "chosen_rejected": {"rejected_id": "t1_0c"},
}


def test_honest_splits_have_no_leak():
    found = leaks(PAIRS, 0.8)
    assert found == dict.fromkeys(PLANTED, 0)
    refuse_leaks(found, allow=False)


@pytest.mark.parametrize("kind", PLANTED)
def test_each_planted_leak_is_found_and_refused(kind):
    found = leaks([*PAIRS[:-1], replace(PAIRS[-1], split="test", **PLANTED[kind])], 0.8)
    assert found == dict.fromkeys(PLANTED, 0) | {kind: 1}
    with pytest.raises(DataFailure, match=f"{kind} 1") as refused:
        refuse_leaks(found, allow=False)
    assert refused.value.exit_code == 3
    refuse_leaks(found, allow=True)


def test_unknown_ops_do_not_leak():
    assert leaks([replace(row, op_author="") for row in PAIRS], 0.8)["author"] == 0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 1.0])
def test_near_duplicates_are_all_those_of_a_full_comparison(threshold):
    draw = random.Random(threshold)
    words = text("all", 40).split()
    starts = [draw.randrange(25) for _ in range(60)]
    rows = [replace(pair(k), prompt=" ".join(words[start : start + 12])) for k, start in enumerate(starts)]
    sets = {row.thread_id: (row.split, shingles(row.prompt)) for row in rows}
    expected = sum(a[0] != b[0] and jaccard(a[1], b[1]) >= threshold for a, b in combinations(sets.values(), 2))
    assert leaks(rows, threshold)["near_duplicate"] == expected > 0
