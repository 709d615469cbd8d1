"""Whether replies speak of their own post: TF-IDF similarity, beside that to all other posts as the control."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from persuasion.undefined import ONE_POST, Figure, Undefined

NO_WORDS = Undefined("the posts have no content words")


def relevance(replies: Sequence[str], posts: Sequence[str]) -> dict[str, Figure]:
    """Mean cosine of each reply with its own post (``own``) and with the others (``shuffled``), and ``on_topic``.

    ``on_topic`` is the chance that the own post is nearer than another one, ties one half: one half is a reply
    that could stand under any post. The control averages over all shuffles instead of drawing one. TF-IDF (Salton
    and Buckley 1988) of the posts' content words, sublinear. Every figure is undefined with fewer than two posts, or
    where the posts have no content words.
    """
    names, count = ("own", "shuffled", "on_topic"), len(posts)
    if count < 2:
        return dict.fromkeys(names, ONE_POST)
    try:
        near = similarities(replies, posts)
    except ValueError:  # scikit-learn: not one word in all the posts
        return dict.fromkeys(names, NO_WORDS)
    own, others = near.diagonal(), ~np.eye(count, dtype=bool)
    gaps = np.sign(own[:, None] - near)[others]
    values = (float(own.mean()), float(near[others].mean()), float((gaps.mean() + 1) / 2))
    return dict(zip(names, values, strict=True))


def similarities(replies: Sequence[str], posts: Sequence[str]) -> NDArray[np.float64]:
    """The cosine of every reply (row) with every post (column)."""
    vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    known = vectors.fit_transform(posts)
    near: NDArray[np.float64] = (vectors.transform(replies) @ known.T).toarray()
    return near
