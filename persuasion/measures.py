"""Measures of judgement and of text, as plain functions of numbers and strings.

What cannot be defined (no pairs, one cluster, an infinity where a mean is asked) is None, never NaN.
This module knows nothing of models, files or rows.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Interval = tuple[float | None, float | None]

BLOCK = 4_000_000
"""Cluster draws held in memory at once (32 MB)."""


def mean(values: ArrayLike) -> float | None:
    """The arithmetic mean; None when there is no value or the mean is not finite."""
    array = np.asarray(values, dtype=float)
    if not array.size:
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        result = float(array.mean())
    return result if np.isfinite(result) else None


def scores(margins: ArrayLike) -> Floats:
    """Each margin's score: 1 above zero, ½ at zero, 0 below, NaN for NaN. Shape [n]."""
    array = np.asarray(margins, dtype=float)
    return np.where(np.isnan(array), np.nan, (np.sign(array) + 1) / 2)


def accuracy(margins: ArrayLike) -> float | None:
    """mean[margin > 0] + ½·mean[margin = 0]: a tie counts as the coin it is."""
    return mean(scores(margins))


def cluster_bootstrap(values: ArrayLike, clusters: Sequence[str], resamples: int, seed: int) -> Interval:
    """The 95 % percentile interval of the mean of ``values`` when whole clusters are drawn with replacement.

    Pairs of one submission are not independent, so submissions are resampled, each with all its
    pairs (Field and Welsh 2007; Miller 2024, arXiv:2411.00640). ``values`` has shape [n], one
    cluster name each. Quantiles are interpolated linearly. (None, None) with fewer than two
    clusters or a value that is not finite. When every value is the same the interval has no
    width: the bootstrap cannot see beyond the sample.
    """
    array = np.asarray(values, dtype=float)
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    if len(names) < 2 or not np.isfinite(array).all():
        return None, None
    sums = np.bincount(member, weights=array)
    sizes = np.bincount(member).astype(float)
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = max(1, BLOCK // len(names))
    means = np.empty(resamples)
    for start in range(0, resamples, rows):
        drawn = generator.integers(0, len(names), size=(min(rows, resamples - start), len(names)))
        means[start : start + rows] = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def perplexity(logps: ArrayLike, tokens: ArrayLike) -> float | None:
    """exp(−Σ logp / Σ tokens): logps in nats, summed per completion; both of shape [n].

    None with no tokens, or when it is beyond a float.
    """
    total = float(np.sum(np.asarray(tokens, dtype=float)))
    if total <= 0:
        return None
    with np.errstate(over="ignore"):
        result = float(np.exp(-np.sum(np.asarray(logps, dtype=float)) / total))
    return result if np.isfinite(result) else None


def words(text: str) -> int:
    """Length in words, split at white space."""
    return len(text.split())


def length_matched(first: Sequence[str], second: Sequence[str], tolerance: float) -> NDArray[np.bool_]:
    """Which pairs differ in words by at most ``tolerance`` of the longer one. Shape [n]."""
    a, b = (np.array([words(text) for text in texts], dtype=float) for texts in (first, second))
    return np.abs(a - b) <= tolerance * np.maximum(a, b)


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    """All runs of ``n`` lower-cased words, in order."""
    tokens = text.lower().split()
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def distinct_n(texts: Iterable[str], n: int) -> float | None:
    """Distinct n-grams over all n-grams of all texts (Li et al. 2016, arXiv:1510.03055); None without n-grams."""
    grams = [gram for text in texts for gram in ngrams(text, n)]
    return len(set(grams)) / len(grams) if grams else None


def copied(texts: Sequence[str], sources: Iterable[str], n: int = 13) -> list[bool]:
    """Which texts share a run of ``n`` words with any source (13: the overlap rule of Brown et al. 2020, app. C).

    Sources are streamed once; memory grows with the texts only.
    """
    own = [set(ngrams(text, n)) for text in texts]
    wanted = set().union(*own)
    found = {gram for source in sources for gram in ngrams(source, n) if gram in wanted}
    return [not grams.isdisjoint(found) for grams in own]
