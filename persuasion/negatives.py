"""Which comment that earned no delta stands against one that did: ``pairs.negative``, strategy by strategy.

A strategy gives every rival of every awarded completion a distance; the nearest are rejected, equals by a
draw that depends on nothing but the seed and the two ids, so neither row order nor other threads matter.

- ``random``: all are equally near (what published CMV pairs do).
- ``similar``: highest Jaccard similarity of the content words of the two *first* comments (the root replies;
  Tan et al. 2016, section 3).
- ``lexical``: highest cosine of TF-IDF vectors of the whole completions, the IDF taken over the rivals.
- ``length``: nearest in words, so that length tells little.
- ``score``: as many votes or more, then nearest: liked, yet it changed no view. Unknown scores come last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from persuasion.challenges import Challenge, Parts
from persuasion.contentwords import ContentWords, content_words, jaccards
from persuasion.discussions import Discussions

Distances = NDArray[np.float64]
ROUND = 9  # decimals beyond which two similarities are equal
BATCH = 1000  # texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An awarded completion and what may be rejected against it."""

    chosen: Challenge
    rivals: Sequence[Parts]


def ordered(talk: Discussions, choices: Sequence[Choice], negative: str, seed: int) -> Iterator[list[Parts]]:
    """Yield every choice's rivals, nearest first."""
    for choice, distances in zip(choices, STRATEGIES[negative](talk, choices), strict=True):
        near = np.round(distances, ROUND).tolist()
        order = sorted(range(len(near)), key=near.__getitem__)
        chosen = talk.ids[choice.chosen.parts[-1]]
        yield [parts for _, equals in groupby(order, key=near.__getitem__)
               for parts in _drawn(talk, chosen, [choice.rivals[place] for place in equals], seed)]  # fmt: skip


def _drawn(talk: Discussions, chosen: str, equals: list[Parts], seed: int) -> list[Parts]:
    return equals if len(equals) == 1 else sorted(equals, key=lambda parts: lot(seed, chosen, talk.ids[parts[-1]]))


def lot(seed: int, chosen_id: str, candidate_id: str) -> bytes:
    """A draw that depends on nothing but the seed and the two ids."""
    return sha256(f"{seed}\0{chosen_id}\0{candidate_id}".encode()).digest()


def whole(talk: Discussions, parts: Parts) -> str:
    """A completion's text: its comments, blank lines between."""
    return "\n\n".join(text for text in talk.texts(parts) if text)


def _random(talk: Discussions, choices: Sequence[Choice]) -> Iterator[Distances]:
    for choice in choices:
        yield np.zeros(len(choice.rivals))


def _similar(talk: Discussions, choices: Sequence[Choice]) -> Iterator[Distances]:
    for batch in _batches(choices):
        firsts = [[parts[0] for parts in (choice.chosen.parts, *choice.rivals)] for choice in batch]
        place = {row: number for number, row in enumerate(dict.fromkeys(row for group in firsts for row in group))}
        sizes = [len(group) - 1 for group in firsts]
        own = np.repeat(np.array([place[group[0]] for group in firsts], np.int64), sizes)
        others = np.array([place[row] for group in firsts for row in group[1:]], np.int64)
        near = -jaccards(content_words(talk.texts(list(place))), own, others)
        yield from np.split(near, np.cumsum(sizes)[:-1])


def _lexical(talk: Discussions, choices: Sequence[Choice]) -> Iterator[Distances]:
    for choice in choices:
        texts = [whole(talk, parts) for parts in (choice.chosen.parts, *choice.rivals)]
        yield -_cosines(content_words(texts))[1:]


def _length(talk: Discussions, choices: Sequence[Choice]) -> Iterator[Distances]:
    for choice in choices:
        words = [len(whole(talk, parts).split()) for parts in (choice.chosen.parts, *choice.rivals)]
        yield np.abs(np.array(words[1:], float) - words[0])


def _score(talk: Discussions, choices: Sequence[Choice]) -> Iterator[Distances]:
    votes = talk.table["score"].to_numpy().astype(float)
    for choice in choices:
        own = votes[choice.chosen.parts[0]]
        gap = votes[[parts[0] for parts in choice.rivals]] - own if choice.rivals else np.zeros(0)
        worse = np.where(gap < 0, 1e9, 0.0)  # any comment of more votes is nearer than any of fewer
        yield np.nan_to_num(np.abs(gap) + worse, nan=np.inf, posinf=np.inf)


STRATEGIES: dict[str, Callable[[Discussions, Sequence[Choice]], Iterator[Distances]]] = {
    "random": _random,
    "similar": _similar,
    "lexical": _lexical,
    "length": _length,
    "score": _score,
}


def _batches(choices: Sequence[Choice]) -> Iterator[list[Choice]]:
    """Choices that are compared together: enough for arrays to pay, few enough for the processor's caches."""
    batch: list[Choice] = []
    texts = 0
    for choice in choices:
        batch.append(choice)
        texts += 1 + len(choice.rivals)
        if texts >= BATCH:
            yield batch
            batch, texts = [], 0
    if batch:
        yield batch


def _cosines(found: ContentWords) -> Distances:
    """The cosine of every text's TF-IDF vector with the first's."""
    vocabulary, column = np.unique(found.words, return_inverse=True)
    shape = (len(found.bounds) - 1, max(len(vocabulary), 1))
    counts = csr_matrix((found.counts.astype(float), column, found.bounds), shape=shape)
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    return np.asarray((vectors @ vectors[0].T).todense()).ravel()
