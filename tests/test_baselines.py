import random
from dataclasses import replace

import numpy as np
import pytest

from persuasion import baselines
from persuasion.baselines import BASELINES
from persuasion.records import Pair


def pair(index: int, chosen: str, rejected: str, prompt: str = "I think that naps are a waste of time.") -> Pair:
    return Pair(
        pair_id=f"p{index:04}",
        thread_id=f"t3_{index // 2}",
        split="train",
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        chosen_id=f"t1_c{index}",
        rejected_id=f"t1_r{index}",
        chosen_author="a",
        rejected_author="b",
        op_author="c",
        created_utc=0,
        chosen_created_utc=10,
        rejected_created_utc=20,
        chosen_score=5,
        rejected_score=9,
        label_source="confirmed",
    )


def pairs_by_words(good: str, bad: str, count: int, seed: int) -> list[Pair]:
    """Pairs of like length in which only the chosen has ``good`` and only the rejected ``bad``."""
    chance = random.Random(seed)
    filler = ["tea", "walk", "night", "work", "plan", "mood", "week", "list", "park", "desk"]
    return [
        pair(i, *(" ".join([*chance.choices(filler, k=12), cue, *chance.choices(filler, k=3)]) for cue in (good, bad)))
        for i in range(count)
    ]


def test_rules() -> None:
    pairs = [pair(0, "one two three", "one two"), pair(1, "one", "one two"), pair(2, "same size", "two words")]
    assert baselines.length([], pairs) == [1.0, 0.0, 0.5]
    assert baselines.earlier([], pairs) == [1.0, 1.0, 1.0]
    assert baselines.score([], [*pairs[:1], replace(pairs[1], chosen_score=None)]) == [0.0, None]


def test_bag_of_words_finds_a_planted_word_and_nothing_in_noise() -> None:
    judged = pairs_by_words("however", "obviously", 40, seed=2)
    assert baselines.tfidf(pairs_by_words("however", "obviously", 40, seed=1), judged) == [1.0] * 40
    assert baselines.tfidf(pairs_by_words("obviously", "however", 40, seed=1), judged) == [0.0] * 40
    noise = pairs_by_words("same", "same", 200, seed=3)
    assert 0.35 < np.mean(baselines.tfidf(pairs_by_words("same", "same", 60, seed=4), noise)) < 0.65  # type: ignore[arg-type]


def test_interplay_finds_engagement_with_the_post_in_words_it_never_saw() -> None:
    def talk(words: list[str], seed: int) -> list[Pair]:
        chance = random.Random(seed)
        pairs = []
        for index in range(40):
            mine, other = chance.sample(words, 2)
            post = f"I believe {mine} {mine}er {mine}ing matters"
            pairs.append(pair(index, f"but {mine} {mine}er rests here", f"but {other} {other}er rests here", post))
        return pairs

    training = talk([f"alpha{c}" for c in "abcdefgh"], 1)
    assert np.mean(baselines.interplay(training, talk([f"beta{c}" for c in "abcdefgh"], 2))) > 0.95  # type: ignore[arg-type]


def test_features_by_hand() -> None:
    values = baselines.features("the cat sat", "the cat? maybe")
    assert values[:4].tolist() == [2, 2 / 3, 2 / 3, 0.5]
    assert values[4:8].tolist() == [1, 1, 1, 1]
    assert values[8:12].tolist() == [1, 0.5, 0.5, 1 / 3]
    assert np.isfinite(baselines.features("", "")).all()


def test_swapping_the_sides_of_a_judged_pair_swaps_the_score() -> None:
    training = pairs_by_words("however maybe", "obviously", 30, seed=1)
    judged = pairs_by_words("maybe tea", "never", 30, seed=5)
    swapped = [replace(p, chosen=p.rejected, rejected=p.chosen) for p in judged]
    for name in ("length", "tfidf", "interplay"):
        both = zip(BASELINES[name](training, judged), BASELINES[name](training, swapped), strict=True)
        assert all(a is not None and b is not None and a + b == 1 for a, b in both), name


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_empty_and_wordless_input_has_an_answer_per_pair(name: str) -> None:
    judged = [pair(0, "", ""), pair(1, "\n", "x")]
    blank = [pair(i, "", "!") for i in range(20)]
    for training in ([], blank):
        assert BASELINES[name](training, []) == []
        scores = BASELINES[name](training, judged)
        assert len(scores) == 2 and set(scores) <= {0.0, 0.5, 1.0, None}
