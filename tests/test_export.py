"""``persuasion export`` as a user meets it: real processes, whole files or none, exit codes."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pytest

from persuasion.exchange import FORMS
from persuasion.lab.export import NOTE
from persuasion.records import SPLITS, Comment, Delta, Pair, Submission
from persuasion.tables import write_rows
from tests import tiny
from tests.builders import AT, comment, submission
from tests.closures import ROOT

PAIRS = {
    split: [replace(tiny.pair(10 * at + n), split=split, chosen=f"={split} é {n}") for n in range(3 - at)]
    for at, split in enumerate(SPLITS)
}


@pytest.fixture
def made(tmp_path):
    """A workspace with pairs and threads, and nothing else."""
    (tmp_path / "dvc.lock").touch()
    for split, pairs in PAIRS.items():
        write_rows(tmp_path / f"data/pairs/{split}.parquet", pairs, Pair, "pair_id")
    delta = Delta(by="u_op", by_op=True, source="confirmed", at=AT + 90)
    answer = comment(id="t1_zz", parent_id="t1_reply", author="u_op", is_op=True, created_utc=AT + 90, body="∆ \x1b[2J")
    write_rows(tmp_path / "data/threads/submissions.parquet", [submission()], Submission, "id")
    write_rows(tmp_path / "data/threads/comments.parquet", [comment(deltas=(delta,)), answer], Comment, "id")
    return tmp_path


def export(folder, line, **extra):
    command = [sys.executable, "-m", "persuasion.lab.cli", "export", *line.split()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONUTF8": "0", **extra}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60, encoding="utf-8")


@pytest.mark.parametrize("name", FORMS)
def test_a_folder_gets_a_file_for_each_split_and_stdout_the_same_bytes(made, name):
    done = export(made, f"pairs --format {name} --json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["pairs"] == {split: len(rows) for split, rows in PAIRS.items()}
    assert told["guarded_cells"] == ({"chosen": 6} if name == "csv" else {})
    folder = made / f"exports/pairs-{name}"
    assert {str(path.relative_to(made)) for path in folder.iterdir()} == set(told["files"])
    assert (told["guide"] is not None) == (len(told["files"]) == 4)
    piped = export(made / "data", f"pairs --format {name} --split test -o -")
    assert piped.stdout.encode() == (folder / f"test{FORMS[name].suffix}").read_bytes()
    assert "people wrote these texts" in piped.stderr and piped.returncode == 0


def test_one_file_of_all_splits_says_what_it_mixes(made):
    done = export(made, "pairs --format axolotl -o all.jsonl")
    assert len((made / "all.jsonl").read_text().splitlines()) == 6 and "does not tell them apart" in done.stderr
    assert 'path: "all.jsonl"' in done.stdout and "3 train, 2 validation, 1 test" in done.stdout
    done = export(made, "pairs --format jsonl -o all.jsonl")
    splits = Counter(json.loads(line)["split"] for line in (made / "all.jsonl").read_text().splitlines())
    assert splits == {"train": 3, "validation": 2, "test": 1} and "apart" not in done.stderr


def test_raw_csv_leaves_cells_alone(made):
    assert "'=train" in export(made, "pairs --format csv --split train -o -").stdout
    assert "'=" not in export(made, "pairs --format csv --raw-csv --split train -o -").stdout


def test_threads(made):
    done = export(made, "threads --json")
    assert json.loads(done.stdout)["records"] == {
        "records": 1, "delta": 1, "unplaced": 0, "no_post": 0, "missing_parent": 0, "cycle": 0,
    }  # fmt: skip
    [line] = (made / "exports/threads.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["comments_thread_is_delta"] and "\x1b" not in line
    assert export(made, "threads -o -").stdout == f"{line}\n"


def test_what_fails_leaves_everything_as_it_was(made):
    export(made, "pairs --format csv -o mine")
    export(made, "pairs --format json -o mine")  # takes the place of an earlier export
    assert {path.name for path in (made / "mine").iterdir()} == {f"{split}.json" for split in SPLITS}
    export(made, "pairs --format json -o one.json")
    before = {path: path.read_bytes() for path in made.rglob("*.json")}
    (made / "data/pairs/test.parquet").write_bytes(b"PAR1 broken")
    for line in ("pairs --format json -o mine", "pairs --format json -o one.json", "pairs --format csv"):
        done = export(made, line)
        assert done.returncode == 3 and "test.parquet" in done.stderr and "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in made.rglob("*.json")} == before and not (made / "exports").exists()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("pairs -o data/pairs", 2, "holds something else"),
        ("pairs -o .", 2, "holds something else"),
        ("threads -o data", 2, "is a folder"),
        ("pairs --format parquet", 2, "conversational"),
        ("pairs --split dev", 2, "validation"),
        ("threads --format csv", 2, "jsonl"),
        ("pairs --help", 0, "Example: persuasion export pairs"),
        ("threads --help", 0, "Example: persuasion export threads"),
        ("--help", 0, "Example: persuasion export"),
    ],
)
def test_usage(made, line, code, words):
    before = sorted(made.rglob("*"))
    done = export(made, line)
    assert (done.returncode, sorted(made.rglob("*"))) == (code, before)
    assert words in (done.stderr if code else done.stdout) and "Traceback" not in done.stderr


def test_without_pairs_or_threads_there_is_nothing_to_export(made, tmp_path_factory):
    for split in SPLITS:
        write_rows(made / f"data/pairs/{split}.parquet", [], Pair, "pair_id")
    done = export(made, "pairs -o new/pairs.jsonl")
    assert done.returncode == 3 and "holds no Pair" in done.stderr and not (made / "new").exists()
    for line in ("pairs", "threads"):
        done = export(tmp_path_factory.mktemp("empty"), line)
        assert done.returncode == 3 and "is missing" in done.stderr


@pytest.mark.parametrize("line", ["pairs -o -", "threads -o -"])
def test_a_closed_pipe_is_no_traceback(made, line):
    many = [replace(tiny.pair(n), prompt="x" * 2000) for n in range(200)]
    write_rows(made / "data/pairs/train.parquet", many, Pair, "pair_id")
    script = f'"{sys.executable}" -m persuasion.lab.cli export {line} | true; exit ${{PIPESTATUS[0]}}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=made, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and set(done.stderr.splitlines()) <= {NOTE}
