import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from persuasion.errors import DataFailure, UsageFailure
from persuasion.extraction import extract, measured
from persuasion.readypairs import read_pairs, recognised
from persuasion.records import Comment, Submission
from persuasion.tables import read_rows
from tests.builders import awarded_thread, ndjson, raw_comment, source

ROOT = Path(__file__).parent.parent
DUMP = ndjson([*awarded_thread(), *awarded_thread("second"), raw_comment(id="lost", link_id="t3_gone")]) + b"\nbroken\n"
ROWS = [
    {"prompt": "Naps?", "chosen": "Short ones help.", "rejected": "No."},
    {"prompt": "Naps?", "chosen": "Short ones help.", "rejected": "Never."},
    {"prompt": "Tea?", "chosen": "With milk.", "rejected": "Cold."},
    {"prompt": "Tea?", "chosen": "Same.", "rejected": " Same. "},
    {"prompt": " ", "chosen": "a", "rejected": "b"},
]


def stage(folder, **changes):
    """Run the stage in ``folder`` as DVC does, with ``changes`` to the source section."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["source"] |= changes
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return subprocess.run(
        [sys.executable, "-m", "stages.extract"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def accounted(metrics):
    return metrics["submissions"] + metrics["comments"] + metrics["refused"] + sum(metrics["skipped_by"].values())


def test_the_stage_writes_tables_refusals_and_metrics_that_add_up(tmp_path):
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "all.ndjson").write_bytes(DUMP)
    done = stage(tmp_path, path="dump")
    assert done.returncode == 0, done.stderr
    assert "public key" in done.stderr
    metrics = json.loads((tmp_path / "metrics/extract.json").read_text())["extract"]
    posts = read_rows(tmp_path / "data/threads/submissions.parquet", Submission)
    comments = read_rows(tmp_path / "data/threads/comments.parquet", Comment)
    refused = [json.loads(line) for line in (tmp_path / "data/threads/refused.jsonl").read_text().splitlines()]
    assert (len(posts), len(comments)) == (metrics["submissions"], metrics["comments"]) == (2, 8)
    assert metrics["lines"] == accounted(metrics) == 13
    assert metrics["deltas"] == sum(row.earned_delta for row in comments) == 2
    assert sum(metrics["refused_by"].values()) == metrics["refused"] == len(refused)
    assert refused == [
        {"file": "all.ndjson", "line": 11, "reason": "orphan"},
        {"file": "all.ndjson", "line": 13, "reason": "not_json"},
    ]
    assert "challenger" not in (tmp_path / "data/threads/comments.parquet").read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    ("content", "changes", "code", "words"),
    [
        (b"", {}, 3, "empty file"),
        (ndjson(awarded_thread()[:3]), {}, 3, "no delta"),
        (ndjson(awarded_thread()), {"subreddit": "tea"}, 3, "no delta"),
        (DUMP, {"strict": True}, 3, "line 13"),
        (DUMP, {"path": "absent"}, 3, "absent"),
        (DUMP, {"kind": "pairs"}, 3, "ready pairs"),
        (DUMP, {"pseudonym_key_file": "absent.key"}, 2, "absent.key"),
    ],
)
def test_a_failing_stage_says_why_and_leaves_nothing(content, changes, code, words, tmp_path):
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / "all.ndjson").write_bytes(content)
    done = stage(tmp_path, **{"path": "dump"} | changes)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "metrics").exists()


def test_the_key_comes_from_its_file(tmp_path):
    (tmp_path / "dump.ndjson").write_bytes(DUMP)
    (tmp_path / "key").write_text("secret\n")
    keyed = extract(source(tmp_path / "dump.ndjson", pseudonym_key_file=str(tmp_path / "key")))
    public = extract(source(tmp_path / "dump.ndjson"))
    assert {row.author for row in keyed.comments}.isdisjoint(row.author for row in public.comments)
    (tmp_path / "key").write_text(" \n")
    with pytest.raises(UsageFailure):
        extract(source(tmp_path / "dump.ndjson", pseudonym_key_file=str(tmp_path / "key")))


def pair_files(folder):
    """The same rows as JSON, CSV and TSV (in Tan's column names), without a useful extension."""
    (folder / "json").write_text(json.dumps(ROWS))
    for name, delimiter, columns in (("csv", ",", list(ROWS[0])), ("tsv", "\t", ["post", "positive", "negative"])):
        with (folder / name).open("w", newline="") as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerows([columns, *(list(row.values()) for row in ROWS)])
    return [folder / name for name in ("json", "csv", "tsv")]


def test_ready_pairs_become_threads_whatever_their_form(tmp_path):
    as_json, as_csv, as_tsv = (extract(source(path)) for path in pair_files(tmp_path))
    assert as_json.submissions == as_csv.submissions == as_tsv.submissions
    assert as_json.comments == as_csv.comments == as_tsv.comments
    winners = [row for row in as_json.comments if row.earned_delta]
    assert sorted((row.body, len(row.rivals)) for row in winners) == [("Short ones help.", 2), ("With milk.", 1)]
    assert {rival for row in winners for rival in row.rivals} <= {row.id for row in as_json.comments}
    metrics = measured(as_json)
    assert metrics["lines"] == accounted(metrics) == 15
    assert metrics["refused_by"] == {"empty_text": 3, "same_completions": 3}
    assert metrics["skipped_by"] == {"repeated": 2}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"prompt": "a", "chosen": "b"}]', "row 1: rejected is nothing"),
        ('[{"prompt": "a", "chosen": "b", "rejected": ["c"]}]', "row 1: rejected is list"),
        ('[{"prompt": "a", "chosen": "b", "rejected": "c"}, 5]', "row 2: the row is int"),
        ('[{"prompt": "a"', "not valid JSON"),
        ("prompt,chosen,rejected\na,b\n", "row 1: rejected is nothing"),
        ('prompt,chosen,rejected\na,b,"c\n', "not valid CSV"),
        ("prompt,chosen\na,b\n", "not a file of ready pairs"),
    ],
)
def test_a_wrong_row_is_named(content, words, tmp_path):
    (tmp_path / "pairs").write_text(content)
    with pytest.raises(DataFailure, match=words):
        read_pairs(tmp_path / "pairs")


def test_a_dump_is_not_taken_for_pairs(tmp_path):
    (tmp_path / "dump").write_bytes(DUMP)
    assert not recognised(tmp_path / "dump")
    assert not recognised(tmp_path)
