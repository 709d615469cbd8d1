import json
import os
import subprocess
import sys
from collections import Counter

import pytest
import zstandard

from benchmarks import cache, dump, extract, extract_memory, load, preferences, train
from benchmarks.dump import COMMENTS, SUBMISSIONS, Shape, write_dump
from benchmarks.extract_memory import ALLOWED, Measured
from benchmarks.forked import measured
from benchmarks.peers import scripts
from benchmarks.spent import Spent, spent
from benchmarks.timing import Contender, Timed, interleaved, last_line, table
from persuasion.errors import IntegrityFailure, SurroundingsFailure
from persuasion.files import digest
from tests.closures import ROOT

SHAPE = Shape(comments=2000, seed=3, frames=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dump")
    return folder, write_dump(folder, SHAPE)


def unpacked(path):
    unfold = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    with path.open("rb") as stream:
        return unfold.stream_reader(stream, read_across_frames=True).read()


def record(line):
    try:
        found = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return None
    return found if isinstance(found, dict) and "author" in found else None


def test_the_same_shape_gives_the_same_bytes_and_another_seed_others(written, tmp_path):
    again = write_dump(tmp_path / "again", SHAPE)
    write_dump(tmp_path / "other", Shape(comments=2000, seed=4, frames=1))
    assert (digest(tmp_path / "again"), again) == (digest(written[0]), written[1])
    assert digest(tmp_path / "other") != digest(written[0])


def test_broken_lines_are_counted_truly(written):
    folder, planted = written
    lines = unpacked(folder / COMMENTS).split(b"\n")
    torn = [line for line in lines if record(line) is None]
    assert planted.lines == len(lines) + unpacked(folder / SUBMISSIONS).count(b"\n")
    assert planted.comment_bytes == len(b"\n".join(lines))
    assert sum(line.startswith(b"[") for line in torn) == planted.not_object
    assert sum(b'"lost' in line for line in torn) == planted.missing_field
    assert sum(line.startswith(b"\0") for line in torn) == planted.garbage
    assert sum(line.startswith(b'{"author":') for line in torn) == planted.cut >= 2
    assert len(torn) == planted.not_object + planted.missing_field + planted.garbage + planted.cut
    assert sum(b'"body":"\xff' in line for line in lines) == planted.invalid_utf8
    assert sum(b'"body":"\\ud83d ' in line for line in lines) == planted.surrogates


def test_records_are_counted_truly(written):
    folder, planted = written
    records = list(filter(None, map(record, unpacked(folder / COMMENTS).split(b"\n"))))
    posts = {f"t3_{json.loads(line)['id']}" for line in unpacked(folder / SUBMISSIONS).splitlines()}
    comments = {each["id"]: each for each in records}
    known = {f"t1_{name}" for name in comments} | {each["link_id"] for each in records}
    copies = planted.duplicates + planted.newer_versions
    assert len(records) - len(comments) == copies >= 2
    assert (len(posts), len(comments)) == (planted.submissions, planted.comments)
    assert sum(each["link_id"] not in posts for each in comments.values()) == planted.orphans
    assert sum(each["parent_id"] not in known for each in comments.values()) == planted.missing_parents
    bodies = Counter(each["body"] for each in comments.values())
    assert (bodies["[deleted]"], bodies["[removed]"]) == (planted.deleted, planted.removed)
    assert sum(body.startswith("&gt; !delta") for body in bodies) == planted.quoted_tokens
    bot = [each["body"] for each in comments.values() if each["author"] == "DeltaBot"]
    assert sum("delta(s) in this post" in body for body in bot) == planted.stickies


def test_fields_drift_as_in_the_dumps(written):
    records = list(filter(None, map(record, unpacked(written[0] / COMMENTS).split(b"\n"))))
    assert {type(each["created_utc"]) for each in records} == {str, int}
    assert 18 <= min(map(len, records)) <= 22 and 50 <= max(map(len, records)) <= 55
    assert {"name", "permalink"} <= set(records[-1]) and "permalink" not in records[0]
    assert zstandard.get_frame_parameters((written[0] / COMMENTS).read_bytes()[:18]).window_size == 1 << 31


def test_frames_hold_the_same_lines_and_end_within_one(written, tmp_path, monkeypatch):
    monkeypatch.setattr(dump, "THREADS", 10)
    one = write_dump(tmp_path / "one", SHAPE)
    four = write_dump(tmp_path / "four", Shape(comments=2000, seed=3, frames=4))
    assert one == four
    for name in (SUBMISSIONS, COMMENTS):
        packed, whole = (tmp_path / "four" / name).read_bytes(), unpacked(tmp_path / "one" / name)
        assert unpacked(tmp_path / "four" / name) == whole
        frames = 0
        while packed:
            frame = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
            plain, packed, frames = frame.decompress(packed), frame.unused_data, frames + 1
            assert not packed or not plain.endswith(b"\n")
        assert frames == 4


def test_the_popular_script_finds_what_was_planted(written, tmp_path, capsys):
    folder, planted = written
    scripts.main(folder, tmp_path / "out", bare=False)
    assert json.loads(capsys.readouterr().out) == extract.to_find(planted)
    assert planted.confirmed > 10 and planted.orphans > 1


def test_a_dump_is_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    shape = Shape(comments=50, seed=1, frames=1)
    first = cache.cached_dump(shape)
    monkeypatch.delattr(cache, "write_dump")
    assert cache.cached_dump(shape) == first
    assert sorted(path.name for path in first[0].iterdir()) == [COMMENTS, SUBMISSIONS]


def contender(name, code, tmp_path):
    command = (sys.executable, "-c", code)
    read = {"command": command, "folder": tmp_path, "leavings": ("left",), "environment": dict(os.environ)}
    return Contender(name=name, found=json.loads, **read)


def test_rounds_are_interleaved_and_each_begins_clean(tmp_path):
    trace = "open('trace', 'a').write({!r}); open('left', 'x').close(); print('{{\"comments\": 1}}')"
    timed = interleaved([contender(name, trace.format(name), tmp_path) for name in "ab"], 3)
    assert (tmp_path / "trace").read_text() == "ababab"
    assert [len(each.seconds) for each in timed.values()] == [3, 3]
    assert timed["b"].found == {"comments": 1}
    with pytest.raises(SurroundingsFailure, match="c failed with exit code 3"):
        interleaved([contender("c", "raise SystemExit(3)", tmp_path)], 1)


def test_the_last_line_is_json_with_null_for_what_could_not_be_measured():
    line = json.loads(last_line("extract", {"a": 6.12345, "b": None}, 5))
    assert line == {"benchmark": "extract", "ratios": {"a": 6.123, "b": None}, "rounds": 5}
    assert table(("", "x"), [("ours", "1"), ("theirs", "10")]).splitlines()[-1] == "theirs  10"


def test_memory_counts_beyond_the_window_and_time_per_gigabyte():
    run = Measured(size=10**9, window=1 << 30, peak=(1 << 30) + ALLOWED // 2, seconds=8)
    found = extract_memory.ratios({1: run, 10: Measured(size=10**10, window=1 << 31, peak=1, seconds=100)})
    assert found["memory_1x"] == 2 and found["memory_3x"] is None and found["linear"] == pytest.approx(0.8)
    assert extract_memory.ratios({})["linear"] is None


def test_growth_is_the_cost_of_a_piece_at_two_scales():
    costs = {1: Spent(seconds=9, peak=9), 10: Spent(seconds=1, peak=100), 100: Spent(seconds=20, peak=100)}
    assert load.linear(costs) == 0.5 and load.memory_linear(costs) == 10


def test_a_command_costs_what_it_and_its_children_work(tmp_path):
    child = "while time.process_time() < 0.2: pass"
    code = f"import os, time\nif not os.fork():\n  {child}\n  os._exit(0)\nos.wait()\nheld = b'x' * (1 << 26)"
    found = spent((sys.executable, "-c", code), tmp_path, os.environ)
    assert found.seconds > 0.2 and found.peak > 1 << 26
    with pytest.raises(SurroundingsFailure, match="failed with exit code 3"):
        spent((sys.executable, "-c", "raise SystemExit(3)"), tmp_path, os.environ)


@pytest.mark.slow
def test_a_tiny_race_ends_with_its_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    extract.measure(extract.Plan(comments=1500, rounds=1, within=0, frames=False))
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["benchmark"] == "extract" and line["rounds"] == 1
    assert set(line["ratios"]) == {"vs_scripts", "vs_scripts_bare", "vs_convokit", "vs_convokit_bare", "of_zstd_limit"}
    assert line["ratios"]["vs_scripts"] > 0


@pytest.mark.slow
def test_memory_of_a_tiny_run_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "CACHE", tmp_path)
    assert 10 << 20 < extract_memory.measure(1500).peak < 4 << 30


def test_unequal_work_is_no_race(written):
    planted = written[1]
    fair = Timed(seconds=(1.0,), cpu=(1.0,), peak=0, found=extract.to_find(planted))
    extract.require_same_work({"peer": fair, "zstd": Timed(seconds=(1.0,), cpu=(1.0,), peak=0, found={})}, planted)
    less = Timed(seconds=(1.0,), cpu=(1.0,), peak=0, found={**fair.found, "awards": planted.confirmed - 1})
    with pytest.raises(IntegrityFailure, match="peer did other work"):
        extract.require_same_work({"peer": less}, planted)


def test_synthetic_pairs_have_the_lengths_of_the_forum_and_their_text_is_their_tokens():
    pairs = preferences.pairs(50, 0)
    assert all(150 <= len(pair.prompt) <= 450 and pair.chosen[-1] == preferences.END for pair in pairs)
    assert all(30 < len(ids) <= 451 for pair in pairs for ids in (pair.chosen, pair.rejected))
    words = preferences.text(pairs[0].chosen) + " <eos>"
    assert tuple(preferences.tokenizer()(words)["input_ids"]) == pairs[0].chosen


def test_needed_work_is_that_of_every_token_once():
    one = preferences.pairs(1, 0)
    tokens = len(one[0].prompt) + len(one[0].chosen) + len(one[0].rejected)
    lm = preferences.model(preferences.SMALL, packing=False)
    matrices = sum(p.numel() for p in lm.model.layers.parameters() if p.ndim > 1)
    scored = len(one[0].chosen) + len(one[0].rejected)
    least = 4 * matrices * tokens + 4 * lm.lm_head.weight.numel() * scored
    assert least < preferences.needed_flops(preferences.SMALL, one) < 1.5 * least


def test_a_childs_answer_comes_back_and_its_failure_is_one():
    assert measured(sorted, [3, 1, 2]) == [1, 2, 3]
    with pytest.raises(SurroundingsFailure, match="failed in a child"):
        measured(divmod, 1, 0)


@pytest.mark.slow
def test_a_tiny_race_of_trainers_ends_with_its_line():
    code = "from benchmarks import train; train.measure(train.Plan(batch=2, rounds=2, run_pairs=2, run_rounds=1,"
    code += " threads=(1,), shrink=10, within=0))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    line = json.loads(done.stdout.splitlines()[-1])
    assert line["benchmark"] == "train" and line["rounds"] == 1
    promised = {"step_vs_trl", "step_vs_trl_precompute", "step32m_vs_trl", "run_vs_trl", "run_cached_vs_trl"}
    assert {*promised, "scoring_vs_trl", "memory_vs_trl"} <= set(line["ratios"])
    assert all(ratio > 0 for ratio in line["ratios"].values())
    assert train.TRL_PRE in done.stdout  # the strong baseline stands beside the default one


@pytest.mark.slow
@pytest.mark.long
def test_a_tiny_race_of_searches_does_the_same_work_and_ends_with_its_line():
    command = [sys.executable, "-m", "benchmarks.sweep", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    line = json.loads(done.stdout.splitlines()[-1])
    promised = {"vs_original", "vs_unshared", "vs_original_cpu", "vs_unshared_cpu", "overhead_of_3_s"}
    assert line["benchmark"] == "sweep" and set(line["ratios"]) == promised
    assert "overhead_seconds" in done.stdout and all(ratio for ratio in line["ratios"].values())
