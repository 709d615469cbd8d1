"""The house rules, as tests: who may import whom, and how big a room may be."""

import ast
from pathlib import Path

import pytest

from tests.closures import ROOT, closure, imports

CORE = sorted((ROOT / "persuasion").glob("*.py"))
STAGES = sorted((ROOT / "stages").glob("[a-z]*.py"))
TORCH = {"adapters", "attention", "backbone", "batching", "budgets", "device", "encoding", "guards", "identity"}
TORCH |= {"decoding", "hooks", "journal", "logps", "lora", "methods", "models", "packing", "preparing", "pretraining"}
TORCH |= {"preview", "processes", "products", "quantizing", "replying", "roomy", "sampling", "scoring", "seam"}
TORCH |= {"selection", "snapshots", "streams", "training", "unpadded", "watching", "whole"}
HUGGING_FACE = {"hooks", "lora", "methods", "models", "packing", "quantizing", "roomy", "sampling", "seam", "training"}
INSTRUMENTS = {"mlflow", "dvc", "optuna", "argparse", "typer"}


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_science_knows_no_instruments_and_no_stages(path):
    assert not tops(path) & (INSTRUMENTS | {"stages"})
    assert not any(name.startswith("persuasion.lab") for name in imports(path))


@pytest.mark.parametrize("path", [path for path in CORE if path.stem not in TORCH], ids=lambda path: path.stem)
def test_reading_pairing_and_judging_never_import_torch(path):
    assert not any(
        tops(file) & {"torch", "transformers", "peft", "trl"} for file in closure(path) if file.suffix == ".py"
    )


@pytest.mark.parametrize("path", [path for path in CORE if path.stem not in HUGGING_FACE], ids=lambda path: path.stem)
def test_hugging_face_stays_in_few_rooms(path):
    assert not tops(path) & {"transformers", "peft", "trl", "accelerate"}


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_one_room_each_knows_of_clusters_and_of_processes(path):
    assert "ray" not in tops(path) or path.stem == "cluster"
    assert "multiprocessing" not in tops(path) or path.stem == "cores"


def test_names_end_where_rows_are_joined():
    """What reads rows after extraction never reaches raw records."""
    for stage in ("pair", "base", "reference", "train", "evaluate", "generate"):
        reached = {path.stem for path in closure(ROOT / f"stages/{stage}.py")}
        assert not reached & {"pseudonyms", "reddit", "parts", "joining"}


@pytest.mark.parametrize("path", STAGES, ids=lambda path: path.stem)
def test_a_stage_never_imports_a_stage_or_an_instrument(path):
    assert not tops(path) & (INSTRUMENTS | {"stages"})
    assert not any(name.startswith("persuasion.lab") for name in imports(path))


@pytest.mark.parametrize("stage", ["evaluate", "generate"])
def test_judging_and_generating_never_reach_training(stage):
    assert ROOT / "persuasion/training.py" not in closure(ROOT / f"stages/{stage}.py")


def test_no_room_for_odds_and_ends():
    banned = {"utils", "helpers", "common", "base", "manager", "misc"}
    assert not {path.stem for path in CORE} & banned


@pytest.mark.parametrize("path", [*CORE, *STAGES], ids=lambda path: path.stem)
def test_rooms_and_functions_stay_small(path):
    source = path.read_text(encoding="utf-8")
    limit = 100 if path.parent.name == "stages" else 330
    assert len(source.splitlines()) <= limit
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 50, node.name
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 7, node.name


def test_no_pickle_no_remote_code_no_unsafe_yaml():
    for path in [*CORE, *STAGES, *(ROOT / "persuasion/lab").glob("*.py")]:
        source = path.read_text(encoding="utf-8")
        assert "trust_remote_code=True" not in source
        assert not tops(path) & {"pickle", "joblib", "dill"}
        assert "yaml.unsafe_load" not in source and "torch.load" not in source


def test_every_package_but_torch_is_locked_by_hash_and_the_environment_asks_for_them():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    packages = [line for line in lock if not line.startswith("#")]
    assert len(packages) > 200 and all("==" in line and "--hash=sha256:" in line for line in packages)
    without = (ROOT / "requirements-torch.lock").read_text(encoding="utf-8").splitlines()[1:]
    assert [line.partition("==")[0] for line in without] == ["torch"]
    assert "--require-hashes --no-deps --requirement requirements.lock" in (ROOT / "Makefile").read_text(
        encoding="utf-8"
    )
