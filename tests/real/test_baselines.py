"""The rivals on real pairs: 500 rows of Tan et al. 2016 (heldout, root replies), cross-validated by post."""

import numpy as np
import pytest

from persuasion.baselines import BASELINES
from persuasion.estimates import estimate
from tests.real.test_ready_pairs import AS_GIVEN, PARAMS, built
from tests.test_judging import SETTINGS

FOLDS = 10


@pytest.fixture(scope="module", params=[AS_GIVEN, PARAMS], ids=["as given", "cleaned"])
def pairs(request, real_data):
    return built(real_data / "pairs" / "tan-heldout-500.csv", request.param)[0]


def crossed(name, pairs):
    """Every pair scored by a baseline that was fitted on the pairs of other posts."""
    posts = sorted({pair.thread_id for pair in pairs})
    fold = dict(zip(posts, np.random.default_rng(1).permutation(len(posts)) % FOLDS, strict=True))
    scores = {}
    for part in range(FOLDS):
        judged = [pair for pair in pairs if fold[pair.thread_id] == part]
        training = [pair for pair in pairs if fold[pair.thread_id] != part]
        scores |= dict(zip([p.pair_id for p in judged], BASELINES[name](training, judged), strict=True))
    return [scores[pair.pair_id] for pair in pairs]


def judged(name, pairs):
    found = estimate(crossed(name, pairs), [pair.thread_id for pair in pairs], SETTINGS)
    print(f"{name}: {found['mean']:.3f} [{found['low']:.3f}, {found['high']:.3f}] of {len(pairs)} pairs")
    return found


def test_length_wins_as_often_as_it_is_known_to(pairs):
    """58.2 % of the 500 rows, of which three repeat others; cleaning takes quotes and edits away."""
    assert judged("length", pairs)["mean"] == pytest.approx(0.584 if len(pairs) == 497 else 0.572, abs=0.002)


def test_interplay_lands_where_the_paper_puts_it_and_style_and_length_below(pairs):
    """65.1 % of 807 pairs, fitted on 3,456: inside the interval here, fitted on 450."""
    found = judged("interplay", pairs)
    assert found["low"] < 0.651 < found["high"] and found["low"] > 0.5
    assert judged("style", pairs)["mean"] < found["mean"]
