import random
from dataclasses import replace
from itertools import combinations

import pytest

from persuasion.config import load_params
from persuasion.errors import DataFailure
from persuasion.grams import SHINGLE, grams, jaccard
from persuasion.leakage import leaks, near_duplicates, refuse_leaks
from persuasion.records import SPLITS, Pair
from persuasion.tables import write_rows
from tests.builders import pair

PARAMS = load_params().pairs


def text(seed, count=60):
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(2000)}" for _ in range(count))


def row(number):
    return pair(
        pair_id=f"p_{number:02}", thread_id=f"t3_{number}", split=SPLITS[number % 3], prompt=text(f"prompt {number}"),
        chosen=text(f"chosen {number}"), rejected=text(f"rejected {number}"), chosen_id=f"t1_{number}c",
        rejected_id=f"t1_{number}r", op_author=f"op{number}",
    )  # fmt: skip


PAIRS = [row(number) for number in range(30)]
PLANTED = {
    "thread": {"thread_id": "t3_0"},
    "author": {"op_author": "op0"},
    "near_duplicate": {"prompt": PAIRS[0].prompt + " and more"},
    "label": {"rejected": "Edit: thanks for the delta! " + text("x")},
    "text": {"rejected": PAIRS[0].chosen + " I say."},
    "awarded_rejected": {"rejected_id": "t1_0c"},
}


def found(tmp_path, pairs, awarded=()):
    for split in SPLITS:
        write_rows(tmp_path / f"{split}.parquet", [one for one in pairs if one.split == split], Pair, "pair_id")
    return leaks(tmp_path, set(awarded), PARAMS)


def test_honest_splits_have_no_leak(tmp_path):
    counts = found(tmp_path, PAIRS)
    assert counts == dict.fromkeys(PLANTED, 0)
    refuse_leaks(counts, allow=False)


@pytest.mark.parametrize("kind", PLANTED)
def test_each_planted_leak_is_found_and_refused(tmp_path, kind):
    counts = found(tmp_path, [*PAIRS[:-1], replace(PAIRS[-1], split="test", **PLANTED[kind])])
    assert {name for name, count in counts.items() if count} <= {kind, "text"} and counts[kind]
    assert not (counts["text"] and kind not in ("text", "near_duplicate"))
    with pytest.raises(DataFailure, match=kind) as refused:
        refuse_leaks(counts, allow=False)
    assert refused.value.exit_code == 3
    refuse_leaks(counts, allow=True)


def test_a_delta_comment_is_nowhere_a_negative_even_if_it_is_never_chosen(tmp_path):
    assert found(tmp_path, PAIRS, awarded=["t1_3r", "t1_elsewhere"])["awarded_rejected"] == 1


def test_unknown_ops_do_not_leak(tmp_path):
    assert found(tmp_path, [replace(one, op_author="") for one in PAIRS])["author"] == 0


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 1.0])
def test_near_duplicates_are_all_those_of_a_full_comparison(threshold):
    draw = random.Random(threshold)
    words = text("all", 40).split()
    prompts = {split: [" ".join(words[s : s + 12]) for s in draw.choices(range(25), k=20)] for split in SPLITS}
    sets = [(split, grams(one, SHINGLE)) for split in SPLITS for one in set(prompts[split])]
    expected = sum(a[0] != b[0] and jaccard(a[1], b[1]) >= threshold for a, b in combinations(sets, 2))
    assert sum(1 for _ in near_duplicates(prompts, threshold)) == expected > 0
