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

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfTransformer

from persuasion.challenges import Challenge, Parts
from persuasion.contentwords import MOST_TEXTS, ContentWords, content_words, jaccards
from persuasion.discussions import Discussions

Distances = NDArray[np.float64]
ROUND = 9  # decimals beyond which two similarities are equal


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An awarded completion and what may be rejected against it."""

    chosen: Challenge
    rivals: Sequence[Parts]


def ordered(talk: Discussions, choices: Sequence[Choice], negative: str, seed: int) -> Iterator[list[Parts]]:
    """Yield every choice's rivals, nearest first."""
    for choice, distances in zip(choices, STRATEGIES[negative](talk, choices), strict=True):
        name = str(talk.field("id", choice.chosen.parts[-1]))
        lots = (lot(seed, name, talk.field("id", parts[-1])) for parts in choice.rivals)
        order = sorted(zip(np.round(distances, ROUND).tolist(), lots, range(len(choice.rivals)), strict=True))
        yield [choice.rivals[place] for _, _, place in order]


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
        found, places = _counted(talk.texts, firsts)
        for own, *others in places:
            yield -jaccards(found, own, np.array(others, np.int64))


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
    """Choices whose texts together are few enough to be counted at once."""
    batch: list[Choice] = []
    texts = 0
    for choice in choices:
        size = 1 + len(choice.rivals)
        if batch and texts + size > MOST_TEXTS:
            yield batch
            batch, texts = [], 0
        batch.append(choice)
        texts += size
    yield batch


def _counted(
    texts: Callable[[Sequence[int]], list[str]], rows: Sequence[Sequence[int]]
) -> tuple[ContentWords, list[list[int]]]:
    """The content words of the texts of all rows, each text once, and every row's place among them."""
    place = {row: number for number, row in enumerate(dict.fromkeys(row for group in rows for row in group))}
    return content_words(texts(list(place))), [[place[row] for row in group] for group in rows]


def _cosines(found: ContentWords) -> Distances:
    """The cosine of every text's TF-IDF vector with the first's."""
    vocabulary, column = np.unique(found.words, return_inverse=True)
    shape = (len(found.bounds) - 1, max(len(vocabulary), 1))
    counts = csr_matrix((found.counts.astype(float), column, found.bounds), shape=shape)
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    return np.asarray((vectors @ vectors[0].T).todense()).ravel()
