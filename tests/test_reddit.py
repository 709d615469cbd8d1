import gzip
import json
import random
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from persuasion.errors import DataFailure
from persuasion.reading import read
from persuasion.reddit import DELETED, Refused, Skipped
from tests.builders import AT, awarded_thread, ndjson, parsed, raw_comment, raw_submission, source

RECORDS = [raw_submission(), *(raw_comment(id=f"c{number}", body="word " * number) for number in range(300))]
PLAIN = ndjson(RECORDS)
ZSTD = zstandard.ZstdCompressor(level=3).compress
PACKED = {
    "plain": PLAIN,
    "crlf": PLAIN.replace(b"\n", b"\r\n"),
    "bom": b"\xef\xbb\xbf" + PLAIN,
    "no final newline": PLAIN.rstrip(b"\n"),
    "gzip": gzip.compress(PLAIN),
    "gzip members": gzip.compress(PLAIN[:5000]) + gzip.compress(PLAIN[5000:]),
    "zstd": ZSTD(PLAIN),
    "zstd frames": ZSTD(PLAIN[:7]) + ZSTD(b"") + ZSTD(PLAIN[7:9999]) + ZSTD(PLAIN[9999:]),
    "zstd stream": b"".join([(flow := zstandard.ZstdCompressor().compressobj()).compress(PLAIN), flow.flush()]),
}


def accounted(reading):
    return len(reading.submissions) + len(reading.comments) + len(reading.refusals) + reading.skipped_by.total()


def reading_of(folder, *contents, **changes):
    for number, content in enumerate(contents):
        (folder / f"{number}.jsonl").write_bytes(content)
    return read(source(folder, **changes))


@pytest.mark.parametrize("packing", PACKED)
def test_every_packing_gives_the_same_records(packing, tmp_path):
    reading = reading_of(tmp_path, PACKED[packing])
    assert (len(reading.submissions), len(reading.comments), reading.refusals) == (1, 300, [])
    assert reading.comments["t1_c299"].body == "word " * 299
    assert reading.lines == 301


@pytest.mark.parametrize("packing", ["gzip", "zstd", "zstd frames"])
@pytest.mark.parametrize("cut", [1, 100])
def test_a_truncated_frame_is_an_error(packing, cut, tmp_path):
    with pytest.raises(DataFailure, match=r"truncated after \d+ records"):
        reading_of(tmp_path, PACKED[packing][:-cut])


def test_a_corrupt_frame_is_an_error(tmp_path):
    with pytest.raises(DataFailure, match="cannot be decompressed"):
        reading_of(tmp_path, gzip.compress(PLAIN)[:200] + b"nonsense" * 100)


def test_a_window_beyond_the_limit_is_explained(tmp_path):
    wide = zstandard.ZstdCompressionParameters(window_log=24)
    flow = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    content = flow.compress(PLAIN) + flow.flush()
    with pytest.raises(DataFailure) as failure:
        reading_of(tmp_path, content, zst_window_mb=8)
    assert "source.zst_window_mb" in failure.value.fix
    assert len(reading_of(tmp_path, content, zst_window_mb=16).comments) == 300


@pytest.mark.parametrize(
    ("content", "detected"),
    [
        (b"", "an empty file"),
        (b" \n\n", "blank lines only"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"BZh91AY", "bzip2"),
        (b"prompt,chosen,other\na,b,c\n", "CSV or TSV"),
        (b"id\tbody\n1\t2\n", "CSV or TSV"),
        (b"[1, 2]", "a JSON list"),
        (b"<!doctype html>", "HTML or XML"),
        (b"\x00\x01\x02", "binary data"),
        ("{}".encode("utf-16"), "UTF-16 text"),
        (b"just words", "plain text"),
    ],
)
def test_what_is_no_dump_is_named(content, detected, tmp_path):
    with pytest.raises(DataFailure) as failure:
        reading_of(tmp_path, PLAIN, content)
    assert "1.jsonl" in str(failure.value)
    assert detected in failure.value.why


def test_an_empty_dump_is_refused_packed_too(tmp_path):
    with pytest.raises(DataFailure, match="no line"):
        reading_of(tmp_path, gzip.compress(b""))


def test_missing_and_empty_paths_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataFailure):
            read(source(path))


def test_sub_folders_and_hidden_files_are_not_read(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "x.csv").write_text("a,b")
    (tmp_path / ".gitignore").write_text("*")
    assert reading_of(tmp_path, PLAIN).lines == 301


def test_a_bomb_is_stopped(tmp_path):
    frame = ZSTD(b"a" * (1 << 26))
    with pytest.raises(DataFailure, match="unfolds without end"):
        reading_of(tmp_path, frame * 20)


def test_a_long_line_costs_no_memory_and_is_counted(tmp_path):
    flow = zlib.compressobj(wbits=31)
    long = b"".join(flow.compress(random.Random(1).randbytes(1 << 16).replace(b"\n", b"") * 16) for _ in range(48))
    (tmp_path / "long").write_bytes(gzip.compress(b"{}\n") + long + flow.flush() + gzip.compress(b"\n" + PLAIN))
    tracemalloc.start()
    reading = read(source(tmp_path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(r.line, r.reason) for r in reading.refusals] == [(1, "missing_field"), (2, "line_too_long")]
    assert len(reading.comments) == 300
    assert peak < 16 << 20


BAD_LINES = [
    (b'{"id": "x", "body": ', "not_json"),
    (b"[" * 100_000, "not_json"),
    (b'"text"', "not_object"),
    (b'{"children": ["a"], "count": 1, "id": "x", "name": "t1_x", "parent_id": "t1_y"}', "stub"),
    (json.dumps(raw_comment(body=None)).encode(), "missing_field"),
    (json.dumps(raw_comment(body=5)).encode(), "wrong_type"),
    (json.dumps(raw_comment(created_utc="soon")).encode(), "wrong_type"),
    (json.dumps(raw_comment(created_utc=12)).encode(), "out_of_range"),
    (b"x" * 200_000, "line_too_long"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_counted_and_stops_a_strict_reading(line, reason, tmp_path):
    content = (
        ndjson([raw_submission()]) + line + b"\n\n" + ndjson([raw_comment(), raw_comment(id="d", subreddit="tea")])
    )
    reading = reading_of(tmp_path, content)
    assert [(r.file, r.line, r.reason) for r in reading.refusals] == [("0.jsonl", 2, reason)]
    assert reading.skipped_by == {"blank": 1, "other_subreddit": 1}
    assert reading.lines == accounted(reading) == 5
    if reason == "stub":
        assert reading_of(tmp_path, content, strict=True).lines == 5
    else:
        with pytest.raises(DataFailure, match=r"0\.jsonl line 2"):
            reading_of(tmp_path, content, strict=True)


@given(st.lists(st.binary(max_size=80) | st.sampled_from([line for line, _ in BAD_LINES]), max_size=8))
def test_no_line_is_lost_whatever_it_holds(tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("dump")
    content = b"\n".join([*ndjson(awarded_thread()).splitlines(), *lines])
    reading = reading_of(folder, content)
    assert reading.lines == accounted(reading)
    assert len(reading.comments) == 4


def test_of_two_copies_the_latest_stays_in_any_order(tmp_path):
    copies = [raw_comment(body="old", retrieved_on=AT), raw_comment(body="new", retrieved_on=AT + 9),
              raw_comment(body="edited", retrieved_on=str(AT + 9), edited=AT + 8.0)]  # fmt: skip
    for number, order in enumerate([copies, copies[::-1], [copies[1], copies[2], copies[0]]]):
        folder = tmp_path / str(number)
        folder.mkdir()
        reading = reading_of(folder, *(ndjson([copy]) for copy in order))
        assert reading.comments["t1_reply"].body == "edited"
        assert [r.reason for r in reading.refusals] == ["duplicate_id"] * 2


def test_copies_that_tie_are_ordered_by_content(tmp_path):
    same = [raw_comment(body=body) for body in "ab"]
    (tmp_path / "other").mkdir()
    one, other = reading_of(tmp_path, ndjson(same)), reading_of(tmp_path / "other", ndjson(same[::-1]))
    assert one.comments["t1_reply"].body == other.comments["t1_reply"].body


def test_invalid_utf8_and_lone_surrogates_are_replaced(tmp_path):
    line = json.dumps(raw_comment(body="half \ud800 pair")).encode().replace(b"half", b"h\xffalf")
    reading = reading_of(tmp_path, line)
    assert reading.comments["t1_reply"].body == "h\ufffdalf \ufffd pair"
    assert reading.repaired == 1


@pytest.mark.parametrize("time", [AT, str(AT), float(AT), f"{AT}.0", AT * 1000])
def test_times_drift_into_one_shape(time):
    assert parsed(raw_comment(created_utc=time)).created_utc == AT


@pytest.mark.parametrize(("score", "expected"), [(None, None), ("7", 7), (3.0, 3), (10**30, None), ("x", None)])
def test_scores_drift_into_one_shape(score, expected):
    assert parsed(raw_comment(score=score)).score == expected


@pytest.mark.parametrize("time", [float("nan"), float("inf"), "", "1" * 5000, [], {}])
def test_times_that_are_none_are_refused(time):
    with pytest.raises(Refused):
        parsed(raw_comment(created_utc=time))


def test_absent_names_and_authors():
    assert parsed(raw_comment(id=..., name="t1_reply")).id == "t1_reply"
    assert parsed(raw_comment(id="t1_reply")).id == "t1_reply"
    assert parsed(raw_comment(author=None)).author == parsed(raw_comment(author=...)).author == DELETED
    assert parsed(raw_comment(link_id=...)).thread_id == "t3_post"
    assert parsed(raw_submission(selftext=None)).selftext == ""


@pytest.mark.parametrize(
    "changes",
    [{"id": "a/b"}, {"id": 5}, {"id": "t3_post"}, {"parent_id": "reply"}, {"parent_id": 7}, {"link_id": "t1_reply"},
     {"link_id": ..., "parent_id": "t1_reply"}, {"author": 3}],
)  # fmt: skip
def test_ids_of_the_wrong_kind_are_refused(changes):
    with pytest.raises(Refused):
        parsed(raw_comment(**changes))


def test_other_subreddits_are_skipped_by_name_without_case():
    with pytest.raises(Skipped):
        parsed(raw_submission(subreddit="DeltaLog"))
    assert parsed(raw_submission(subreddit="ChangeMyView")).id == "t3_post"
