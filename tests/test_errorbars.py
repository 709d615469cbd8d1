import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from persuasion import errorbars

RNG = np.random.default_rng(3)


def by_pairs(values: np.ndarray, clusters: list[str]) -> float:
    """The clustered error of Miller 2024 as it is written: the variance, and every two pairs of one post."""
    n, mean, groups = len(values), values.mean(), len(set(clusters))
    total = sum((v - mean) ** 2 for v in values)
    for i in range(n):
        total += sum((values[i] - mean) * (values[j] - mean) for j in range(n) if j != i and clusters[i] == clusters[j])
    return math.sqrt(groups / (groups - 1) * total) / n


@pytest.mark.parametrize("groups", [2, 7, 40])
def test_clustered_error_is_the_double_sum_over_pairs_of_a_post(groups: int) -> None:
    clusters = [f"t{i}" for i in RNG.integers(0, groups, 90)]
    values = RNG.integers(0, 3, 90) / 2 + RNG.normal(0, 0.1, 90)
    assert errorbars.clustered_error(values, clusters) == pytest.approx(by_pairs(values, clusters))


@pytest.mark.parametrize("groups", [2, 5, 30])
def test_clustered_error_is_that_of_statsmodels(groups: int) -> None:
    """Of a regression on nothing but a constant; its factor for few clusters is another, so it is left out there."""
    member = RNG.permutation(np.arange(90) % groups)
    values = RNG.integers(0, 3, 90) / 2 + RNG.normal(0, 0.1, 90)
    given = {"groups": member, "use_correction": False}
    theirs = sm.OLS(values, np.ones(90)).fit(cov_type="cluster", cov_kwds=given).bse[0]
    ours = errorbars.clustered_error(values, [f"t{i}" for i in member])
    assert ours == pytest.approx(theirs * math.sqrt(groups / (groups - 1)))


def test_with_one_pair_a_post_it_is_the_standard_error_of_the_mean() -> None:
    values = RNG.normal(size=50)
    assert errorbars.clustered_error(values, [str(i) for i in range(50)]) == pytest.approx(stats.sem(values))


def test_copies_of_a_pair_add_nothing() -> None:
    values, posts = [1.0, 0.0, 0.0, 1.0, 1.0], list("abcde")
    assert errorbars.clustered_error(values * 3, posts * 3) == pytest.approx(errorbars.clustered_error(values, posts))


def test_it_covers_the_truth_when_pairs_of_a_post_agree() -> None:
    """The plain error would be half as wide and miss it in a third of the trials."""
    posts = [str(i // 4) for i in range(400)]
    hits = 0
    for _ in range(300):
        values = np.repeat(RNG.normal(size=100), 4)
        hits += abs(values.mean()) <= 1.96 * (errorbars.clustered_error(values, posts) or 0)
    assert 0.91 < hits / 300 < 0.98


@pytest.mark.parametrize(
    ("values", "posts"), [([], []), ([1.0], ["a"]), ([1, 0], ["a", "a"]), ([1, math.inf], "ab"), ([1, math.nan], "ab")]
)
def test_an_error_needs_two_posts_and_finite_values(values: list[float], posts: list[str]) -> None:
    assert errorbars.clustered_error(values, list(posts)) is None


def test_constant_values_have_no_error_and_detect_nothing() -> None:
    assert errorbars.clustered_error([0.5] * 6, list("aabbcc")) == 0
    assert errorbars.detectable(0.0) is errorbars.detectable(None) is None


def test_an_effect_of_the_detectable_size_is_seen_four_times_in_five() -> None:
    size = errorbars.detectable(0.03)
    assert size == pytest.approx(0.03 * 2.8016, rel=1e-4)
    seen = np.abs(stats.norm.rvs(size, 0.03, 40_000, random_state=1)) > 1.959964 * 0.03
    assert seen.mean() == pytest.approx(0.8, abs=0.01)
