"""The workflow of docs/how-to/ci.md: its own steps, run in a clone with a remote; a stand-in takes what is posted."""

import os
import shutil
from pathlib import Path

import pytest

from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.project import BIN, run

RECIPE = load_yaml(ROOT / "docs/how-to/experiment.yml")
MADE = """
import json, pathlib, sys
value = float(open("value").read())
pathlib.Path("report").mkdir()
pathlib.Path("report/report.md").write_text(f"# The run of {value}")
json.dump({"evaluate": {"accuracy": value}}, open("metrics.json", "w"))
pathlib.Path("ran").open("a").write("x")
"""
MAP = """
stages:
  slow: {cmd: echo never again > slow && test ! -e cloned, deps: [seed], outs: [slow]}
  make: {cmd: python made.py, deps: [value, slow], outs: [report], metrics: [metrics.json: {cache: false}]}
"""


@pytest.fixture
def clone(tmp_path) -> Path:
    """A branch with a changed value, as a runner checks it out."""
    project = tmp_path / "project"
    project.mkdir()
    for name, text in (("made.py", MADE), ("dvc.yaml", MAP), ("value", "0.5"), ("seed", "1"),
                       ("params.yaml", "report: {public: true}\n"), (".gitignore", "/ran\n/cloned\n")):  # fmt: skip
        (project / name).write_text(text)
    for command in (
        "git init --quiet --initial-branch=main", "git config user.name test", "git config user.email test@localhost",
        "dvc init --quiet", f"dvc remote add --default store {tmp_path}/store", "dvc repro --quiet", "dvc push --quiet",
        "git add --all", "git commit --quiet --message first", "git checkout --quiet -b changed",
    ):  # fmt: skip
        run(project, *command.split())
    (project / "value").write_text("0.75")
    run(project, "git", "commit", "--quiet", "--all", "--message", "changed")
    run(tmp_path, "git", "clone", "--quiet", "--branch", "changed", str(project), "clone")
    (tmp_path / "clone/cloned").touch()
    return tmp_path / "clone"


def step(clone: Path, name: str, ok: bool = True):
    (text,) = (step["run"] for step in RECIPE["jobs"]["reproduce"]["steps"] if step.get("name") == name)
    tools = clone.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > ../asked\ncp "$5" ../posted\n')
    (tools / "gh").chmod(0o755)
    return run(clone, "bash", "-e", "-c", text, ok=ok, PATH=f"{tools}:{BIN}:{os.environ['PATH']}", BASE="origin/main",
               PULL="7")  # fmt: skip


@pytest.mark.slow
def test_the_recipe_runs_what_changed_and_posts_figures_and_report(clone):
    step(clone, "pull and reproduce")
    assert (clone / "ran").read_text() == "x" and (clone / "slow").exists()
    step(clone, "comment")
    posted = (clone.parent / "posted").read_text()
    assert "| metrics.json | evaluate.accuracy | 0.5 " in posted and "0.75" in posted and "# The run of 0.75" in posted
    assert "dvc.lock is not up to date" in posted
    assert (clone.parent / "asked").read_text().split()[:3] == ["pr", "comment", "7"]
    run(clone, "git", "reset", "--quiet", "--hard", "origin/main")  # nothing changed: nothing runs
    shutil.rmtree(clone / "report", ignore_errors=True)
    (clone / "ran").unlink()
    step(clone, "pull and reproduce")
    assert not (clone / "ran").exists() and (clone / "report/report.md").read_text() == "# The run of 0.5"
    (clone.parent / "posted").unlink()
    (clone / "params.yaml").write_text("report:\n  public: false\n")
    assert step(clone, "comment", ok=False).returncode == 8 and not (clone.parent / "posted").exists()


def test_the_recipe_pins_its_actions_and_keeps_secrets_from_forks():
    job = RECIPE["jobs"]["reproduce"]
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    assert uses and all(len(name.partition("@")[2]) == 40 for name in uses)
    assert "head.repo.full_name == github.repository" in job["if"] and RECIPE["permissions"]["contents"] == "read"
    assert job["steps"][0]["with"]["fetch-depth"] == 0
