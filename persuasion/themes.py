"""What posts are about, roughly: k-means on TF-IDF vectors, each cluster named by its heaviest words.

A look, not a measurement. A word is named only if several posts hold it, so that none points at a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits

CLUSTERS, NAMED, FEWEST, MOST = 8, 5, 40, 5000
SHARED_BY = 5  # posts that hold a word, at least
WORD = r"(?u)\b[^\W\d_]{3,}\b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A cluster: how many posts are nearest to it, and the words that mark it."""

    posts: int
    words: tuple[str, ...]


def themes(texts: Sequence[str], seed: int) -> list[Theme]:
    """The themes of at most the first ``MOST`` texts, largest first; none for fewer than ``FEWEST``."""
    texts = texts[:MOST]
    if len(texts) < FEWEST:
        return []
    vectorizer = TfidfVectorizer(
        stop_words="english", token_pattern=WORD, min_df=SHARED_BY, max_df=0.5, max_features=2000
    )
    try:
        vectors = vectorizer.fit_transform(texts)
    except ValueError:  # no word is shared by so few and so many
        return []
    names = vectorizer.get_feature_names_out()
    with threadpool_limits(1):  # sums in one order, hence the same bytes on any number of cores
        found = KMeans(min(CLUSTERS, len(names)), n_init=1, random_state=seed).fit(vectors)
    sizes = np.bincount(found.labels_, minlength=len(found.cluster_centers_))
    rows = [
        Theme(posts=int(size), words=tuple(names[np.argsort(-centre, kind="stable")[:NAMED]]))
        for size, centre in zip(sizes, found.cluster_centers_, strict=True)
    ]
    return sorted(rows, key=lambda theme: (-theme.posts, theme.words))
