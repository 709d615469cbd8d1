"""How far a mean may be off when pairs come in posts: the clustered standard error, and what it could detect.

The interval by resampling posts is ``measures.cluster_bootstrap``.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from persuasion.measures import Floats

LEVEL, POWER = 0.05, 0.8
"""Of a two-sided test, and its chance to see a difference of the detectable size."""


def clustered_error(values: ArrayLike, clusters: Sequence[str]) -> float | None:
    """The standard error of the mean of ``values`` (shape [n], one cluster name each) when clusters are independent.

    sqrt(G/(G−1) · Σ_g (Σ_{i∈g} (v_i − v̄))²) / n for G clusters: the clustered standard error of Miller 2024
    (arXiv:2411.00640), Liang and Zeger's (1986) sandwich for a mean with the usual factor for few clusters; with one
    value a cluster it is s/√n. In the unit of ``values``. None with fewer than two clusters or a value not finite.
    """
    array = np.asarray(values, dtype=float)
    if not array.size or not np.isfinite(array).all():
        return None
    sums = cluster_sums(array - array.mean(), clusters)
    if len(sums) < 2:
        return None
    return float(np.sqrt(len(sums) / (len(sums) - 1) * np.sum(sums**2)) / len(array))


def cluster_sums(values: Floats, clusters: Sequence[str]) -> Floats:
    """Σ of ``values`` ([n] or [n, k]) over each cluster, clusters in the order of their names. Shape [G] or [G, k]."""
    names, member = np.unique(np.asarray(clusters, dtype=str), return_inverse=True)
    sums = np.zeros((len(names), *values.shape[1:]))
    np.add.at(sums, member, values)
    return sums


def detectable(error: float | None) -> float | None:
    """The smallest true mean that a two-sided test at ``LEVEL`` sees with chance ``POWER``: (z_{1−α/2} + z_{power})·SE.

    The power analysis of Miller 2024, solved for the effect; the far tail (under 10⁻⁵) is left out.
    In the unit of ``error``. None without an error, or where it is 0: equal values say nothing of their spread.
    """
    normal = NormalDist()
    return error * (normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)) if error else None
