import random
from itertools import combinations

import numpy as np
import pytest

from persuasion.grams import SHINGLE, grams, jaccard
from persuasion.minhash import proposed, signature


def texts(seed, count=80):
    draw = random.Random(seed)
    words = [f"w{k}" for k in range(120)]
    return [" ".join(words[start : start + 60]) for start in (draw.randrange(60) for _ in range(count))]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_no_pair_at_the_threshold_is_missed(threshold):
    sets = [grams(text, SHINGLE) for text in texts(threshold)]
    near = {(a, b) for a, b in combinations(range(len(sets)), 2) if jaccard(sets[a], sets[b]) >= threshold}
    found = set(proposed(np.array([signature(each) for each in sets]), threshold))
    assert near <= found and near
    assert all(a < b for a, b in found)


def test_texts_that_share_nothing_are_not_proposed():
    sets = [grams(" ".join(f"{seed}x{k}" for k in range(50)), SHINGLE) for seed in range(300)]
    assert len(list(proposed(np.array([signature(each) for each in sets]), 0.8))) == 0


def test_texts_that_share_phrases_only_are_not_proposed():
    draw = random.Random(0)
    phrases = [" ".join(f"{phrase}x{k}" for k in range(12)) for phrase in range(40)]
    sets = [grams(" ".join(draw.sample(phrases, 8)), SHINGLE) for _ in range(200)]
    assert max(jaccard(one, other) for one, other in combinations(sets, 2)) < 0.8
    found = proposed(np.array([signature(each) for each in sets]), 0.8)
    assert all(jaccard(sets[a], sets[b]) >= 0.4 for a, b in found)


def test_agreement_of_signatures_estimates_jaccard():
    one, other = (grams(" ".join(f"w{k}" for k in range(start, start + 400)), SHINGLE) for start in (0, 100))
    assert abs((signature(one) == signature(other)).mean() - jaccard(one, other)) < 0.15
