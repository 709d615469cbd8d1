import random
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from persuasion import lengthcontrol as c
from persuasion.records import Pair
from persuasion.undefined import Undefined
from tests.test_baselines import pair
from tests.test_judging import SETTINGS, verdict


def drawn(level: float, slope: float, seed: int) -> tuple[list[Pair], list[float | None]]:
    """Pairs of two per post, and a judge who is right with odds that grow with the difference in words."""
    chance = random.Random(seed)
    sizes = [(chance.randint(1, 60), chance.randint(1, 60)) for _ in range(500)]
    pairs = [pair(i, "a " * chosen, "b " * rejected) for i, (chosen, rejected) in enumerate(sizes)]
    return pairs, [float(chance.random() < expit(level + slope * (a - b))) for a, b in sizes]


def test_the_line_at_equal_length_is_the_intercept_of_a_plain_regression() -> None:
    pairs, right = drawn(0.3, 0.05, 1)
    apart = c.words_apart(pairs)
    x = np.tanh(apart / np.std(apart))[:, None]
    theirs = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000).fit(x, np.array(right))
    found = c.at_equal_length(right, apart, [p.thread_id for p in pairs])
    assert found["accuracy_equal"] == pytest.approx(expit(theirs.intercept_[0]), abs=1e-4)
    assert found["slope"] == pytest.approx(theirs.coef_[0, 0], abs=1e-3)
    assert found["accuracy_equal_low"] < found["accuracy_equal"] < found["accuracy_equal_high"]


def test_a_judge_of_length_alone_is_a_coin_at_equal_length() -> None:
    """And a judge who does not look at length keeps what it gets."""
    for level, slope, expected in ((0.0, 0.2, 0.5), (1.0, 0.0, expit(1.0))):
        held = 0
        for seed in range(20):
            pairs, right = drawn(level, slope, seed)
            found = c.at_equal_length(right, c.words_apart(pairs), [p.thread_id for p in pairs])
            held += found["accuracy_equal_low"] < expected < found["accuracy_equal_high"]
            assert (found["slope"] > 4 * found["slope_se"]) == (slope > 0)
        assert held >= 17


def test_correlations_agree_with_scipy() -> None:
    pairs, right = drawn(0, 0.1, 3)
    chance = random.Random(3)
    verdicts = [verdict(p.pair_id, len(p.chosen) / 50 + chance.random(), chance.random()) for p in pairs]
    found = c.lengths(right, verdicts, pairs, SETTINGS)
    apart = [len(p.chosen.split()) - len(p.rejected.split()) for p in pairs]
    assert found["spearman_margin"] == pytest.approx(stats.spearmanr(apart, [v.margin for v in verdicts]).statistic)
    words = [len(text.split()) for p in pairs for text in (p.chosen, p.rejected)]
    rewards = [reward for v in verdicts for reward in (v.chosen_reward, v.rejected_reward)]
    assert found["spearman_reward"] == pytest.approx(stats.spearmanr(words, rewards).statistic)


def test_bins_hold_every_pair_once_and_equal_differences_together() -> None:
    pairs, right = drawn(0, 0.1, 4)
    apart = c.words_apart(pairs)
    rows = c.bins(right, apart, [p.thread_id for p in pairs], SETTINGS)
    assert sum(row["pairs"] for row in rows) == 500 and len(rows) == SETTINGS.length_bins
    assert all(a["words_high"] < b["words_low"] for a, b in pairwise(rows))
    assert sum(row["pairs"] * row["accuracy"] for row in rows) == pytest.approx(sum(right))  # type: ignore[arg-type]
    assert all(80 <= row["pairs"] <= 120 for row in rows)
    assert len(c.bins([1.0] * 9, np.array([3.0, -3.0, 3.0] * 3), ["a"] * 9, SETTINGS)) == 1


def test_matched_pairs_and_sides_by_hand() -> None:
    pairs = [pair(0, "a b", "c d"), pair(2, "a", "b c d"), pair(4, "a b c", "d")]
    scores: list[float | None] = [1.0, 0.0, 0.5]
    found = c.matched(scores, pairs, SETTINGS)
    assert (found["accuracy_length_matched"], found["pairs_length_matched"]) == (1.0, 1)
    tree = c.lengths(scores, [verdict(p.pair_id, 1, 0) for p in pairs], pairs, SETTINGS)
    assert (tree["chosen_longer"]["accuracy"], tree["chosen_shorter"]["accuracy"]) == (0.5, 0.0)


def test_what_length_cannot_tell_says_why() -> None:
    threads = ["a", "b", "c"]
    for scores, apart in (([], []), ([1.0] * 3, [1, 2, 3]), ([1.0, 0.0, 1.0], [4, 4, 4]), ([0.0, 0.0, 1.0], [1, 1, 9])):
        found = c.at_equal_length(list(scores), np.array(apart, dtype=float), threads[: len(scores)])
        assert all(isinstance(value, Undefined) for value in found.values())
    assert isinstance(c.matched([1.0], [pair(0, "a", "b c")], SETTINGS)["accuracy_length_matched"], Undefined)
    assert c.bins([], np.zeros(0), [], SETTINGS) == []


def test_scatter_leaves_out_what_has_no_place() -> None:
    pairs = [pair(0, "a b", "c"), pair(1, "a", "b")]
    verdicts = [verdict("p0000", 2, 0), verdict("p0001", float("-inf"), 0)]
    assert c.scatter(verdicts, pairs) == [{"words": 1, "margin": 2}]
