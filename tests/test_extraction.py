import bz2
import gzip
import json
import random
import tracemalloc
import zlib
from functools import partial

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion import spans, units
from persuasion.errors import DataFailure, UsageFailure
from persuasion.markdown import clean
from persuasion.masking import WORDS
from persuasion.pseudonyms import key_for, pseudonym
from tests.builders import AT, awarded_thread, logged_thread, ndjson, raw_comment, raw_submission, source
from tests.extracting import TABLES, frames, read, read_files
from tests.forms import tan_files, write_tar
from tests.test_parts import BAD_LINES
from tests.test_readypairs import FORMS

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
    "bzip2": bz2.compress(PLAIN),
    "zstd": ZSTD(PLAIN),
    "zstd frames": ZSTD(PLAIN[:7]) + ZSTD(b"") + ZSTD(PLAIN[7:9999]) + ZSTD(PLAIN[9999:]),
    "zstd stream": b"".join([(flow := zstandard.ZstdCompressor().compressobj()).compress(PLAIN), flow.flush()]),
}


@pytest.mark.parametrize("packing", PACKED)
def test_every_packing_gives_the_same_records(packing):
    found = read_files(PACKED[packing])
    assert (len(found.submissions), len(found.comments), found.refusals) == (1, 300, [])
    assert found.by_id["t1_c299"].body == "word " * 299
    assert found.metrics["lines"] == 301
    assert found.tables == read_files(PLAIN).tables


@pytest.mark.parametrize("packing", ["gzip", "gzip members", "bzip2", "zstd", "zstd frames", "zstd stream"])
@pytest.mark.parametrize("cut", [1, 100])
def test_a_truncated_frame_is_an_error(packing, cut):
    with pytest.raises(DataFailure, match=r"0\.jsonl is truncated( after \d+ records)?\n"):
        read_files(PACKED[packing][:-cut], block_bytes=1024)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_fault_in_any_file_stops_all_of_them(workers):
    noise = ndjson(
        raw_comment(id=f"d{number}", body=random.Random(number).randbytes(300).hex()) for number in range(400)
    )
    with pytest.raises(DataFailure, match=r"1\.jsonl is truncated after [1-9]\d* records"):
        read_files(ZSTD(PLAIN), ZSTD(noise)[:-100], PLAIN, workers=workers, block_bytes=1024)


def test_a_corrupt_frame_is_an_error():
    with pytest.raises(DataFailure, match="cannot be decompressed"):
        read_files(gzip.compress(PLAIN)[:200] + b"nonsense" * 100)


def test_a_window_beyond_the_limit_is_explained():
    wide = zstandard.ZstdCompressionParameters(window_log=24)
    flow = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    content = flow.compress(PLAIN) + flow.flush()
    with pytest.raises(DataFailure) as failure:
        read_files(content, zst_window_mb=8)
    assert "source.zst_window_mb" in failure.value.fix
    assert len(read_files(content, zst_window_mb=16).comments) == 300


@pytest.mark.slow
def test_pushshifts_windows_of_two_gigabytes_are_read():
    wide = zstandard.ZstdCompressionParameters(
        window_log=31, strategy=zstandard.STRATEGY_FAST, hash_log=16, chain_log=16
    )
    flow = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    content = flow.compress(PLAIN) + flow.flush()
    assert read_files(content, zst_window_mb=2048).tables == read_files(PLAIN).tables
    with pytest.raises(DataFailure, match="cannot be decompressed"):
        read_files(content, zst_window_mb=128)


@pytest.mark.parametrize(
    ("content", "detected"),
    [(b"", "an empty file"), (gzip.compress(b""), "an empty file"), (b"prompt,chosen,other\na,b,c\n", "CSV or TSV"),
     (b"just words", "plain text")],
)  # fmt: skip
def test_what_is_no_dump_is_named(content, detected):
    with pytest.raises(DataFailure) as failure:
        read_files(PLAIN, content)
    assert "1.jsonl" in str(failure.value)
    assert detected in failure.value.why


def test_a_bomb_is_stopped():
    with pytest.raises(DataFailure, match="unfolds without end"):
        read_files(ZSTD(PLAIN) + ZSTD(bytes(1 << 26)) * 20)


def test_a_long_line_costs_no_memory_and_is_counted():
    flow = zlib.compressobj(wbits=31)
    long = b"".join(flow.compress(random.Random(1).randbytes(1 << 16).replace(b"\n", b"") * 16) for _ in range(48))
    content = gzip.compress(b'{"body": 1}\n') + long + flow.flush() + gzip.compress(b"\n" + PLAIN)
    tracemalloc.start()
    found = read_files(content, block_bytes=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row["line"], row["reason"]) for row in found.refusals] == [(1, "missing_field"), (2, "line_too_long")]
    assert len(found.comments) == 300
    assert peak < 24 << 20


def test_a_comment_of_two_megabytes_is_a_row_or_counted():
    content = ndjson([raw_submission(), raw_comment(body="x" * 2_000_000)])
    assert len(read_files(content, max_line_bytes=16 << 20).comments) == 1
    assert read_files(content).reasons == {"line_too_long": 1}


def test_nul_bom_crlf_and_bidi_controls_cost_no_row_and_reach_no_cleaned_text():
    body = "one\0two\u202ethree\u200bfour\ufefffive\r\nsix"
    line = json.dumps(raw_comment(id="raw", body=body), ensure_ascii=False).encode().replace(b"\\u0000", b"\0")
    assert b"\0" in line
    content = ndjson([raw_submission(), raw_comment(body=body)]) + b"\xef\xbb\xbf" + line + b"\r\n"
    found = read_files(content)
    assert [row.body for row in found.comments] == [body, body]
    assert {clean(row.body) for row in found.comments} == {"onetwothreefourfive\nsix"}


@pytest.mark.parametrize(("line", "reason"), [*BAD_LINES, (b"x" * 200_000, "line_too_long")])
def test_a_bad_line_is_counted_and_stops_a_strict_reading(line, reason):
    content = (
        ndjson([raw_submission()]) + line + b"\n\n" + ndjson([raw_comment(), raw_comment(id="d", subreddit="tea")])
    )
    found = read_files(content)
    assert [(row["file"], row["line"], row["reason"]) for row in found.refusals] == [("0.jsonl", 2, reason)]
    assert (found.metrics["skipped_by"]["blank"], found.metrics["skipped_by"]["other_subreddit"]) == (1, 1)
    assert (found.metrics["lines"], found.unaccounted) == (5, 0)
    if reason == "stub":
        assert read_files(content, strict=True).metrics["lines"] == 5
    else:
        with pytest.raises(DataFailure, match=r"0\.jsonl line 2"):
            read_files(content, strict=True)


def test_a_strict_reading_names_the_first_bad_line_of_the_file_whatever_its_frames(monkeypatch):
    monkeypatch.setattr(units, "spans", partial(spans.spans, least=1))
    content = PLAIN + b"bad\n" + PLAIN.replace(b'"c', b'"d') + b"worse\n"
    for cuts in ([], [5000], [len(PLAIN) + 2], [100, len(PLAIN), len(PLAIN) + 1]):
        with pytest.raises(DataFailure, match=r"0\.jsonl line 302 "):
            read_files(frames(content, cuts), strict=True, block_bytes=1024)


def test_lines_that_were_repaired_are_counted():
    line = json.dumps(raw_comment(body="half \ud800 pair")).encode().replace(b"half", b"h\xffalf")
    found = read_files(ndjson([raw_submission()]) + line)
    assert found.by_id["t1_reply"].body == "h\ufffdalf \ufffd pair"
    assert (found.metrics["repaired"], found.metrics["refused"]) == (1, 0)


@given(st.lists(st.binary(max_size=80) | st.sampled_from([line for line, _ in BAD_LINES]), max_size=8))
@settings(max_examples=50)
def test_no_line_is_lost_whatever_it_holds(lines):
    found = read_files(b"\n".join([*ndjson(awarded_thread()).splitlines(), *lines]))
    assert found.unaccounted == 0
    assert len(found.comments) == 4


# copies


def test_of_two_copies_the_latest_stays_in_any_order():
    copies = [raw_comment(body="old", retrieved_on=AT), raw_comment(body="new", retrieved_on=AT + 9),
              raw_comment(body="edited", retrieved_on=str(AT + 9), edited=AT + 8.0)]  # fmt: skip
    post = ndjson([raw_submission()])
    for order in [copies, copies[::-1], [copies[1], copies[2], copies[0]]]:
        apart, together = read_files(post, *(ndjson([copy]) for copy in order)), read_files(post + ndjson(order))
        assert apart.by_id["t1_reply"].body == together.by_id["t1_reply"].body == "edited"
        assert apart.reasons == together.reasons == {"duplicate_id": 2}


def test_copies_that_tie_are_ordered_by_content():
    same_time = [raw_submission(), *(raw_comment(body=body) for body in "abc")]
    assert read_files(ndjson(same_time)).tables == read_files(ndjson(same_time[::-1])).tables


@pytest.mark.parametrize("gone", [{"body": "[deleted]"}, {"body": "[removed]"}, {"author": "[deleted]"}])
def test_of_copies_of_one_time_the_one_that_is_gone_stays(gone):
    for at in (AT, None):
        copies = [raw_comment(retrieved_on=at, body=f"text {number}") for number in range(9)]
        deleted = raw_comment(retrieved_on=at) | gone
        for order in ([*copies, deleted], [deleted, *copies]):
            found = read_files(ndjson([raw_submission(), *order]))
            assert found.by_id["t1_reply"].role == "deleted"


def test_an_id_in_two_threads_is_one_comment_where_its_last_copy_stands():
    posts = [raw_submission(id="one"), raw_submission(id="two")]
    moved = [
        raw_comment(link_id="t3_one", parent_id="t3_one"),
        raw_comment(link_id="t3_two", parent_id="t3_two", edited=AT),
    ]
    for order in (moved, moved[::-1]):
        found = read_files(ndjson([*posts, *order]))
        assert [row.thread_id for row in found.comments] == ["t3_two"]
        assert found.reasons == {"duplicate_id": 1}


# what must go, and what must not be read


def removed_from(records, *entries, folder):
    (folder / "removals.txt").write_text("".join(f"{entry}\n" for entry in entries))
    return read_files(ndjson(records), removals_file=str(folder / "removals.txt"))


def test_removals_drop_comments_authors_and_whole_threads(tmp_path):
    records = [*awarded_thread("one"), *awarded_thread("two"), *awarded_thread("three")]
    other = pseudonym("other", key_for(source(tmp_path)))
    found = removed_from(records, "t3_two", "t1_oned", other, "t1_absent", folder=tmp_path)
    assert {row.id for row in found.submissions} == {"t3_one", "t3_three"}
    assert {row.id for row in found.comments} == {"t1_onea", "t1_onec", "t1_threea", "t1_threec", "t1_threed"}
    assert found.removed == {
        "t1_absent": {"submissions": 0, "comments": 0},
        "t1_oned": {"submissions": 0, "comments": 1},
        "t3_two": {"submissions": 1, "comments": 3},
        other: {"submissions": 0, "comments": 3},
    }
    assert sum(sum(counts.values()) for counts in found.removed.values()) == found.metrics["skipped_by"]["removed"]
    assert found.unaccounted == 0
    assert b"t3_two" not in found.tables[0] and other.encode() not in found.tables[1]


def test_an_author_is_removed_in_whatever_case_the_name_was_given(tmp_path):
    found = removed_from(awarded_thread(), pseudonym("CHALLENGER", key_for(source(tmp_path))), folder=tmp_path)
    assert "t1_posta" not in found.by_id and found.metrics["deltas"] == 0


def test_a_removed_post_takes_the_comments_that_arrive_in_any_order_and_copies(tmp_path):
    records = [*awarded_thread("one"), raw_submission(id="one", edited=AT + 5), *awarded_thread("two")]
    found = removed_from(records[::-1], "t3_one", folder=tmp_path)
    assert {row.thread_id for row in found.comments} == {"t3_two"}
    assert (found.metrics["skipped_by"]["removed"], found.reasons) == (5, {"duplicate_id": 1})


def test_what_a_removed_comment_awarded_stays_another_ones_delta(tmp_path):
    once = read_files(ndjson(awarded_thread()))
    found = removed_from(awarded_thread(), "t1_postc", folder=tmp_path)
    assert "t1_postc" not in found.by_id and found.metrics["deltas"] == 1
    assert found.by_id["t1_posta"] == once.by_id["t1_posta"]


@pytest.mark.parametrize("there", [True, False])
def test_who_is_removed_is_not_named_as_the_giver_of_a_delta(there, tmp_path):
    passer = pseudonym("passer_by", key_for(source(tmp_path)))
    *thread, award, bot = awarded_thread()
    log = logged_thread("post", "posta", "challenger")
    log["selftext"] = log["selftext"].replace("from OP to", "from /u/passer_by to").replace("/?context=3", "")
    told = [*thread, *([award | {"author": "passer_by"}] if there else []), bot, log]
    found = removed_from(told, passer, folder=tmp_path)
    for row in found.comments:
        assert passer not in repr(row)
    assert found.metrics["skipped_by"]["removed"] == there
    assert [delta.by for delta in found.by_id["t1_posta"].deltas] == [""]


def test_a_name_in_the_removals_file_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(UsageFailure) as failure:
        removed_from(awarded_thread(), "some_name", folder=tmp_path)
    assert failure.value.exit_code == 2 and "some_name" not in str(failure.value)


IDENTITIES = ["some_one", "someone@example.org", "+44 20 7946 0958", "https://example.org/page", "other_name"]


def revealing(**changes):
    text = "Ask u/some_one or someone@example.org, +44 20 7946 0958, https://example.org/page and u/other_name."
    post, *comments = awarded_thread()
    return [post | {"selftext": text, "title": text}, *(row | {"body": f"{row['body']} {text}"} for row in comments)]


def test_masking_leaves_no_identity_in_the_bytes_and_every_award(tmp_path):
    hidden, plain = (
        read(_dump(tmp_path, revealing()), tmp_path / "a"),
        read(_dump(tmp_path, revealing(), mask=False), tmp_path / "b"),
    )
    every = b"".join(path.read_bytes() for path in sorted((tmp_path / "a").iterdir()))
    texts = [*(row.body for row in hidden.comments), hidden.submissions[0].selftext, hidden.submissions[0].title]
    for identity in [*IDENTITIES, "op_name", "challenger"]:
        assert identity.encode() not in every
        assert not any(identity in text for text in texts)
    assert all(word in text for text in texts for word in WORDS)
    assert [row.deltas for row in hidden.comments] == [row.deltas for row in plain.comments]
    assert hidden.metrics == plain.metrics and hidden.metrics["deltas_by"]["confirmed"] == 1


def test_without_masking_texts_are_as_given(tmp_path):
    found = read(_dump(tmp_path, revealing(), mask=False))
    bodies = {f"t1_{row['id']}": row["body"] for row in revealing()[1:]}
    assert {row.id: row.body for row in found.comments} == bodies
    assert not any(row.author in ("op_name", "challenger", "other", "DeltaBot") for row in found.comments)


def _dump(folder, records, **changes):
    (folder / "dump.ndjson").write_bytes(ndjson(records))
    return source(folder / "dump.ndjson", **changes)


def test_the_key_comes_from_its_file(tmp_path):
    (tmp_path / "key").write_text("a secret of thirty-two characters\n")
    keyed = read(_dump(tmp_path, awarded_thread(), pseudonym_key_file=str(tmp_path / "key")))
    own = read(_dump(tmp_path, awarded_thread()))
    assert {row.author for row in keyed.comments}.isdisjoint(row.author for row in own.comments)
    assert keyed.metrics == own.metrics
    (tmp_path / "key").write_text(" \n")
    with pytest.raises(UsageFailure):
        read(_dump(tmp_path, awarded_thread(), pseudonym_key_file=str(tmp_path / "key")))


# what is left, and other forms


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_but_the_tables_is_left(workers, tmp_path):
    read(_dump(tmp_path, awarded_thread(), workers=workers), tmp_path / "threads")
    assert sorted(path.name for path in (tmp_path / "threads").iterdir()) == sorted([*TABLES, "refused.jsonl"])


def test_other_forms_go_the_same_way(tmp_path):
    found = read(source(write_tar(tmp_path / "cmv.tar.bz2", tan_files())))
    assert (len(found.submissions), len(found.comments), found.unaccounted) == (1, 4, 0)
    assert found.metrics["deltas_by"]["confirmed"] == 1


@pytest.mark.parametrize("form", FORMS)
def test_ready_pairs_become_threads_whatever_their_form(form, tmp_path):
    (tmp_path / "pairs").write_text(FORMS[form], newline="")
    found = read(source(tmp_path / "pairs"))
    winners = [row for row in found.comments if row.earned_delta]
    assert sorted((row.body, len(row.rivals)) for row in winners) == [("Short ones help.", 2), ("With milk.", 1)]
    assert {rival for row in winners for rival in row.rivals} <= found.by_id.keys()
    assert all(row.author == "" and not row.is_op for row in found.comments)
    assert (found.metrics["lines"], found.unaccounted, found.metrics["deltas_by"]["given"]) == (15, 0, 2)
    assert found.reasons == {"empty_text": 3, "same_completions": 3}
    (tmp_path / "pairs").write_text(FORMS["json"])
    assert read(source(tmp_path / "pairs")).tables == found.tables


def test_rows_of_other_forms_that_were_repaired_are_counted_too(tmp_path):
    (tmp_path / "pairs.csv").write_bytes(b"prompt,chosen,rejected\nNaps?,It\x92s short.,No.\nTea?,Hot.,Cold.\n")
    found = read(source(tmp_path / "pairs.csv"))
    assert (found.metrics["repaired"], found.metrics["lines"], found.unaccounted) == (1, 6, 0)
    assert any(row.body == "It\ufffds short." for row in found.comments)


def test_a_dump_of_one_half_is_all_refused():
    found = read_files(ndjson(awarded_thread()[1:]))
    assert (found.submissions, found.comments, found.reasons) == ([], [], {"orphan": 4})
    assert read_files(ndjson(awarded_thread()[:1])).metrics["submissions"] == 1
