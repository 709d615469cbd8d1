import math
from itertools import pairwise

import numpy as np
import pytest

from persuasion.bins import MOST, binned

CASES = [[0.0], [0.3], [-0.3, -0.3], [-1.0, 0.0, 7.0], [1e-9, 1e9], [0.1 * i for i in range(50)]]


@pytest.mark.parametrize("values", CASES)
def test_every_value_is_kept_and_there_is_an_edge_at_zero(values):
    rows = binned({"all": values, "half": values[::2]})
    assert sum(row["all"] for row in rows) == len(values) and sum(row["half"] for row in rows) == len(values[::2])
    assert len(rows) <= MOST + 2
    assert not any(row["low"] < 0 < row["high"] for row in rows)
    assert all(before["high"] == after["low"] for before, after in pairwise(rows))


def test_counts_are_those_of_numpy_between_the_same_edges():
    left, right = np.random.default_rng(3).normal(size=(2, 400)) * [[1], [5]]
    rows = binned({"left": left, "right": right})
    edges = [row["low"] for row in rows] + [rows[-1]["high"]]
    for name, values in (("left", left), ("right", right)):
        assert [row[name] for row in rows] == np.histogram(values, edges)[0].tolist()


def test_nothing_or_the_infinite_gives_none():
    assert binned({"a": []}) == binned({"a": [1.0], "b": [math.inf]}) == binned({"a": [math.nan]}) == []
