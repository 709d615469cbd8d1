import math

import numpy as np
import pytest

from persuasion.relevance import NO_WORDS, relevance, similarities
from persuasion.undefined import ONE_POST

POSTS = ["Tea calms people", "Running before breakfast", "Quiet rooms help students"]


def test_a_reply_to_its_own_post_is_nearer_than_to_others():
    found = relevance(["tea is fine", "breakfast first", "students like rooms"], POSTS)
    assert found["on_topic"] == 1 and found["own"] > 0.4 and found["shuffled"] == 0
    swapped = relevance(["breakfast first", "tea is fine", "nothing of it"], POSTS)
    assert swapped["on_topic"] == pytest.approx(2 / 6) and swapped["own"] == 0  # ties: 4 of 6 pairs at one half


def test_the_cosine_worked_by_hand():
    """Every content word stands in one post, so all weigh the same: 2 words against 3, two of them shared."""
    near = similarities(["tea people"], POSTS)
    assert near[0] == pytest.approx([2 / math.sqrt(2 * 3), 0, 0])
    assert np.all(similarities(["zzz"], POSTS) == 0)


@pytest.mark.parametrize(("posts", "why"), [([], ONE_POST), (["one post"], ONE_POST), (["the of", "and"], NO_WORDS)])
def test_without_a_control_it_is_undefined_and_says_why(posts, why):
    assert set(relevance([""] * len(posts), posts).values()) == {why}
