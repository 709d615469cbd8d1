"""Secrets planted in the environment, in addresses and in params.yaml appear in nothing that we write or say."""

import json

import pytest

from persuasion.lab import mlruns
from tests.extracting import stage
from tests.test_cli import persuasion
from tests.test_extract import dumped
from tests.test_tracking import build, track

PLANTED = {
    "AWS_ACCESS_KEY_ID": "AKIAABCDEFGHIJKLMNOP",
    "AWS_SECRET_ACCESS_KEY": "awsSecretPlantedForTheTest0123456789abcd",
    "HF_TOKEN": "hf_plantedForTheTestABCDEFGHIJ",
    "MLFLOW_TRACKING_PASSWORD": "mlflow-planted-word",
    "GIT_PASSWORD": "git-planted-word",
}
ADDRESS = "https://someone:url-planted-word@dumps.example/cmv.zst"
WORDS = [*PLANTED.values(), "url-planted-word"]


def told(folder, *said):
    """All words of ours that ``folder`` or an output holds."""
    every = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "params.yaml")
    return [word for word in WORDS if word.encode() in every or any(word in text for text in said)]


@pytest.mark.parametrize("path", ["dump", ADDRESS, PLANTED["HF_TOKEN"]])
def test_no_secret_is_in_what_extract_writes_and_says(path, tmp_path):
    done = stage(dumped(tmp_path), env=PLANTED, path=path)
    assert done.returncode == (0 if path == "dump" else 3), done.stderr
    assert told(tmp_path, done.stdout, done.stderr) == []


@pytest.mark.slow
def test_no_secret_reaches_mlflow_or_the_summary(tmp_path):
    root = build(tmp_path / "here")
    text = (root / "params.yaml").read_text()
    plants = {"source": ADDRESS, "token": PLANTED["HF_TOKEN"], "key": PLANTED["AWS_ACCESS_KEY_ID"]}
    (root / "params.yaml").write_text(text + json.dumps({"planted": plants})[1:-1] + "\n")
    out, err = track(root, **PLANTED)
    assert told(root, out, err) == [] and "is now in" in out
    assert b"planted.source" in (root / "mlflow.db").read_bytes()
    done = persuasion(root, "summary", **PLANTED)
    assert told(root, done.stdout, done.stderr) == []


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/x", "a/../../b", "..", "a\\b", "a\x1b[31m", "a\u202eb", "", "x" * 999]
)
def test_a_figures_name_leads_nowhere(name):
    kept = mlruns.safe(name)
    assert len(kept) <= 250 and ".." not in kept.split("/") and not kept.startswith("/")
    assert all(one.isalnum() or one in "_./: -" for one in kept)
