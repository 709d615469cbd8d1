import random

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans

from persuasion import clumps

RNG = np.random.default_rng(6)
THEMES = {
    "sleep": ["pillow", "blanket", "dreams", "mattress", "alarm"],
    "work": ["office", "salary", "manager", "deadline", "meeting"],
    "food": ["kitchen", "recipe", "spices", "oven", "dinner"],
}


def posts(count: int, seed: int) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    themes = [sorted(THEMES)[i % 3] for i in range(count)]
    return [" ".join(chance.sample(THEMES[theme], 4)) + " and some more" for theme in themes], themes


@pytest.mark.parametrize("count", [1, 3, 6])
def test_from_the_same_start_it_ends_where_scikit_learn_does(count: int) -> None:
    rows = RNG.normal(size=(120, 5)) + RNG.integers(0, 4, (120, 1))
    start = rows[:count]
    theirs = KMeans(count, init=start, n_init=1, tol=0, max_iter=1000, algorithm="lloyd").fit(rows)
    centres, labels = clumps.lloyd(csr_matrix(rows), start)
    assert labels.tolist() == theirs.labels_.tolist()
    assert centres == pytest.approx(theirs.cluster_centers_)
    assert clumps.inertia(csr_matrix(rows), centres, labels) == pytest.approx(theirs.inertia_)


def test_its_starts_are_as_good_as_scikit_learns() -> None:
    rows = np.concatenate([RNG.normal(at, 0.5, size=(30, 2)) for at in ((0, 0), (5, 0), (0, 5), (5, 5))])
    theirs = KMeans(4, n_init=10, random_state=0).fit(rows).inertia_
    assert clumps.inertia(csr_matrix(rows), *clumps.kmeans(csr_matrix(rows), 4, seed=1)) == pytest.approx(
        theirs, rel=1e-6
    )


def test_it_finds_what_new_posts_are_about_and_names_it_by_shared_words() -> None:
    found = clumps.find(posts(60, 1)[0], 3, seed=1)
    assert found is not None
    asked, themes = posts(30, 2)
    labels = found.of(asked)
    assert len({(theme, label) for theme, label in zip(themes, labels, strict=True)}) == 3
    for theme, label in zip(themes, labels, strict=True):
        assert set(found.names[label].split()) <= set(THEMES[theme])
    assert found.of([]).shape == (0,)


def test_a_word_of_one_or_two_posts_names_nothing() -> None:
    texts = posts(60, 1)[0]
    found = clumps.find([f"{texts[0]} {'janedoe ' * 50}", *texts[1:]], 3, seed=1)
    assert found is not None and "janedoe" not in " ".join(found.names)


@pytest.mark.parametrize("texts", [[], ["one post"] * 2, [""] * 9, ["the and of"] * 9, ["all the same words"] * 9])
def test_too_little_to_tell_apart_is_none(texts: list[str]) -> None:
    assert clumps.find(texts, 3, seed=1) is None


def test_equal_vectors_and_lost_centres_are_no_trouble() -> None:
    same = csr_matrix(np.ones((5, 2)))
    centres, labels = clumps.kmeans(same, 3, seed=1)
    assert np.isfinite(centres).all() and set(labels.tolist()) == {0}
