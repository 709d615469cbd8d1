import math

import numpy as np
import pytest
from scipy import stats

from persuasion.contests import contests
from persuasion.undefined import Undefined, settled
from tests.test_judging import SETTINGS

RNG = np.random.default_rng(7)
POSTS = [str(i // 2) for i in range(200)]
POLICY = [float(v) for v in RNG.choice([0, 0.5, 1], 200, p=[0.2, 0.1, 0.7])]
RIVALS = {
    name: [float(v) for v in RNG.choice([0, 1], 200, p=[1 - p, p])] for name, p in (("weak", 0.5), ("even", 0.75))
}


def test_a_contest_is_the_difference_its_tests_and_their_counts() -> None:
    found = contests(POLICY, RIVALS, POSTS, SETTINGS)
    for name, rival in RIVALS.items():
        row, gaps = found[name], np.array(POLICY) - np.array(rival)
        assert row["mean"] == pytest.approx(gaps.mean()) and row["low"] < row["mean"] < row["high"]
        assert (row["wins"], row["losses"], row["pairs"]) == ((gaps > 0).sum(), (gaps < 0).sum(), 200)
        assert row["p_mcnemar"] == pytest.approx(stats.binomtest(row["wins"], row["wins"] + row["losses"]).pvalue)
        assert row["detectable"] == pytest.approx(2.8016 * row["se"], rel=1e-4)
        assert 1.5 * row["se"] < (row["high"] - row["low"]) / 2 < 2.5 * row["se"]
    assert found["weak"]["p_holm"] == 2 * found["weak"]["p_sign_flip"] < 0.05
    assert found["even"]["p_holm"] == max(found["even"]["p_sign_flip"], found["weak"]["p_holm"])


def test_pairs_that_a_rival_cannot_judge_are_left_out_and_a_rival_never_asked_stays_out_of_the_family() -> None:
    half = [value if i % 2 else None for i, value in enumerate(RIVALS["weak"])]
    found = contests(POLICY, {"half": half, "never": [None] * 200}, POSTS, SETTINGS)
    assert found["half"]["pairs"] == 100 and found["half"]["p_holm"] == found["half"]["p_sign_flip"]
    assert found["never"]["pairs"] == 0
    plain, reasons = settled(found["never"])
    assert all(
        plain[name] is None for name in ("mean", "low", "se", "p_mcnemar", "p_sign_flip", "p_holm", "detectable")
    )
    assert all(reason.startswith("not asked") for reason in reasons.values())


def test_the_same_judge_twice_is_no_difference() -> None:
    row = contests(POLICY, {"twin": POLICY}, POSTS, SETTINGS)["twin"]
    assert (row["mean"], row["wins"], row["losses"], row["p_mcnemar"], row["p_sign_flip"]) == (0, 0, 0, 1, 1)
    assert isinstance(row["detectable"], Undefined)


@pytest.mark.parametrize(
    ("policy", "posts"), [([], []), ([1.0], ["a"]), ([1.0, 0.0], ["a", "a"]), ([math.nan, 1.0], ["a", "b"])]
)
def test_too_little_to_compare_says_why(policy: list[float | None], posts: list[str]) -> None:
    row = contests(policy, {"coin": [0.5] * len(policy)}, posts, SETTINGS)["coin"]
    for name in ("low", "high", "se", "p_sign_flip", "p_holm", "detectable"):
        assert isinstance(row[name], Undefined), name
