import math

import numpy as np
import pytest
from scipy import stats

from persuasion import ranks

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_ranks_and_rho_agree_with_scipy_with_and_without_ties(levels: int) -> None:
    a = RNG.integers(0, levels, 80)
    b = a + RNG.integers(0, levels, 80)
    assert ranks.ranks(a).tolist() == stats.rankdata(a).tolist()
    assert ranks.spearman(a, b) == pytest.approx(stats.spearmanr(a, b).statistic)


def test_by_hand_and_at_the_ends() -> None:
    assert ranks.spearman([1, 2, 3], [10, 20, 1e9]) == 1
    assert ranks.spearman([1, 2, 3], [3, 2, -math.inf]) == -1
    assert ranks.spearman([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("a", "b"), [([], []), ([1], [2]), ([1, 1], [1, 2]), ([1, 2], [3, 3]), ([1, math.nan], [1, 2])]
)
def test_without_spread_there_is_none(a: list[float], b: list[float]) -> None:
    assert ranks.spearman(a, b) is None
