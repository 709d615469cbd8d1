import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from persuasion.contentwords import content_words, jaccards

TEXT = st.lists(
    st.sampled_from(["the", "Cat", "cat", "sat", "on", "don't", "don", "internationalisation", "internationalised",
                     "a-b", "über", "x", "42nd", "…", "\n\n", "CAT!", "and", "abcdefgh", "abcdefghi"])
).map(" ".join)  # fmt: skip


def plainly(text):
    """The same by Python's own strings: runs of ASCII letters, digits, apostrophes and all that is beyond ASCII."""
    kept = "".join(c.lower() if c.isascii() else c for c in text)
    words = "".join(c if not c.isascii() or c.isalnum() or c == "'" else " " for c in kept).split()
    return [word for word in words if len(word.encode()) >= 3 and word not in ENGLISH_STOP_WORDS]


@given(st.lists(TEXT, min_size=1, max_size=6))
def test_words_are_those_of_plain_python(texts):
    found = content_words(texts)
    for place, text in enumerate(texts):
        words = plainly(text)
        assert found.sizes(np.array([place])) == len(set(words))
        start, end = found.bounds[place], found.bounds[place + 1]
        assert sorted(found.counts[start:end]) == sorted(map(words.count, set(words)))


@given(st.lists(TEXT, min_size=2, max_size=6))
def test_jaccard_is_that_of_sets(texts):
    sets = [set(plainly(text)) for text in texts]
    expected = [len(sets[0] & other) / (len(sets[0] | other) or 1) for other in sets[1:]]
    others = np.arange(1, len(texts))
    assert np.allclose(jaccards(content_words(texts), np.zeros_like(others), others), expected)


def test_nothing_has_no_words():
    found = content_words(["", "the and of", "?!"])
    assert not len(found.words) and np.array_equal(jaccards(found, np.array([0, 0]), np.array([1, 2])), [0, 0])
    assert not len(content_words([]).words)
