"""Whether replies speak of their own post: TF-IDF similarity, beside that to all other posts as the control."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer


def relevance(replies: Sequence[str], posts: Sequence[str]) -> dict[str, float | None]:
    """Mean cosine of each reply with its own post (``own``) and with the others (``shuffled``), and ``on_topic``.

    ``on_topic`` is the chance that the own post is nearer than another one, ties one half: one half is a reply
    that could stand under any post. The control averages over all shuffles instead of drawing one. TF-IDF (Salton
    and Buckley 1988) of the posts' content words, sublinear. Every figure is None with fewer than two posts, or where
    the posts have no content words.
    """
    try:
        near = similarities(replies, posts)
    except ValueError:  # scikit-learn: not one word in all the posts
        near = np.zeros((0, 0))
    count = len(near)
    if count < 2:
        return {"own": None, "shuffled": None, "on_topic": None}
    own, others = near.diagonal(), ~np.eye(count, dtype=bool)
    gaps = np.sign(own[:, None] - near)[others]
    return {
        "own": float(own.mean()),
        "shuffled": float(near[others].mean()),
        "on_topic": float((gaps.mean() + 1) / 2),
    }


def similarities(replies: Sequence[str], posts: Sequence[str]) -> NDArray[np.float64]:
    """The cosine of every reply (row) with every post (column)."""
    vectors = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    known = vectors.fit_transform(posts)
    near: NDArray[np.float64] = (vectors.transform(replies) @ known.T).toarray()
    return near
