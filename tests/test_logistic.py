import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from persuasion import logistic

RNG = np.random.default_rng(9)
POSTS = [str(i // 3) for i in range(600)]


def drawn(level: float, slope: float) -> tuple[np.ndarray, np.ndarray]:
    x = RNG.normal(size=600)
    return (RNG.uniform(size=600) < expit(level + slope * x)).astype(float), x


@pytest.mark.parametrize(("level", "slope"), [(0.0, 0.0), (1.0, 0.8), (-0.5, 2.0)])
def test_the_line_is_that_of_scikit_learn(level: float, slope: float) -> None:
    y, x = drawn(level, slope)
    theirs = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000).fit(x[:, None], y)
    line = logistic.fit(y, x, POSTS)
    assert line is not None
    assert (line.level, line.slope) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=1e-4)


@pytest.mark.parametrize("ties", [0, 90])
def test_line_and_clustered_errors_are_those_of_statsmodels(ties: int) -> None:
    y, x = drawn(0.2, 0.7)
    y[:ties] = 0.5
    posts = RNG.permutation(np.arange(600) % 40)
    model = sm.GLM(y, sm.add_constant(x), family=sm.families.Binomial())
    theirs = model.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": posts, "use_correction": False})
    line = logistic.fit(y, x, [str(post) for post in posts])
    assert line is not None
    assert (line.level, line.slope) == pytest.approx(tuple(theirs.params), abs=1e-6)
    assert (line.level_error, line.slope_error) == pytest.approx(tuple(theirs.bse * math.sqrt(40 / 39)), rel=1e-5)


def test_ties_are_half_a_right_and_half_a_wrong() -> None:
    y, x = drawn(0.4, 0.5)
    y[:100] = 0.5
    best = minimize(lambda w: np.sum(np.logaddexp(0, w[0] + w[1] * x) - y * (w[0] + w[1] * x)), [0, 0], tol=1e-12)
    line = logistic.fit(y, x, POSTS)
    assert line is not None and (line.level, line.slope) == pytest.approx(tuple(best.x), abs=1e-4)
    twice = logistic.fit(np.concatenate([np.ceil(y), np.floor(y)]), np.concatenate([x, x]), POSTS * 2)
    assert twice is not None and (twice.level, twice.slope) == pytest.approx((line.level, line.slope), abs=1e-8)


def test_the_errors_are_the_sandwich_written_out_with_numerical_derivatives() -> None:
    y, x = drawn(0.3, 1.0)
    line = logistic.fit(y, x, POSTS)
    assert line is not None

    def slopes(w: np.ndarray) -> np.ndarray:
        return (y - expit(w[0] + w[1] * x))[:, None] * np.stack([np.ones_like(x), x], axis=1)

    w, step = np.array([line.level, line.slope]), 1e-5
    bend = np.array([(slopes(w + d).sum(0) - slopes(w - d).sum(0)) / (2 * step) for d in step * np.eye(2)])
    names = sorted(set(POSTS))
    of_post = [sum(s for s, post in zip(slopes(w), POSTS, strict=True) if post == name) for name in names]
    meat = sum(np.outer(s, s) for s in of_post) * len(names) / (len(names) - 1)
    covariance = np.linalg.inv(bend) @ meat @ np.linalg.inv(bend).T
    assert (line.level_error, line.slope_error) == pytest.approx(tuple(np.sqrt(np.diag(covariance))), rel=1e-5)


def test_the_errors_are_as_wide_as_repeated_samples_scatter() -> None:
    lines = [logistic.fit(*drawn(0.5, 1.0), POSTS) for _ in range(200)]
    levels = [line.level for line in lines if line]
    typical = np.mean([line.level_error for line in lines if line and line.level_error])
    assert typical == pytest.approx(np.std(levels), rel=0.2)


@pytest.mark.parametrize(
    ("y", "x"),
    [
        ([], []),
        ([1.0], [1.0]),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]),
        ([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]),
        ([1.0, 0.0, 1.0], [2.0, 2.0, 2.0]),
        ([0.0, 0.0, 1.0, 1.0], [-2.0, -1.0, 1.0, 2.0]),
        ([0.0, 1.0, 1.0], [0.0, 0.0, 1.0]),
        ([0.0, 1.0], [0.0, math.inf]),
        ([math.nan, 1.0], [0.0, 1.0]),
    ],
)
def test_where_no_finite_line_is_best_there_is_none(y: list[float], x: list[float]) -> None:
    assert logistic.fit(y, x, [str(i) for i in range(len(y))]) is None


def test_one_post_has_a_line_without_errors() -> None:
    line = logistic.fit([1, 0, 1, 0], [0.0, 1.0, 1.0, 0.0], ["a"] * 4)
    assert line is not None and line.level == pytest.approx(0) and line.level_error is line.slope_error is None
    assert logistic.chance(0.0) == 0.5 and logistic.chance(-800.0) == 0.0
