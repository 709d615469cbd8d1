import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from persuasion.config import load_params
from persuasion.dataparams import Cuts, Shares
from persuasion.errors import DataFailure
from persuasion.grams import SHINGLE, grams, jaccard
from persuasion.minhash import signature
from persuasion.records import SPLITS
from persuasion.splits import Posts, assigned, out_of_order, require_pairs, require_threads, seconds, split_threads
from tests.builders import submission

PARAMS = load_params().pairs


def text(seed, count=200):
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(5000)}" for _ in range(count))


def posts(count):
    return [submission(id=f"t3_{number:04}", author=f"op{number}") for number in range(count)]


def known(rows, prompts=None):
    texts = {row.id: text(row.id) for row in rows} | (prompts or {})
    return Posts(
        ids=[row.id for row in rows],
        authors=[row.author for row in rows],
        created=np.array([row.created_utc for row in rows]),
        prompts=[texts[row.id] for row in rows],
        signatures=np.array([signature(grams(texts[row.id], SHINGLE)) for row in rows]),
    )


def split(rows, prompts=None):
    return {row.thread_id: row for row in split_threads(known(rows, prompts), PARAMS)}


def test_a_thread_keeps_its_split_when_rows_are_shuffled_or_added():
    few, many = posts(60), posts(300)
    random.Random(0).shuffle(many)
    before, after = split(few), split(many)
    assert {thread: after[thread] for thread in before} == before
    assert {row.split for row in before.values()} == set(SPLITS)


def test_shares_are_those_asked_for():
    shares = Shares(train=0.5, validation=0.3, test=0.2)
    counts = Counter(assigned(f"t3_{number}", shares, seed=7) for number in range(20_000))
    assert [counts[name] / 20_000 for name in SPLITS] == pytest.approx([0.5, 0.3, 0.2], abs=0.02)
    assert any(assigned(f"t3_{k}", shares, 1) != assigned(f"t3_{k}", shares, 2) for k in range(50))


def test_one_op_is_one_group_and_unknown_ops_are_none():
    rows = [submission(id=f"t3_{k}", author=author) for k, author in enumerate(["a", "", "a", "", "b", "a"])]
    groups = {thread: row.group for thread, row in split(rows).items()}
    assert list(groups.values()) == ["t3_0", "t3_1", "t3_0", "t3_3", "t3_4", "t3_0"]


def test_near_duplicates_are_one_group_even_in_a_chain():
    rows, words = posts(4), text("chain").split()
    versions = [" ".join(words[shift : shift + 180]) for shift in (0, 10, 20)]
    near = [jaccard(grams(versions[a], SHINGLE), grams(versions[b], SHINGLE)) for a, b in [(0, 1), (1, 2), (0, 2)]]
    assert near[0] > 0.8 < near[1] and near[2] < 0.8
    groups = [row.group for row in split(rows, {f"t3_000{k}": versions[k] for k in range(3)}).values()]
    assert groups == ["t3_0000", "t3_0000", "t3_0000", "t3_0003"]


@pytest.mark.parametrize(("added", "size"), [(24, 2), (28, 1)])
def test_near_duplicates_are_told_exactly_at_the_threshold(added, size):
    rows, prompts = posts(400), {}
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        prompts[one.id] = text(one.id, 102)
        prompts[other.id] = f"{prompts[one.id]} {text(other.id, added)}"
    near = jaccard(grams(prompts["t3_0000"], SHINGLE), grams(prompts["t3_0001"], SHINGLE))
    assert near == pytest.approx(100 / (100 + added))
    assert set(Counter(row.group for row in split(rows, prompts).values()).values()) == {size}


def test_posts_that_can_be_no_prompt_are_not_near_duplicates():
    rows = posts(5)
    assert len({row.group for row in split(rows, {row.id: "" for row in rows}).values()}) == 5


def test_a_split_with_too_few_threads_is_refused():
    with pytest.raises(DataFailure, match="train 0, validation 0, test 0") as refused:
        require_threads([], 1)
    assert refused.value.exit_code == 3


def test_no_pair_at_all_is_refused_with_the_reasons():
    with pytest.raises(DataFailure, match="no thread gives a pair") as refused:
        require_pairs(0, {"no_delta": 3, "nested": 5})
    assert refused.value.exit_code == 3 and "nested 5, no_delta 3" in str(refused.value)
    require_pairs(1, {})


DAY = 86_400
TIME = replace(PARAMS, split="time")


def calendar(count=100, **authors):
    return [
        submission(id=f"t3_{k:03}", author=authors.get(f"t3_{k:03}", f"op{k}"), created_utc=DAY * (k + 1))
        for k in range(count)
    ]


def test_by_time_training_precedes_validation_precedes_test():
    posts = known(calendar())
    rows = split_threads(posts, TIME)
    assert Counter(row.split for row in rows) == {"train": 60, "validation": 20, "test": 20}
    assert [row.split for row in rows] == ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    assert out_of_order(posts, rows, TIME) == set()


def test_by_time_a_group_goes_with_its_latest_thread_and_the_older_ones_are_out_of_order():
    posts = known(calendar(t3_010="ann", t3_090="ann"))
    rows = {row.thread_id: row for row in split_threads(posts, TIME)}
    assert rows["t3_010"].split == rows["t3_090"].split == "test"
    assert out_of_order(posts, rows.values(), TIME) == {"t3_010"}


def test_days_cut_where_they_are_told_to():
    params = replace(TIME, cuts=Cuts(validation="1970-01-11", test="1970-01-31"))
    assert seconds("1970-01-11") == 10 * DAY
    rows = split_threads(known(calendar()), params)
    assert Counter(row.split for row in rows) == {"train": 9, "validation": 20, "test": 71}


def test_unknown_times_cannot_be_split_by():
    with pytest.raises(DataFailure, match="cannot be split by time"):
        split_threads(known([submission(created_utc=0)]), TIME)
