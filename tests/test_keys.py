import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from persuasion import keys as room
from persuasion.keys import HASHED, keys


def numbers(ids, *kinds):
    stored = [id_.encode(errors="replace") for id_ in ids]
    return room.numbers(pa.array([b"before", *stored], pa.binary()).cast(pa.string()).slice(1), *kinds)


DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
USUAL = st.integers(0, 36**12 - 1).map(lambda value: np.base_repr(value, 36).lower())
ODD = st.text("0123xyzA_é\0 ", max_size=20) | st.sampled_from(
    ["", "01", "00", "a" * 13, "zzzzzzzzzzzzz", "\ud800", "a\0b", "a\0"]
)


@given(st.lists(USUAL | ODD, max_size=12))
@example(["a\0b", "ab", "a\0", "a"])
@example(["0", "00", ""])
def test_exact_are_the_numbers_of_at_most_12_digits_without_leading_zero(ids):
    found, exact = numbers(ids)
    for id_, key, is_exact in zip(ids, found.tolist(), exact.tolist(), strict=True):
        usual = 0 < len(id_) <= 12 and set(id_) <= set(DIGITS) and (id_ == "0" or id_[0] != "0")
        assert is_exact == usual
        assert key == (int(id_, 36) if usual else 0)


@given(st.lists(USUAL, max_size=6), st.sampled_from(["t1_", "t3_", "t5_", "", "t1"]))
def test_a_kind_is_asked_for_and_not_counted(ids, kind):
    found, exact = numbers([kind + id_ for id_ in ids], ("t1_", "t3_"))
    known = kind in ("t1_", "t3_")
    assert exact.tolist() == [known] * len(ids)
    if known:
        assert found.tolist() == [int(id_, 36) for id_ in ids]


@given(st.lists(USUAL | st.text("0123xyzA_", min_size=1, max_size=20), unique=True, max_size=12))
def test_two_ids_have_two_keys_whatever_stands_beside_them(ids):
    found = keys(ids)
    assert len(set(found.tolist())) == len(ids)
    assert [int(keys([id_])[0]) for id_ in ids] == found.tolist()
    assert all((key >= HASHED) == (not exact) for key, exact in zip(found.tolist(), numbers(ids)[1], strict=True))


@given(st.lists(st.integers(0, 36**12 - 1), max_size=8))
def test_keys_follow_time(values):
    ids = [np.base_repr(value, 36).lower() for value in sorted(values)]
    assert keys(ids).tolist() == sorted(values)


def test_no_ids_have_no_keys():
    assert keys([]).dtype == np.uint64 and len(keys([])) == 0
