"""Tables, metrics and refusals are the same however files, frames, blocks, workers and lines share out the work."""

import gzip
import json
import random
from functools import partial

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion import spans, units, unpacking
from tests.builders import AT, awarded_thread, logged_thread, ndjson, raw_comment, raw_submission
from tests.extracting import frames, read_files, shuffled

ZSTD = zstandard.ZstdCompressor(level=3).compress


@pytest.fixture(scope="module")
def small_bites():
    """Files are read in bites of 300 bytes, so that small blocks are small."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(unpacking, "CHUNK", 300)
        patched.setattr(unpacking, "PLAIN_CHUNK", 300)
        yield


def a_bit_of_everything():
    """A dump with copies, loops, orphans, odd and broken lines, a log, and several threads of several blocks."""
    chance = random.Random(7)
    threads = [record for number in range(12) for record in awarded_thread(f"p{number}")]
    talk = [
        raw_comment(id=f"k{number}", link_id=f"t3_p{number % 12}", parent_id=f"t1_k{chance.randrange(number + 5)}",
                    body=f"See u/name{number}. " + "word " * chance.randrange(60), author=f"name{chance.randrange(9)}")
        for number in range(150)
    ]  # fmt: skip
    odd = [
        raw_comment(id="k3", link_id="t3_p3", body="a later copy", retrieved_on=AT + 10**6),
        raw_comment(id="k4", link_id="t3_p5", body="one of two equal copies", retrieved_on=AT + 10**6),
        raw_comment(id="k4", link_id="t3_p6", body="the other of both", retrieved_on=AT + 10**6),
        raw_comment(id="lost", link_id="t3_gone"), raw_comment(id="k5", body=5), raw_comment(id="x", subreddit="tea"),
        raw_comment(id="l1", link_id="t3_p1", parent_id="t1_l2"),
        raw_comment(id="l2", link_id="t3_p1", parent_id="t1_l1"),
        raw_comment(id="Odd_1", link_id="t3_p2", created_utc=f"{AT}.5", score="4"), raw_submission(id="P_odd"),
        raw_comment(id="below", link_id="t3_P_odd", parent_id="t3_P_odd"), logged_thread("p4", "gone", "other"),
        logged_thread("p5", "p5c", "challenger"),
    ]  # fmt: skip
    broken = [b"broken", b"", b"x" * 5000, b'"text"', b"{}", b'{"body": "\xff"}', b"\r", "\u00a0".encode()]
    lines = [*ndjson([*threads, *talk, *odd]).splitlines(), *broken]
    chance.shuffle(lines)
    return b"\n".join(lines) + b"\n"


DUMP = a_bit_of_everything()


def same(*contents, **changes):
    return read_files(*contents, **{"max_line_bytes": 4096} | changes)


@pytest.fixture(scope="module")
def once(small_bites):
    found = same(DUMP)
    assert found.reasons.keys() >= {"duplicate_id", "orphan", "cycle", "line_too_long", "not_json", "wrong_type"}
    assert found.metrics["deltas"] > 10 and found.unaccounted == 0
    return found


@pytest.mark.parametrize("block_bytes", [1024, 1500, 4096, 65536, 8 << 20])
@pytest.mark.parametrize("workers", [1, 2])
def test_blocks_and_workers_leave_no_trace(block_bytes, workers, once):
    found = same(DUMP, block_bytes=block_bytes, workers=workers)
    assert (found.tables, found.metrics, found.refusals) == (once.tables, once.metrics, once.refusals)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_lines_leaves_no_trace_in_the_rows(seed, once):
    found = same(shuffled(DUMP, seed), block_bytes=2048)
    assert (found.tables, found.metrics) == (once.tables, once.metrics)


@pytest.mark.parametrize("workers", [1, 2])
def test_several_files_are_one(workers, once):
    lines = DUMP.splitlines(keepends=True)
    pieces = [b"".join(lines[start::3]) for start in range(3)]
    found = same(pieces[0], gzip.compress(pieces[1]), ZSTD(pieces[2]), workers=workers, block_bytes=2048)
    assert (found.tables, found.metrics) == (once.tables, once.metrics)


@given(st.lists(st.integers(0, len(DUMP)), max_size=6), st.sampled_from([1024, 8 << 20]))
@settings(max_examples=25)
def test_frames_that_end_anywhere_leave_no_trace(once, cuts, block_bytes):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(units, "spans", partial(spans.spans, least=1))
        found = same(frames(DUMP, cuts), block_bytes=block_bytes)
    assert (found.tables, found.metrics, found.refusals) == (once.tables, once.metrics, once.refusals)


def test_frames_are_read_alike_by_several_workers(monkeypatch, once):
    monkeypatch.setattr(units, "spans", partial(spans.spans, least=1))
    content = frames(DUMP, [1, 5000, 5001, 20_000, len(DUMP) - 1])
    found = same(content, workers=2, block_bytes=1024)
    assert (found.tables, found.metrics, found.refusals) == (once.tables, once.metrics, once.refusals)


def test_how_deep_a_line_may_nest_does_not_depend_on_who_reads_it_or_what_beside():
    """Python's limit counts the calls that are open, of which a worker has fewer."""
    fields = json.dumps(raw_comment(id=...)).encode()[:-1]
    depths = [*range(700, 960, 20), *range(960, 1000)]
    nested = [fields + b', "id": "d%d", "z": ' % deep + b"[" * deep + b"]" * deep + b"}" for deep in depths]
    content = ndjson([raw_submission()]) + b"".join(line + b"\n" for line in nested)
    together = read_files(content, workers=1)
    assert together.tables == read_files(content, workers=2).tables
    alone = [read_files(ndjson([raw_submission()]) + line) for line in nested]
    assert together.by_id.keys() == {id_ for found in alone for id_ in found.by_id}


def test_a_second_run_gives_the_same_bytes(once):
    assert same(DUMP) == once


@given(st.lists(st.integers(0, len(DUMP)), max_size=4), st.sampled_from([1024, 8 << 20]))
@settings(max_examples=25)
def test_the_bytes_of_every_refused_record_can_be_found_again(small_bites, cuts, block_bytes):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(units, "spans", partial(spans.spans, least=1))
        found = same(frames(DUMP, cuts), block_bytes=block_bytes)
    lines = DUMP.split(b"\n")
    for row in found.refusals:
        raw = DUMP[row["offset"] : row["offset"] + row["length"]]
        assert raw.rstrip(b"\n") == lines[row["line"] - 1]
        if row["reason"] in ("duplicate_id", "orphan", "cycle"):
            assert json.loads(raw)["id"]
    assert found.metrics["refused"] == len(found.refusals) == sum(found.metrics["refused_by"].values())


def test_a_file_given_twice_changes_nothing_but_counts(once):
    twice = same(DUMP, DUMP)
    assert twice.tables == once.tables
    records = once.metrics["submissions"] + once.metrics["comments"] + once.reasons["orphan"] + once.reasons["cycle"]
    assert twice.reasons["duplicate_id"] == 2 * once.reasons["duplicate_id"] + records
    assert twice.metrics["lines"] == 2 * once.metrics["lines"] and twice.unaccounted == 0
