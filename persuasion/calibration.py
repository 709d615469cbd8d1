"""Are the margins honest probabilities? The model says P(chosen wins) = σ(margin) (Bradley and Terry 1952).

Every pair's label is "chosen wins", so a reading that keeps the chosen side first would reward
any optimist. Brier score and NLL do not depend on which side stands first; ECE and the
reliability rows read the confidence of the side the model prefers, σ(|margin|), against
whether that side was right. Margins have shape [n]; without a finite margin the answer is None.
"""

from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from persuasion.evenly import parts
from persuasion.measures import Floats, scores

BINS = 15
WIDEST = 1e3
"""A temperature lies within this factor of the mean |margin|, both ways."""
HALVINGS = 60


class Reliability(TypedDict):
    """One bin: mean confidence, share right (ties count ½), and how many pairs."""

    predicted: float
    observed: float
    pairs: int


def probabilities(margins: ArrayLike) -> Floats:
    """σ(margin) without overflow: exp(−log(1 + exp(−margin)))."""
    return np.exp(-_losses(np.asarray(margins, dtype=float)))


def brier(margins: ArrayLike) -> float | None:
    """The mean of (1 − σ(margin))² (Brier 1950); a coin gets 0.25."""
    array = _finite(margins)
    return None if array is None else float(np.mean(probabilities(-array) ** 2))


def nll(margins: ArrayLike) -> float | None:
    """−mean log σ(margin), in nats; a coin gets ln 2."""
    array = _finite(margins)
    return None if array is None else float(np.mean(_losses(array)))


def reliability(margins: ArrayLike, bins: int = BINS) -> list[Reliability]:
    """Confidence against outcome in up to ``bins`` bins of equal mass, least confident first.

    Equal confidences share a bin, so the order of pairs cannot matter.
    """
    array = _finite(margins)
    if array is None:
        return []
    confidence, right = probabilities(np.abs(array)), scores(array)
    member = parts(confidence, bins)
    return [
        Reliability(
            predicted=float(confidence[member == index].mean()),
            observed=float(right[member == index].mean()),
            pairs=int((member == index).sum()),
        )
        for index in range(member.max() + 1)
    ]


def ece(margins: ArrayLike, bins: int = BINS) -> float | None:
    """Expected calibration error: Σ (pairs/n)·|observed − predicted| over equal-mass bins.

    Naeini et al. 2015; equal mass after Nguyen and O'Connor 2015. Biased upwards when bins hold few pairs.
    """
    rows = reliability(margins, bins)
    total = sum(row["pairs"] for row in rows)
    return sum(row["pairs"] * abs(row["observed"] - row["predicted"]) for row in rows) / total if total else None


def fit_temperature(margins: ArrayLike) -> float | None:
    """The T > 0 that minimises the NLL of σ(margin/T) (Guo et al. 2017, arXiv:1706.04599, section 4.2).

    The NLL is convex in 1/T, so its slope Σ −m·σ(−m/T) changes sign at most once, and bisection in
    log T finds where. T stays within a factor ``WIDEST`` of the mean |margin|: margins that are all right
    (T → 0) or no better than a coin (T → ∞) stop there. All-zero margins give 1.
    """
    array = _finite(margins)
    if array is None:
        return None
    scale = float(np.mean(np.abs(array)))
    if not scale:
        return 1.0
    units = array / scale
    low, high = -np.log(WIDEST), np.log(WIDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_cold = np.mean(units * probabilities(-units / np.exp(middle))) < 0
        low, high = (middle, high) if too_cold else (low, middle)
    return float(scale * np.exp((low + high) / 2))


def nll_calibrated(margins: ArrayLike) -> float | None:
    """The NLL at the fitted temperature, in nats: what the ranking is worth whatever its scale.

    T is fitted on these same margins, one number on all of them, so the figure is slightly
    optimistic; it lies between 0 and ln 2, and scaling every margin (a larger beta) leaves it alone.
    """
    array, temperature = _finite(margins), fit_temperature(margins)
    return None if array is None or temperature is None else nll(array / temperature)


def _losses(margins: Floats) -> Floats:
    """−log σ(margin) = log(1 + exp(−margin)), without overflow."""
    return np.logaddexp(0, -margins)


def _finite(margins: ArrayLike) -> Floats | None:
    array = np.asarray(margins, dtype=float)
    return array if array.size and np.isfinite(array).all() else None
