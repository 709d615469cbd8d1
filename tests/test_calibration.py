import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss

from persuasion import calibration as c

RNG = np.random.default_rng(11)
SIMULATED = [RNG.normal(0.5 * scale, scale, 400) for scale in (0.05, 1.0, 5.0)]


@pytest.mark.parametrize("margins", SIMULATED)
def test_brier_and_nll_agree_with_scikit_learn_whichever_side_stands_first(margins: np.ndarray) -> None:
    sides = np.where(np.arange(len(margins)) % 2, 1, -1)
    probabilities, labels = c.probabilities(margins * sides), sides > 0
    assert c.brier(margins) == pytest.approx(brier_score_loss(labels, probabilities))
    assert c.nll(margins) == pytest.approx(log_loss(labels, np.clip(probabilities, 1e-300, 1)), rel=1e-6)


@pytest.mark.parametrize("margins", SIMULATED)
def test_temperature_is_the_optimum_of_two_other_methods(margins: np.ndarray) -> None:
    temperature = c.fit_temperature(margins)
    assert temperature is not None
    best = minimize_scalar(lambda x: np.logaddexp(0, -margins * np.exp(x)).mean(), bounds=(-9, 9), method="bounded")
    assert c.nll_calibrated(margins) == pytest.approx(best.fun, abs=1e-7)
    both = np.concatenate([margins, -margins]).reshape(-1, 1) / np.std(margins)
    model = LogisticRegression(C=1e9, fit_intercept=False, tol=1e-10).fit(both, np.repeat([1, 0], len(margins)))
    assert np.std(margins) / temperature == pytest.approx(model.coef_[0, 0], rel=1e-3)


def test_nll_calibrated_does_not_see_the_scale_of_margins() -> None:
    assert c.nll_calibrated(SIMULATED[1]) == pytest.approx(c.nll_calibrated(SIMULATED[1] * 37), abs=1e-12)


@pytest.mark.parametrize(
    ("margins", "expected"),
    [([3.0], 0.0), ([0.1, 5.0], 0.0), ([-1.0], math.log(2)), ([0.0, 0.0], math.log(2)), ([1.0, -1.0], math.log(2))],
)
def test_temperature_is_bounded_when_the_optimum_is_not(margins: list[float], expected: float) -> None:
    assert 0 < (c.fit_temperature(margins) or 0) < math.inf
    assert c.nll_calibrated(margins) == pytest.approx(expected, abs=1e-3)


def test_ece_by_hand() -> None:
    assert c.ece([math.log(3), math.log(3), math.log(3), -math.log(3)]) == pytest.approx(0)
    assert c.ece([math.log(9), -math.log(9)]) == pytest.approx(0.4)
    assert c.ece([math.log(9), math.log(3)]) == pytest.approx((0.1 + 0.25) / 2)


def test_ece_agrees_with_a_plain_loop_over_sorted_pairs() -> None:
    margins = SIMULATED[1][:300]
    ordered = sorted((1 / (1 + math.exp(-abs(m))), m > 0) for m in margins)
    bins = [ordered[i * 20 : (i + 1) * 20] for i in range(15)]
    gaps = [abs(sum(right for _, right in rows) - sum(p for p, _ in rows)) for rows in bins]
    assert c.ece(margins) == pytest.approx(sum(gaps) / 300)


def test_reliability_keeps_every_pair_and_ignores_their_order() -> None:
    margins = RNG.integers(-3, 4, 200) / 2
    rows = c.reliability(margins)
    assert sum(row["pairs"] for row in rows) == 200
    assert rows == c.reliability(np.sort(margins))
    assert sum(row["pairs"] * row["observed"] for row in rows) == pytest.approx(
        (margins > 0).sum() + (margins == 0).sum() / 2
    )


def test_extreme_margins_stay_finite() -> None:
    assert c.nll([-1e4, 1e4]) == pytest.approx(5e3)
    assert c.brier([1e4, -1e4]) == 0.5


@pytest.mark.parametrize("figure", [c.brier, c.nll, c.ece, c.fit_temperature, c.nll_calibrated])
@pytest.mark.parametrize("margins", [[], [math.inf], [1.0, -math.inf], [math.nan]])
def test_what_is_undefined_is_none(figure: Callable[[list[float]], float | None], margins: list[float]) -> None:
    assert figure(margins) is None
    assert c.reliability(margins) == []
