"""Counts by bins of one round width, with an edge at zero: what histograms are drawn from."""

from collections.abc import Mapping, Sequence

import numpy as np

MOST = 20
"""Bins that the values are spread over, about: a value at the upper end may open one more."""


def binned(columns: Mapping[str, Sequence[float]]) -> list[dict[str, float | int]]:
    """Rows ``low``, ``high`` and how many values of each column lie in [low, high), bin after bin.

    [] without values or where one is not finite.
    """
    values = {name: np.array(column, dtype=float) for name, column in columns.items()}
    every = np.concatenate(list(values.values()))
    if not every.size or not np.isfinite(every).all():
        return []
    width = _round_width(float(np.ptp(every)) or float(np.abs(every).max()))
    places = {name: np.floor(column / width).astype(int) for name, column in values.items()}
    first, last = int(np.floor(every.min() / width)), int(np.floor(every.max() / width))
    counts = {name: np.bincount(place - first, minlength=last - first + 1) for name, place in places.items()}
    return [
        {"low": round((first + at) * width, 9), "high": round((first + at + 1) * width, 9)}
        | {name: int(count[at]) for name, count in counts.items()}
        for at in range(last - first + 1)
    ]


def _round_width(spread: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that needs no more than ``MOST`` bins."""
    if not spread:
        return 1.0
    power = 10.0 ** np.floor(np.log10(spread / MOST))
    return float(next(power * step for step in (1, 2, 5, 10) if power * step * MOST >= spread * (1 - 1e-9)))
