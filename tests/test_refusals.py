import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from persuasion.records import Refusal
from persuasion.refusals import by_reason, joined, shifted, tabled, write_refusals

REFUSALS = st.lists(
    st.builds(
        Refusal,
        file=st.sampled_from(["a", "b \u2206"]),
        line=st.integers(1, 9),
        offset=st.integers(0, 99),
        length=st.integers(0, 9),
        reason=st.sampled_from(["orphan", "cycle"]),
    ),
    max_size=9,
)


@given(REFUSALS, st.randoms(use_true_random=False))
def test_they_are_written_in_order_and_counted(tmp_path_factory, refusals, chance):
    path = tmp_path_factory.mktemp("r") / "refused.jsonl"
    write_refusals(path, joined(tabled([one]) for one in refusals))
    first = path.read_bytes()
    rows = [tuple(json.loads(line).values()) for line in first.splitlines()]
    assert rows == sorted((one.file, one.line, one.offset, one.length, one.reason) for one in refusals)
    assert by_reason(tabled(refusals)).total() == len(refusals)
    chance.shuffle(refusals)
    write_refusals(path, tabled(refusals))
    assert path.read_bytes() == first


def test_they_move_down_their_file_together_or_each_on_its_own():
    table = tabled([Refusal(file="a", line=line, offset=0, length=5, reason="orphan") for line in (1, 2)])
    assert shifted(table, 10, 100)["line"].to_pylist() == [11, 12]
    apart = shifted(table, np.array([10, 20]), np.array([0, 7]))
    assert (apart["line"].to_pylist(), apart["offset"].to_pylist()) == ([11, 22], [0, 7])
    assert apart["length"].to_pylist() == [5, 5]
