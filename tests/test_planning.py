from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion import planning, unpacking
from persuasion.engine import Saved
from persuasion.forms import Input
from persuasion.gathering import Stored
from persuasion.joining import Secrets
from persuasion.parts import Account
from persuasion.planning import LAST, copies, placed, ranges
from persuasion.removals import removals
from persuasion.units import Unit
from tests.builders import awarded_thread, logged_thread, ndjson, raw_comment, raw_submission
from tests.extracting import read_files

SECRETS = Secrets(key=b"secret", removals=removals([]))
KEYS = st.lists(st.sampled_from([0, 1, 2, 3, 36**12, (1 << 63) + 5, LAST]), min_size=1, max_size=9)


def unit(name, folder):
    return Unit(inputs=(Input(form="dump", path=folder / name, name=name, kind="file"),), start=0, end=0, window=0)


def saved(keys=(), lines=0, length=0, name="it", size=100):
    sample = np.sort(np.array(keys, np.uint64))
    table = Stored(path=None, sample=sample, size=size) if keys else None
    return Saved(file=name, submissions=None, comments=table, account=Account(lines=lines, length=length))


def test_a_part_stands_behind_all_units_of_its_file_that_precede_it(tmp_path):
    work = [unit(name, tmp_path) for name in ("a", "a", "b", "a")]
    read = [[saved(lines=3, length=30), saved(lines=2, length=25)], [], [saved(lines=1, length=9)], [saved(lines=7)]]
    found = placed(work, read)
    assert [(one.line, one.offset) for one in found] == [(0, 0), (0, 0), (0, 0), (5, 55)]


@given(st.lists(KEYS, max_size=5), st.sampled_from([1, 40, 150, 10**6]))
def test_ranges_hold_every_key_once_and_know_their_parts(tmp_path_factory, samples, size):
    parts = placed([unit("it", tmp_path_factory.getbasetemp())], [[saved(keys) for keys in samples]])
    comments, _ = _unread(parts)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "RANGE_BYTES", size)
        found = ranges([], comments, parts, SECRETS)
    assert (found[0].low, found[-1].high) == (0, LAST)
    assert all(before.high + 1 == after.low for before, after in pairwise(found))
    for one in found:
        touched = [part for part in comments if part.low <= one.high and part.high >= one.low]
        assert list(map(id, one.comments)) == list(map(id, touched))
    if size == 10**6:
        assert len(found) == 1


def _unread(parts):
    """The parts as ``copies`` gives them when no record came twice."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(planning, "losers", lambda _: {})
        return copies(parts, "comments")


def test_a_thread_of_the_lowest_number_may_fill_a_range_of_its_own(monkeypatch):
    content = ndjson(
        [raw_submission(id="0"), *(raw_comment(id=f"c{n}", link_id="t3_0", parent_id="t3_0") for n in range(200))]
    )
    once = read_files(content)
    monkeypatch.setattr(planning, "RANGE_BYTES", 1)
    assert read_files(content, block_bytes=1024).tables == once.tables


def test_every_log_goes_to_the_range_of_its_thread(monkeypatch):
    records = []
    for number in range(8):
        *thread, _ = awarded_thread(f"p{number}")
        records += [*thread, logged_thread(f"p{number}", f"p{number}c", "challenger")]
    monkeypatch.setattr(unpacking, "PLAIN_CHUNK", 500)
    monkeypatch.setattr(planning, "RANGE_BYTES", 1)
    found = read_files(ndjson(records), block_bytes=1024)
    assert found.metrics["deltas_by"]["deltalog"] == 8
