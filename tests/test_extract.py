"""The stage ``extract`` as DVC runs it: files in a folder, an exit code, and whole outputs or none."""

import json

import pytest
import zstandard

from persuasion.records import Comment, Submission
from persuasion.tables import read_rows
from tests.builders import awarded_thread, ndjson, raw_comment, raw_submission
from tests.extracting import stage
from tests.forms import PAIR_ROWS, tan_files, tan_post, write_tree

ZSTD = zstandard.ZstdCompressor(level=3).compress
DUMP = ndjson([*awarded_thread(), *awarded_thread("second"), raw_comment(id="lost", link_id="t3_gone")]) + b"\nbroken\n"


def dumped(folder, content=DUMP):
    """A folder with a dump in it, of which the stage is told as "dump"."""
    return write_tree(folder, {"dump/all.ndjson": content})


def written(folder, name):
    return [json.loads(line) for line in (folder / "data/threads" / name).read_text().splitlines()]


def metrics_of(folder):
    return json.loads((folder / "metrics/extract.json").read_text())["extract"]


def test_the_stage_writes_tables_refusals_and_metrics_that_add_up(tmp_path):
    done = stage(dumped(tmp_path), path="dump")
    assert done.returncode == 0, done.stderr
    metrics = metrics_of(tmp_path)
    posts = read_rows(tmp_path / "data/threads/submissions.parquet", Submission)
    comments = read_rows(tmp_path / "data/threads/comments.parquet", Comment)
    refused = written(tmp_path, "refused.jsonl")
    fates = metrics["submissions"] + metrics["comments"] + metrics["refused"] + sum(metrics["skipped_by"].values())
    assert (len(posts), len(comments)) == (metrics["submissions"], metrics["comments"]) == (2, 8)
    assert metrics["lines"] == fates == 13
    assert metrics["deltas"] == sum(metrics["deltas_by"].values()) == sum(row.earned_delta for row in comments) == 2
    assert sum(metrics["refused_by"].values()) == metrics["refused"] == len(refused)
    lines = DUMP.split(b"\n")
    assert refused == [
        {
            "file": "all.ndjson",
            "line": 11,
            "offset": DUMP.index(lines[10]),
            "length": len(lines[10]),
            "reason": "orphan",
        },
        {"file": "all.ndjson", "line": 13, "offset": DUMP.index(b"broken"), "length": 6, "reason": "not_json"},
    ]
    assert written(tmp_path, "removed.jsonl") == []
    assert {path.name for path in (tmp_path / "data/threads").iterdir()} == {
        "submissions.parquet", "comments.parquet", "refused.jsonl", "removed.jsonl", "README.md",
    }  # fmt: skip


def test_no_output_names_anybody_or_any_place_on_this_machine(tmp_path):
    done = stage(dumped(tmp_path), path="dump")
    outputs = [*(tmp_path / "data").rglob("*.*"), *(tmp_path / "metrics").iterdir()]
    every = b"".join(path.read_bytes() for path in outputs) + done.stdout.encode()
    for name in (b"challenger", b"op_name", str(tmp_path).encode()):
        assert name not in every


@pytest.mark.parametrize(
    ("content", "changes", "code", "words"),
    [
        (b"", {}, 3, "empty file"),
        (b"name,text\na,b\n", {}, 3, "CSV or TSV"),
        (ZSTD(DUMP)[:-20], {}, 3, "all.ndjson is truncated"),
        (ZSTD(DUMP) + ZSTD(bytes(1 << 26)) * 20, {}, 3, "unfolds without end"),
        (ZSTD(DUMP) + b"garbage", {}, 3, "cannot be decompressed"),
        (ZSTD(DUMP) + ZSTD(bytes(1 << 20)), {"strict": True, "max_line_bytes": 4096}, 3, "line 13"),
        (ndjson(awarded_thread()[:3]), {}, 3, "no delta"),
        (ndjson(awarded_thread()), {"subreddit": "tea"}, 3, "no delta"),
        (DUMP, {"strict": True}, 3, "line 13"),
        (DUMP, {"path": "absent"}, 3, "absent"),
        (DUMP, {"kind": "pairs"}, 3, "ready pairs"),
        (DUMP, {"pseudonym_key_file": "absent.key"}, 2, "absent.key"),
        (DUMP, {"removals_file": "absent.txt"}, 2, "absent.txt"),
        (DUMP, {"workers": -1}, 2, "workers"),
        (DUMP, {"block_bytes": 5}, 2, "block_bytes"),
        (DUMP, {"engine": "rey"}, 2, "engine"),
    ],
)
def test_a_failing_stage_says_why_and_leaves_nothing(content, changes, code, words, tmp_path):
    done = stage(dumped(tmp_path, content), **{"path": "dump"} | changes)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())
    assert not (tmp_path / "metrics").exists()


def test_a_failing_stage_leaves_what_an_earlier_run_made(tmp_path):
    stage(dumped(tmp_path), path="dump")
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")}
    dumped(tmp_path, DUMP[:300])
    assert stage(tmp_path, path="dump").returncode == 3
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")} == before


def test_the_receipt_of_removals_lists_every_entry(tmp_path):
    (tmp_path / "removals.txt").write_text("t1_absent\nt3_second # asked for in May\n")
    done = stage(dumped(tmp_path), path="dump", removals_file="removals.txt")
    assert done.returncode == 0, done.stderr
    assert written(tmp_path, "removed.jsonl") == [
        {"removal": "t1_absent", "submissions": 0, "comments": 0},
        {"removal": "t3_second", "submissions": 1, "comments": 4},
    ]
    assert metrics_of(tmp_path)["skipped_by"]["removed"] == 5


def test_two_workers_make_the_bytes_of_one(tmp_path):
    made = []
    for workers in (1, 2):
        assert stage(dumped(tmp_path), path="dump", workers=workers, block_bytes=1024).returncode == 0
        made.append({path.name: path.read_bytes() for path in (tmp_path / "data/threads").iterdir()})
    assert made[0] == made[1]


def test_a_hostile_line_is_no_internal_error(tmp_path):
    post = b'{"title": "x", "id": "y", "author": "z", "subreddit": "changemyview", "created_utc": 1400000000, '
    lines = [b'"a": ' + b"[" * 100_000, b'"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
             b'"score": ' + b"9" * 5000 + b"}", b'"edited": ' + b"9" * 4000 + b"}",
             b'"id": "a\\u0000b"}', b'"id": {"id": []}}', b'"author": [[]]}']  # fmt: skip
    done = stage(dumped(tmp_path, DUMP + b"".join(post + line + b"\n" for line in lines)), path="dump")
    assert done.returncode == 0, done.stderr
    assert metrics_of(tmp_path)["deltas"] == 2


def test_a_post_file_of_tans_alone_has_no_delta_and_is_no_failure(tmp_path):
    write_tree(tmp_path, {"cmv/op_task/train_op_data.jsonlist": ndjson([tan_post()])})
    done = stage(tmp_path, path="cmv")
    assert done.returncode == 0, done.stderr
    assert (metrics_of(tmp_path)["submissions"], metrics_of(tmp_path)["deltas"]) == (1, 0)


@pytest.mark.parametrize(
    ("files", "form"), [(tan_files(), "tan"), ({"pairs.json": json.dumps(PAIR_ROWS).encode()}, "pairs")]
)
def test_the_data_sheet_names_the_form(files, form, tmp_path):
    write_tree(tmp_path / "data_of_theirs", files)
    done = stage(tmp_path, path="data_of_theirs")
    assert done.returncode == 0, done.stderr
    assert f"from {form}" in (tmp_path / "data/threads/README.md").read_text()


def test_two_forms_are_read_together(tmp_path):
    post, *comments = awarded_thread()
    files = {"dump/posts.ndjson": ndjson([post, raw_submission(id="other")]),
             "dump/replies.json": json.dumps({"data": comments}).encode()}  # fmt: skip
    done = stage(write_tree(tmp_path, files), path="dump")
    assert done.returncode == 0, done.stderr
    assert (metrics_of(tmp_path)["comments"], metrics_of(tmp_path)["deltas"]) == (4, 1)
