"""Logistic regression of a share on one quantity, read where that quantity is zero, with errors clustered by post."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from persuasion.errorbars import cluster_sums
from persuasion.measures import Floats

STEPS = 100
STEEPEST = 15.0
"""Log-odds beyond which (a chance of 3·10⁻⁷) the fit is running away to infinity."""
DONE = 1e-10
"""Gradient per pair at which Newton's method stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """log-odds = ``level`` + ``slope``·x, with the standard errors of both (None with fewer than two clusters)."""

    level: float
    slope: float
    level_error: float | None
    slope_error: float | None


def fit(outcomes: ArrayLike, x: ArrayLike, clusters: Sequence[str]) -> Line | None:
    """The maximum-likelihood line through ``outcomes`` from 0 to 1 (a tie is ½) by Newton's method; shapes [n].

    A binomial GLM with logit link (Nelder and Wedderburn 1972; ½: Papke and Wooldridge 1996). Errors are the
    sandwich of Liang and Zeger (1986) with G/(G−1). None where no finite line fits best: no outcome, all right or all
    wrong, right and wrong parted by x, x constant, or an input that is not finite.
    """
    y, design = np.asarray(outcomes, dtype=float), np.stack([np.ones(np.size(x)), np.asarray(x, dtype=float)], axis=1)
    if not y.size or not (np.isfinite(y).all() and np.isfinite(design).all()) or np.ptp(design[:, 1]) == 0:
        return None
    weights = _newton(y, design)
    if weights is None:
        return None
    chances = _sigmoid(design @ weights)
    bread = np.asarray(np.linalg.inv(design.T @ (design * (chances * (1 - chances))[:, None])), dtype=np.float64)
    scores = cluster_sums(design * (y - chances)[:, None], clusters)
    errors = [None, None] if len(scores) < 2 else _errors(bread, scores)
    return Line(level=float(weights[0]), slope=float(weights[1]), level_error=errors[0], slope_error=errors[1])


def chance(log_odds: float) -> float:
    """σ(log-odds)."""
    return float(_sigmoid(np.array(log_odds)))


def _newton(y: Floats, design: Floats) -> Floats | None:
    """The weights at which the likelihood is stationary; None when they have run away or the curvature vanishes."""
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chances = _sigmoid(design @ weights)
        slope = design.T @ (y - chances)
        if np.abs(slope).max() <= DONE * len(y):
            return weights if np.abs(design @ weights).max() <= STEEPEST else None
        curvature = design.T @ (design * (chances * (1 - chances))[:, None])
        if np.linalg.cond(curvature) > 1 / DONE:
            return None
        weights = _climbed(weights, np.asarray(np.linalg.solve(curvature, slope), dtype=np.float64), y, design)
    return None


def _climbed(weights: Floats, step: Floats, y: Floats, design: Floats) -> Floats:
    """One step uphill, halved while it would overshoot."""

    def loss(at: Floats) -> float:
        return float(np.sum(np.logaddexp(0, design @ at) - y * (design @ at)))

    now = loss(weights)
    for _ in range(30):
        if loss(weights + step) <= now + DONE * max(1.0, abs(now)):  # near the top only rounding is left
            break
        step = step / 2
    return np.asarray(weights + step)


def _errors(bread: Floats, scores: Floats) -> list[float | None]:
    meat = len(scores) / (len(scores) - 1) * scores.T @ scores
    return [float(value) for value in np.sqrt(np.diag(bread @ meat @ bread))]


def _sigmoid(log_odds: Floats) -> Floats:
    return np.exp(-np.logaddexp(0, -log_odds))
