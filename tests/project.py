"""A copy of the project in a folder of its own, under git and DVC, for tests that run the real pipeline."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from persuasion.yaml12 import load_yaml
from tests.closures import ROOT

BIN = Path(sys.executable).parent
# a pipeline in a minute: every stage real, every size small
SMALL = {
    "sample.threads": 90,
    "model.small.vocabulary": 512,
    "model.small.width": 32,
    "model.small.heads": 4,
    "model.small.epochs": 1,
    "model.small.max_perplexity": 1000,
    "train.epochs": 1,
    "train.sample_pairs": 2,
    "train.sample_tokens": 8,
    "evaluate.bootstrap": 100,
    "generate.prompts": 4,
    "generate.max_tokens": 16,
}


def copied(target: Path, changes: dict[str, Any] | None = None) -> Path:
    """Copy what git tracks or would track, with ``changes`` to params.yaml, and commit it."""
    files = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    (target / "dvc.lock").unlink(missing_ok=True)
    for metrics in (target / "metrics").glob("*.json"):
        metrics.unlink()
    run(target, "git", "init", "--quiet")
    for name, value in (("user.name", "test"), ("user.email", "test@localhost"), ("commit.gpgsign", "false")):
        run(target, "git", "config", name, value)
    change(target, changes or {})
    run(target, "git", "add", "--all")
    run(target, "git", "commit", "--quiet", "--message", "copy")
    return target


def change(project: Path, changes: dict[str, Any]) -> None:
    """Set dotted parameters as ``-S`` does, with DVC's own writer."""
    from dvc.utils.serialize import modify_yaml

    with modify_yaml(str(project / "params.yaml")) as tree:
        for dotted, value in changes.items():
            *sections, name = dotted.split(".")
            place = tree
            for section in sections:
                place = place[section]
            assert name in place, dotted
            place[name] = value


def run(project: Path, *command: str, ok: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the project with this environment's programs first; assert that it succeeds unless told."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MLFLOW_TRACKING_URI")}
    settings = {"PATH": f"{BIN}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "2", **env}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env={**inherited, **settings})
    assert not ok or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def outputs(project: Path) -> dict[str, str]:
    """Every output in dvc.lock and its hash."""
    stages = load_yaml(project / "dvc.lock")["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}


def metrics(project: Path, stage: str) -> dict[str, Any]:
    """The figures of one stage."""
    figures: dict[str, Any] = json.loads((project / f"metrics/{stage}.json").read_text(encoding="utf-8"))[stage]
    return figures
