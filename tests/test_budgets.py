from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from persuasion.budgets import BINS, figures, histogram
from persuasion.encoding import EncodedPair
from persuasion.scoring import encode_pairs
from tests import tiny

LENGTHS = st.lists(st.tuples(st.integers(1, 900), st.integers(1, 900), st.integers(1, 900)), max_size=30)


def pairs(lengths):
    return [EncodedPair(str(n), (0,) * p, (0,) * c, (0,) * r, (), (), ()) for n, (p, c, r) in enumerate(lengths)]


@given(LENGTHS, st.randoms())
def test_every_text_lies_in_one_bin_whatever_the_order(lengths, chance):
    rows = histogram(pairs(lengths))
    assert len(rows) == BINS and all(a["high"] == b["low"] for a, b in pairwise(rows))
    for kind, name in enumerate(("prompt", "chosen", "rejected")):
        assert sum(row[name] for row in rows) == len(lengths)
        for row in rows:
            assert row[name] == sum(row["low"] <= length[kind] < row["high"] for length in lengths)
    assert histogram(pairs(chance.sample(lengths, len(lengths)))) == rows


def test_cuts_are_counted_by_kind_and_means_are_of_what_is_left():
    tight = replace(tiny.ENCODING, prompt_tokens=16, total_tokens=30)
    post = "long " * 99
    rows = [tiny.pair(0, prompt=post, chosen="Yes.", rejected="no " * 99), tiny.pair(1, "CMV", "Yes.", "No.")]
    encoded = encode_pairs(tiny.tokenizer(), rows, tight)
    told = figures(encoded)
    assert told["truncated"] == {"prompt": 1, "completion": 1}
    assert told["tokens"]["prompt_mean"] == (len(encoded[0].prompt) + len(encoded[1].prompt)) / 2 <= 16
    assert figures([])["tokens"]["prompt_mean"] is None
