"""What posts are about, found without labels: k-means on TF-IDF vectors.

The vectors come from scikit-learn, the clustering is plain sums, so the same posts and seed give the same clumps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
ROUNDS = 100
STARTS = 5
POSTS = 5000
"""Posts that the clumps are found in, at most: the first ones given."""
TERMS = 5000
COMMON, RARE = 0.5, 3
"""A term stands in at most this share of the posts, and in at least so many: no clump is named by one person's word."""
WORDS = {"token_pattern": r"(?u)\b[^\W\d_]{3,}\b"}
"""Words of three letters or more, without digits."""
NAMED_BY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Clumps:
    """Clumps found in some posts, the largest first. ``names``: the terms that weigh most in each."""

    vectorizer: Any
    centres: Floats
    names: tuple[str, ...]

    def of(self, posts: Sequence[str]) -> Labels:
        """The number (from 0) of the clump nearest to each post. Shape [n]."""
        return nearest(self.vectorizer.transform(posts), self.centres) if posts else np.zeros(0, np.int64)


def find(posts: Sequence[str], count: int, seed: int, *, rare: int = RARE, named: int = NAMED_BY) -> Clumps | None:
    """``count`` clumps of ``posts``; None where there are too few posts or common words to tell so many apart.

    ``rare``: posts that hold a term, at least; ``named``: terms in a name.
    """
    posts = posts[:POSTS]
    if len(posts) < max(count, rare):
        return None
    vectorizer = TfidfVectorizer(
        stop_words="english", sublinear_tf=True, min_df=rare, max_df=COMMON, max_features=TERMS, **WORDS
    )
    try:
        vectors = vectorizer.fit_transform(posts)
    except ValueError:  # no word is left between the rare and the common
        return None
    centres, labels = kmeans(vectors, count, seed)
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    terms = vectorizer.get_feature_names_out()
    weightiest = np.argsort(-centres[order], axis=1, kind="stable")[:, :named]
    names = tuple(" ".join(str(terms[at]) for at in row) for row in weightiest)
    return Clumps(vectorizer=vectorizer, centres=centres[order], names=names)


def kmeans(vectors: Any, count: int, seed: int) -> tuple[Floats, Labels]:
    """Centres [count, d] and each row's centre: Lloyd's algorithm (1982) from the best of ``STARTS`` k-means++ starts.

    ``vectors``: a sparse matrix [n, d]. A centre that loses all its rows stays where it is.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    found = [lloyd(vectors, plusplus(vectors, count, generator)) for _ in range(STARTS)]
    return min(found, key=lambda pair: inertia(vectors, *pair))


def plusplus(vectors: Any, count: int, generator: np.random.Generator) -> Floats:
    """Starting centres: rows drawn in proportion to their squared distance to those before (Arthur et al. 2007)."""
    rows = [int(generator.integers(vectors.shape[0]))]
    far = distances(vectors, vectors[rows].toarray())[:, 0]
    while len(rows) < count:
        total = far.sum()
        weights = far / total if total else np.full(len(far), 1 / len(far))
        rows.append(int(generator.choice(len(far), p=weights)))
        far = np.minimum(far, distances(vectors, vectors[rows[-1:]].toarray())[:, 0])
    return np.asarray(vectors[rows].toarray(), dtype=float)


def lloyd(vectors: Any, centres: Floats) -> tuple[Floats, Labels]:
    """Centres to the means of their rows and rows to their nearest centres, until no row moves."""
    labels = nearest(vectors, centres)
    for _ in range(ROUNDS):
        sizes = np.bincount(labels, minlength=len(centres))
        sums = np.stack([np.asarray(vectors[labels == at].sum(axis=0)).ravel() for at in range(len(centres))])
        centres = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], centres)
        moved = nearest(vectors, centres)
        if (moved == labels).all():
            break
        labels = moved
    return centres, labels


def inertia(vectors: Any, centres: Floats, labels: Labels) -> float:
    """The sum of squared distances of rows to their centres."""
    return float(distances(vectors, centres)[np.arange(len(labels)), labels].sum())


def nearest(vectors: Any, centres: Floats) -> Labels:
    """The number of the nearest centre; the first of equals."""
    return np.asarray(distances(vectors, centres).argmin(axis=1), dtype=np.int64)


def distances(vectors: Any, centres: Floats) -> Floats:
    """Squared Euclidean distances of rows to centres, |v|² − 2 v·c + |c|². Shape [n, k]."""
    own = np.asarray(vectors.multiply(vectors).sum(axis=1)).reshape(-1, 1)
    return np.maximum(own - 2 * np.asarray(vectors @ centres.T) + (centres**2).sum(axis=1), 0.0)
