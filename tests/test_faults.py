"""Faults of the machine and of params.yaml that no other room tests, and the table of all (tests/faults.yaml)."""

import ast
import json
import os
import subprocess
import sys
import time

import pytest

from persuasion.config import load_params
from persuasion.errors import UsageFailure
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.extracting import stage
from tests.faultbench import PAGE, faults, page
from tests.test_extract import dumped


def functions(file):
    """Names of the tests in a file under tests/."""
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_fault_has_its_row_and_every_test_that_a_row_names_is_there():
    rows = faults()
    assert [row.n for row in rows] == list(range(1, len(rows) + 1)) and len(rows) >= 80
    for row in rows:
        assert row.tests or row.open, f"row {row.n} has neither a test nor a word on why not"
        for test in row.tests:
            file, name = test.split("::")
            assert name in functions(file), f"row {row.n}: {test}"


def test_make_test_runs_every_test_that_a_row_names():
    """None is marked as a whole as one that `make test` leaves out, though some of its cases may be."""
    for test in {test for row in faults() for test in row.tests}:
        file, name = test.split("::")
        tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
        assert not any("mark.long" in ast.unparse(node) for node in tree.body if isinstance(node, ast.Assign)), file
        (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        assert "pytest.mark.long" not in [ast.unparse(mark) for mark in found.decorator_list], test


def test_the_page_is_what_the_table_gives():
    assert PAGE.read_text(encoding="utf-8") == page(faults()), "run `make faults`"


OUT_OF_RANGE = [
    ("generate.split", "train", "generate.allow_train"),
    ("train.learning_rate", 0, "above 0"),
    ("train.learning_rate", "5e-5", "a number"),
    ("train.gradient_checkpointing", "False", "true or false"),
    ("dpo.beta", -0.1, "above 0"),
    ("generate.top_p", 1.5, "at most 1"),
    ("pairs.shares.train", 0.9, "= 1"),
    ("lora.r", 0, "at least 1"),
]


@pytest.mark.parametrize(("name", "value", "allowed"), OUT_OF_RANGE)
def test_a_value_out_of_range_is_named_with_what_is_allowed(name, value, allowed, tmp_path):
    tree = load_yaml(ROOT / "params.yaml")
    *sections, last = name.split(".")
    place = tree
    for section in sections:
        place = place[section]
    place[last] = value
    (tmp_path / "params.yaml").write_text(json.dumps(tree))  # JSON is YAML
    with pytest.raises(UsageFailure) as refused:
        load_params(tmp_path / "params.yaml")
    assert name in str(refused.value) and allowed in str(refused.value)


def test_aliases_cannot_grow(tmp_path):
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 30)]
    (tmp_path / "params.yaml").write_text("\n".join(["l0: &l0 [ha]", *levels]))
    began = time.monotonic()
    with pytest.raises(UsageFailure, match="aliases are not allowed"):
        load_params(tmp_path / "params.yaml")
    assert time.monotonic() - began < 5


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("blocks", [1, 4])
def test_a_full_disk_is_exit_4_and_leaves_nothing(blocks, tmp_path):
    """A file may not grow beyond some kilobytes, which every writer meets as it meets a full disk."""
    assert stage(dumped(tmp_path), path="dump").returncode == 0
    before = everything(tmp_path)
    command = f'ulimit -f {blocks}; exec "{sys.executable}" -m stages.extract'
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 4, done.stderr
    assert "File too large" in done.stderr and "Traceback" not in done.stderr
    assert everything(tmp_path) == before and not list(tmp_path.rglob(".*.partial"))


def blocked(folder, how):
    """Put something in the way of an output; return its name."""
    if how == "a file for a folder":
        (folder / "data").write_text("mine")
        return "data"
    if how == "a folder for a file":
        (folder / "metrics/extract.json/mine").mkdir(parents=True)
        return "extract.json"
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (folder / "data").mkdir(mode=0o555)
    return "data"


@pytest.mark.parametrize("how", ["a file for a folder", "a folder for a file", "no right to write"])
def test_a_place_that_cannot_be_written_is_exit_4(how, tmp_path):
    name = blocked(dumped(tmp_path), how)
    done = stage(tmp_path, path="dump")
    assert done.returncode == 4, done.stderr
    assert name in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.rglob(".*.partial"))


def test_neither_locale_nor_path_changes_a_byte(tmp_path):
    made = []
    for number, (name, env) in enumerate({"plain": {}, "ä b/\u65e5\u672c": {"LC_ALL": "C", "LANG": "C"}}.items()):
        folder, place = tmp_path / name, tmp_path / f"source{number}"
        dumped(place)
        folder.mkdir(parents=True)
        link = folder / f"dömp é {number}"
        link.symlink_to(place / "dump", target_is_directory=True)
        done = stage(folder, env=env, path=link.name)
        assert done.returncode == 0, done.stderr
        made.append(
            [(folder / "data/threads" / table).read_bytes() for table in ("submissions.parquet", "comments.parquet")]
        )
    assert made[0] == made[1]
