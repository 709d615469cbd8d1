import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from persuasion.signs import holding, holding_word

TEXTS = st.lists(st.text("ab\u2206\0\u03b4", max_size=6), max_size=6)


@given(TEXTS, st.integers(0, 3), st.sampled_from([b"a", b"\x86\xce", b"\0", b"b\xce"]))
def test_the_rows_are_those_that_hold_a_sign(texts, skipped, sign):
    column = pa.array(texts, pa.string()).slice(skipped)
    expected = [row for row, text in enumerate(texts[skipped:]) if set(sign) & set(text.encode())]
    assert holding(column, sign).tolist() == expected


@given(TEXTS, st.integers(0, 3), st.sampled_from([(b"ab", 0), (b"aba", 1), (b"aab", 0), (b"\x88\x86", 0)]))
def test_no_row_with_a_word_is_missed(texts, skipped, word):
    column = pa.array(texts, pa.string()).slice(skipped)
    expected = {row for row, text in enumerate(texts[skipped:]) if word[0] in text.encode()}
    found = holding_word(column, *word).tolist()
    assert found == sorted(set(found)) and set(found) >= expected  # it may begin in one row and end in the next


def test_what_else_begins_there_can_be_left_out():
    column = pa.array(["tea", "&gt; tea", "&gt; tea & milk", "&amp;", "&amp; co"])
    assert holding(column, b"&", unless=(b"&gt;", b"&amp; ")).tolist() == [2, 3]


def test_rows_without_a_word_are_left_out():
    assert holding_word(pa.array(["tea", "", "removed", "moved"]), b"emoved", 3).tolist() == [2]
