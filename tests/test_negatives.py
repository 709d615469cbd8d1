"""Strategies: each against its definition, on texts where it matters."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

from persuasion.config import load_params
from persuasion.pairing import build_pairs
from tests.builders import AT, comment, delta, submission, talk_of

PARAMS = replace(load_params().pairs, min_words=1, per_positive=9, max_reuse=None)
WON = "Short naps clear a tired mind and restore attention before evening work begins"
OTHERS = {
    "t1_a": (7, "Short naps clear a tired mind but coffee is quicker"),
    "t1_b": (50, "Tired people nap badly"),
    "t1_c": (10, "Politics is a game of chess played by people who never sleep at all in these long nights, sadly"),
    "t1_d": (3, "Naps naps naps restore attention"),
    "t1_e": (None, "Evening work begins with a walk around the block instead"),
}


def order(negative):
    """The rejected comments of one chosen one, nearest first."""
    op = comment(id="t1_op", author="u_op", is_op=True, created_utc=AT + 999)
    won = comment(id="t1_won", body=WON, score=10, author="u_w", earned_delta=True, deltas=(delta(),))
    rest = [comment(id=name, body=text, score=score, author=name) for name, (score, text) in OTHERS.items()]
    pairs, _ = build_pairs(talk_of([submission()], [op, won, *rest]), replace(PARAMS, negative=negative))
    return [pair.rejected_id for pair in pairs]


def nearest(distance):
    return sorted(OTHERS, key=distance)


def content(text):
    return {word for word in text.lower().replace(",", "").split() if len(word) > 2} - ENGLISH_STOP_WORDS


def test_similar_is_the_highest_jaccard_of_content_words():
    near = {
        name: len(content(WON) & content(text)) / len(content(WON) | content(text))
        for name, (_, text) in OTHERS.items()
    }
    assert order("similar")[:4] == nearest(lambda name: -near[name])[:4]


def test_lexical_is_the_highest_tfidf_cosine():
    words = TfidfVectorizer(sublinear_tf=True, stop_words="english", token_pattern=r"[a-z']{3,}")
    vectors = words.fit_transform([WON, *(text for _, text in OTHERS.values())])
    near = dict(zip(OTHERS, (vectors[1:] @ vectors[0].T).toarray().ravel(), strict=True))
    found = order("lexical")
    assert np.allclose([near[name] for name in found], sorted(near.values(), reverse=True))


def test_length_is_the_nearest_in_words():
    gap = {name: abs(len(text.split()) - len(WON.split())) for name, (_, text) in OTHERS.items()}
    assert [gap[name] for name in order("length")] == sorted(gap.values())


def test_score_is_as_liked_or_more_then_nearest_and_unknown_last():
    assert order("score") == ["t1_c", "t1_b", "t1_a", "t1_d", "t1_e"]


@pytest.mark.parametrize("negative", ["random", "similar", "lexical", "length", "score"])
def test_every_rival_has_its_place_and_equals_are_drawn_by_ids(negative):
    assert set(order(negative)) == set(OTHERS) and order(negative) == order(negative)
