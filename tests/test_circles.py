import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persuasion.circles import circular

COMMENTS = st.dictionaries(st.integers(1, 12), st.tuples(st.integers(1, 3), st.integers(0, 14)), max_size=12)


def found(rows):
    """Keys in a circle, of rows (thread, key, parent), parent 0 being the post."""
    thread, key, parent = (np.array(column, np.uint64) for column in zip(*rows, strict=True))
    return set(key[circular(thread, key, parent, parent == 0)].tolist())


@given(COMMENTS)
def test_whoever_walks_up_for_ever_is_in_a_circle(comments):
    expected = set()
    for key, (thread, parent) in comments.items():
        for _ in range(len(comments) + 1):
            if parent not in comments or comments[parent][0] != thread:
                break
            parent = comments[parent][1]
        else:
            expected.add(key)
    if comments:
        assert found([(thread, key, parent) for key, (thread, parent) in comments.items()]) == expected


def test_a_circle_takes_all_below_it_and_nothing_else():
    assert found([(1, 1, 3), (1, 2, 1), (1, 3, 2), (1, 4, 1), (1, 5, 5), (1, 6, 0), (1, 7, 6)]) == {1, 2, 3, 4, 5}


def test_the_post_is_no_comment_of_the_same_number():
    assert found([(9, 4, 0), (9, 5, 4)]) == set()


def test_deeper_than_the_stack():
    keys = range(1, 20_001)
    assert found([(1, key, key + 1) for key in keys]) == set()
    assert found([(1, key, key % 20_000 + 1) for key in keys]) == set(keys)
