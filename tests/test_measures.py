import json
import math

import numpy as np
import pytest

from persuasion import measures

INFINITY = float("inf")


def test_accuracy_counts_ties_as_half() -> None:
    assert measures.accuracy([1.0, -1.0, 0.0, 2.0]) == 0.625
    assert measures.accuracy([INFINITY, -INFINITY]) == 0.5
    assert measures.accuracy([]) is None
    assert measures.accuracy([1.0, math.nan]) is None


def test_cluster_bootstrap_agrees_with_resampling_done_by_hand() -> None:
    rng = np.random.default_rng(5)
    clusters = [f"t{i}" for i in rng.integers(0, 30, 120)]
    values = rng.integers(0, 2, 120).astype(float)
    low, high = measures.cluster_bootstrap(values, clusters, 4000, seed=1)
    names = sorted(set(clusters))
    rows = {name: [v for v, c in zip(values, clusters, strict=True) if c == name] for name in names}
    means = []
    for _ in range(4000):
        drawn = [value for index in rng.integers(0, len(names), len(names)) for value in rows[names[index]]]
        means.append(sum(drawn) / len(drawn))
    assert low == pytest.approx(np.percentile(means, 2.5), abs=0.012)
    assert high == pytest.approx(np.percentile(means, 97.5), abs=0.012)


def test_cluster_bootstrap_does_not_depend_on_the_order_of_pairs_nor_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = [f"t{i % 7}" for i in range(40)]
    values = [float(i % 3 == 0) for i in range(40)]
    whole = measures.cluster_bootstrap(values, clusters, 500, seed=3)
    assert whole == measures.cluster_bootstrap(values[::-1], clusters[::-1], 500, seed=3)
    assert whole != measures.cluster_bootstrap(values, clusters, 500, seed=4)
    monkeypatch.setattr(measures, "BLOCK", 50)
    assert whole == measures.cluster_bootstrap(values, clusters, 500, seed=3)


def test_cluster_bootstrap_is_wider_when_pairs_of_a_post_agree() -> None:
    values = [float(i // 10 % 2) for i in range(200)]
    together = measures.cluster_bootstrap(values, [f"t{i // 10}" for i in range(200)], 1000, seed=1)
    alone = measures.cluster_bootstrap(values, [f"t{i}" for i in range(200)], 1000, seed=1)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])


@pytest.mark.parametrize(
    ("values", "clusters"), [([], []), ([1.0], ["a"]), ([1.0, 0.0], ["a", "a"]), ([1.0, INFINITY], ["a", "b"])]
)
def test_an_interval_needs_two_clusters_and_finite_values(values: list[float], clusters: list[str]) -> None:
    assert measures.cluster_bootstrap(values, clusters, 100, seed=1) == (None, None)


def test_constant_values_give_an_interval_without_width() -> None:
    assert measures.cluster_bootstrap([1.0, 1.0], ["a", "b"], 100, seed=1) == (1.0, 1.0)


def test_perplexity() -> None:
    assert measures.perplexity([-2 * math.log(8), -math.log(8)], [2, 1]) == pytest.approx(8)
    assert measures.perplexity([], []) is None
    assert measures.perplexity([-1e6], [1]) is None
    assert measures.perplexity([-INFINITY], [1]) is None
    assert measures.perplexity([math.nan], [1]) is None


def test_length_matched_is_relative_to_the_longer() -> None:
    assert measures.length_matched(["a " * 90, "a " * 89, ""], ["a " * 100, "a " * 100, ""], 0.1).tolist() == [
        True,
        False,
        True,
    ]


def test_distinct_and_copies() -> None:
    assert measures.distinct_n(["a b a b"], 2) == pytest.approx(2 / 3)
    assert measures.distinct_n(["a"], 2) is None
    source = " ".join(f"w{i}" for i in range(40))
    copy = "so " + " ".join(f"W{i}" for i in range(10, 23)) + " end"
    assert measures.copied([copy, copy.replace("W15", "x"), "short"], [source]) == [True, False, False]


def test_figures_are_plain_json() -> None:
    figures = [
        measures.accuracy([1]),
        *measures.cluster_bootstrap([1, 0], ["a", "b"], 100, 1),
        measures.mean([INFINITY]),
    ]
    assert json.loads(json.dumps(figures, allow_nan=False))[-1] is None
