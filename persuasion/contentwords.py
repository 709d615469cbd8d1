"""The content words of many texts at once, as numbers: what Jaccard and TF-IDF similarity are taken of.

A word is a run of letters, digits or apostrophes, lower-cased (ASCII), of three bytes or more and no
English stop word: half of all words say nothing of the topic (Tan et al. 2016 drop them too). Words are told
apart by 44 bits of a hash that is exact for up to eight bytes before it is cut: two words of one
comparison meet by chance about once in 10^10.

Arrays instead of sets of strings: the bytes of all texts are cut, hashed and sorted together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

SHORTEST = 3
BITS = 44  # of a word; the bits above hold the number of its text
MOST_TEXTS = 1 << (64 - BITS)
Rows = NDArray[np.int64]
_WORD = np.uint64((1 << BITS) - 1)
_PAD = 32
_MIX = tuple(np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93))
_FOLD = bytes(
    byte + 32 if 65 <= byte <= 90 else byte if byte >= 128 or chr(byte).isalnum() or byte == 39 else 32
    for byte in range(256)
)
_KEEP = np.array([(1 << 8 * size) - 1 for size in range(8)] + [2**64 - 1], np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentWords:
    """Each text's distinct content words, with how often each stands there.

    ``keys`` are sorted: the number of the text above its word's ``BITS``. Those of text ``i`` are
    ``keys[bounds[i]:bounds[i + 1]]``.
    """

    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]
    bounds: NDArray[np.int64]

    @property
    def words(self) -> NDArray[np.uint64]:
        """The words without their texts."""
        return self.keys & _WORD

    def sizes(self, texts: Rows) -> Rows:
        """How many distinct words some texts have."""
        return self.bounds[texts + 1] - self.bounds[texts]


def content_words(texts: Sequence[str]) -> ContentWords:
    """Cut, hash and sort the words of at most ``MOST_TEXTS`` texts."""
    if len(texts) > MOST_TEXTS:
        raise ValueError(f"{len(texts)} texts, at most {MOST_TEXTS}")
    keys = _without_stop_words(*_words(texts))
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    numbers = np.arange(len(texts) + 1, dtype=np.uint64) << np.uint64(BITS)
    return ContentWords(
        keys=keys[first],
        counts=np.diff(first, append=len(keys)),
        bounds=np.searchsorted(keys[first], numbers),
    )


def jaccards(found: ContentWords, first: Rows, second: Rows) -> NDArray[np.float64]:
    """The Jaccard similarity of each text in ``first`` with the one beside it in ``second``; 0 for two of no words."""
    sizes = found.sizes(second)
    pair = np.repeat(np.arange(len(second)), sizes)
    place = np.arange(len(pair)) + (found.bounds[second] - np.cumsum(sizes) + sizes)[pair]
    wanted = (first.astype(np.uint64) << np.uint64(BITS))[pair] | (found.keys[place] & _WORD)
    there = found.keys[np.minimum(np.searchsorted(found.keys, wanted), len(found.keys) - 1)] == wanted
    shared = np.bincount(pair[there], minlength=len(second))
    return shared / np.maximum(found.sizes(first) + sizes - shared, 1)


def _words(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The hashes of all words of ``SHORTEST`` bytes or more, in order, and the text of each."""
    encoded = [text.encode(errors="replace") for text in texts]
    joined = b" ".join(encoded).translate(_FOLD)
    sizes = np.fromiter(map(len, encoded), np.int64, len(encoded)) + 1
    buffer = np.frombuffer(b" " + joined + b" " * _PAD, np.uint8)
    edges = np.flatnonzero(np.diff((buffer != 32).view(np.int8)))
    starts, ends = edges[::2] + 1, edges[1::2] + 1
    long = ends - starts >= SHORTEST
    starts, ends = starts[long], ends[long]
    text = np.searchsorted(np.cumsum(sizes), starts - 1, side="right").astype(np.uint64)
    return _hashes(buffer, starts, ends), text


def _hashes(buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Hash words by their first 8 bytes; longer ones by their next 8, their last 8 and their length too."""
    eight = np.ndarray(len(buffer) - 7, "<u8", buffer, strides=(1,))  # the 8 bytes from each byte on
    size = ends - starts
    total = (eight[starts] & _KEEP[np.minimum(size, 8)]) * _MIX[0]
    long = np.flatnonzero(size > 8)
    rest = size[long]
    total[long] ^= (eight[starts[long] + 8] & _KEEP[np.minimum(rest - 8, 8)]) * _MIX[1]
    total[long] ^= eight[ends[long] - 8] * _MIX[2] + rest.astype(np.uint64) * _MIX[3]
    return total


def _without_stop_words(keys: NDArray[np.uint64], text: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Drop stop words, and put the number of each word's text above its bits."""
    cut = keys >> np.uint64(64 - BITS)
    kept = _STOP[cut >> np.uint64(BITS - _STOP_BITS)] != cut
    return (text[kept] << np.uint64(BITS)) | cut[kept]


def _stop_table() -> tuple[NDArray[np.uint64], int]:
    """Every stop word in a slot of its own, found by its first bits, and their number: one look instead of a search."""
    cut = np.unique(_words(sorted(ENGLISH_STOP_WORDS))[0] >> np.uint64(64 - BITS))
    bits = next(bits for bits in range(8, BITS) if len(np.unique(cut >> np.uint64(BITS - bits))) == len(cut))
    table = np.zeros(1 << bits, np.uint64)
    table[cut >> np.uint64(BITS - bits)] = cut
    return table, bits


_STOP, _STOP_BITS = _stop_table()
