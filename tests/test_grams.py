from hypothesis import given
from hypothesis import strategies as st

from persuasion.grams import alike, grams, jaccard

WORDS = st.lists(st.sampled_from(["a", "B", "b", "c", "né", "3"]), max_size=30).map(" ".join)


def plainly(text, size):
    words = text.lower().split()
    runs = {tuple(words[k : k + size]) for k in range(len(words) - size + 1)}
    return runs or ({tuple(words)} if words else set())


@given(WORDS, WORDS, st.sampled_from([1, 3, 13]))
def test_runs_and_their_jaccard_are_those_of_tuples(one, other, size):
    mine, theirs = (grams(text, size) for text in (one, other))
    a, b = plainly(one, size), plainly(other, size)
    assert (len(mine), len(theirs)) == (len(a), len(b))
    assert jaccard(mine, theirs) == (len(a & b) / len(a | b) if a | b else 0)


def test_the_order_of_words_counts_and_punctuation_does_not():
    assert not jaccard(grams("a b c", 3), grams("c b a", 3))
    assert alike("One, two - three!", "one two three", 1.0) and not alike("one two three", "one two four", 0.8)
