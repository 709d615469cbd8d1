import random
from collections import Counter

import pytest

from persuasion.config import Split, load_params
from persuasion.errors import DataFailure
from persuasion.records import SPLITS
from persuasion.shingles import jaccard, shingles
from persuasion.splits import assigned, require_threads, split_threads
from tests.builders import submission

PARAMS = load_params().pairs


def text(seed, count=200):
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(5000)}" for _ in range(count))


def posts(count):
    return [submission(id=f"t3_{number:04}", author=f"op{number}") for number in range(count)]


def split(rows, prompts=None):
    texts = {row.id: text(row.id) for row in rows} | (prompts or {})
    return {row.thread_id: row for row in split_threads(rows, texts, PARAMS)}


def test_a_thread_keeps_its_split_when_rows_are_shuffled_or_added():
    few, many = posts(60), posts(300)
    random.Random(0).shuffle(many)
    before, after = split(few), split(many)
    assert {thread: after[thread] for thread in before} == before
    assert {row.split for row in before.values()} == set(SPLITS)


def test_shares_are_those_asked_for():
    shares = Split(train=0.5, validation=0.3, test=0.2)
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
    near = [jaccard(shingles(versions[a]), shingles(versions[b])) for a, b in [(0, 1), (1, 2), (0, 2)]]
    assert near[0] > 0.8 < near[1] and near[2] < 0.8
    groups = [row.group for row in split(rows, {f"t3_000{k}": versions[k] for k in range(3)}).values()]
    assert groups == ["t3_0000", "t3_0000", "t3_0000", "t3_0003"]


@pytest.mark.parametrize(("added", "size"), [(24, 2), (28, 1)])
def test_near_duplicates_are_told_exactly_at_the_threshold(added, size):
    rows, prompts = posts(400), {}
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        prompts[one.id] = text(one.id, 102)
        prompts[other.id] = f"{prompts[one.id]} {text(other.id, added)}"
    near = jaccard(shingles(prompts["t3_0000"]), shingles(prompts["t3_0001"]))
    assert near == pytest.approx(100 / (100 + added))
    assert set(Counter(row.group for row in split(rows, prompts).values()).values()) == {size}


def test_posts_that_can_be_no_prompt_are_not_near_duplicates():
    rows = posts(5)
    assert len({row.group for row in split(rows, {row.id: "" for row in rows}).values()}) == 5


def test_a_split_with_too_few_threads_is_refused():
    with pytest.raises(DataFailure, match="train 0, validation 0, test 0") as refused:
        require_threads([], 1)
    assert refused.value.exit_code == 3
