"""A miniature of the project for sweeps, and a sweep that is struck at a chosen moment.

Real git, DVC and Optuna; the stages are one small script in place of the models, with the project's own
params.yaml, stage names and files. ``python -m tests.sweeping MOMENT NTH ARGUMENT…`` is `persuasion ARGUMENT…`
that kills itself (SIGKILL) the NTH time it comes to MOMENT.
"""

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from persuasion.lab.sweep import owners
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.project import BIN, change

MAP = """
stages:
  reference:
    cmd: python step.py reference
    deps: [step.py]
    params: [encoding]
    outs: [data/reference]
  train:
    cmd: python step.py train
    deps: [step.py, data/reference]
    params: [dpo, train.learning_rate, train.schedule, train.epochs]
    outs: [models/adapter]
    metrics: [{metrics/train.json: {cache: false}}]
    plots: [{metrics/train: {cache: false}}]
  generate:
    cmd: python step.py generate
    deps: [step.py, models/adapter]
    params: [generate.temperature]
    outs: [data/replies]
"""
STEP = """
import json, math, os, pathlib, shutil, sys, time

import yaml

params = yaml.safe_load(pathlib.Path("params.yaml").read_text())
stage, log = sys.argv[1], pathlib.Path(os.environ["STEPS"])


def note(what):
    with log.open("a") as stream:
        stream.write(f"{what} {os.environ.get('DVC_EXP_NAME', '-')} {os.getpid()}\\n")


note(f"{stage}-begun")
if stage != "train":
    folder = pathlib.Path({"reference": "data/reference", "generate": "data/replies"}[stage])
    folder.mkdir(parents=True)
    (folder / "rows").write_text(stage)
else:
    beta, rate = params["dpo"]["beta"], float(params["train"]["learning_rate"])
    nll = abs(math.log10(rate) + 5) + beta
    curve = pathlib.Path("metrics/train/validation.tsv")
    shutil.rmtree(curve.parent, ignore_errors=True)
    curve.parent.mkdir(parents=True)
    curve.write_text("epoch\\tnll_calibrated\\n")
    time.sleep(float(os.environ.get("BEFORE", 0)))
    if os.environ.get("FAILS", "-") == os.environ.get("DVC_EXP_NAME"):
        sys.exit("persuasion: it cannot be trained")
    for epoch in range(1, params["train"]["epochs"] + 1):
        with curve.open("a") as stream:
            stream.write(f"{epoch}\\t{nll + 1 / epoch}\\n")
        while "HOLD" in os.environ and not pathlib.Path(os.environ["HOLD"]).exists():
            time.sleep(0.1)
        time.sleep(float(os.environ.get("EPOCH", 0.05)))
    pathlib.Path("models/adapter").mkdir(parents=True)
    pathlib.Path("models/adapter/weights").write_text(f"{beta} {rate} {params['train']}")
    told = None if os.environ.get("UNDEFINED", "-") == os.environ.get("DVC_EXP_NAME") else nll
    figures = {"train": {"validation": {"nll_calibrated": told, "reward_accuracy": 0.5 + beta / 2}}}
    pathlib.Path("metrics/train.json").write_text(json.dumps(figures))
note(f"{stage}-done")
"""


def project(folder: Path, **settings: object) -> Path:
    """The miniature, run once and committed, with these settings in its sweep.yaml."""
    folder.mkdir(parents=True)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    change(folder, {"train.learning_rate": 0.001, "train.epochs": 1})
    tree = load_yaml(ROOT / "sweep.yaml")
    tree["pruning"]["pruner"] = "none"
    text = json.dumps(tree | {"trials": 2, "parallel": 1, "mlflow": False} | settings, indent=2)
    for name, content in {
        "sweep.yaml": text,
        "dvc.yaml": MAP,
        "step.py": STEP,
        ".gitignore": "/.persuasion\n/mlflow.db*\n",
    }.items():
        (folder / name).write_text(content, encoding="utf-8")
    do(folder, "git", "init", "-q", "-b", "main")
    for name in ("user.name", "user.email"):
        do(folder, "git", "config", name, "test")
    do(folder, "dvc", "init", "-q")
    (folder / ".dvcignore").write_text("/.persuasion\n")
    do(folder, "dvc", "repro", "train")
    do(folder, "git", "add", "--all")
    do(folder, "git", "commit", "-qm", "project")
    return folder


def surroundings(folder: Path, **extra: str) -> dict[str, str]:
    """The environment of everything here: this code, this interpreter's programs, a note of every step."""
    kept = {name: v for name, v in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_", "PERSUASION_"))}
    own = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "STEPS": str(steps_file(folder))}
    return {**kept, **own, "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": f"{folder}.site", **extra}


def do(folder: Path, *command: str, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command there; assert that it succeeds unless told."""
    done = subprocess.run(
        command, cwd=folder, env=surroundings(folder, **extra), capture_output=True, text=True, timeout=300
    )
    assert not ok or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def sweep(folder: Path, *arguments: str, ok: bool = True, **extra: str) -> subprocess.CompletedProcess[str]:
    """`persuasion sweep …`, there."""
    return do(folder, sys.executable, "-m", "persuasion.lab.cli", "sweep", *arguments, ok=ok, **extra)


def begun(folder: Path, *arguments: str, **extra: str) -> subprocess.Popen[str]:
    """`persuasion sweep …` that goes on meanwhile, and hears Ctrl-C even where the tests run in the background."""
    command = [sys.executable, "-m", "persuasion.lab.cli", "sweep", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command,
        cwd=folder,
        env=surroundings(folder, **extra),
        stdout=pipe,
        stderr=pipe,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # what is ignored is inherited
    )


def status(folder: Path, *arguments: str) -> dict:
    """What `persuasion sweep status` says."""
    return json.loads(sweep(folder, "status", "--json", *arguments).stdout)


def steps_file(folder: Path) -> Path:
    """Where steps are noted."""
    return folder.with_name(f"{folder.name}.steps")


def steps(folder: Path, what: str) -> list[str]:
    """The experiments of which a step was noted, in order."""
    file = steps_file(folder)
    lines = file.read_text().splitlines() if file.exists() else []
    return [line.split()[1] for line in lines if line.split()[0] == what]


def pid_of_step(folder: Path, what: str, name: str, patience: float = 60) -> int:
    """The process that noted a step of an experiment, once it has."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        lines = steps_file(folder).read_text().splitlines() if steps_file(folder).exists() else []
        found = [line.split() for line in lines if line.startswith(f"{what} {name} ")]
        if found:
            return int(found[-1][2])
        time.sleep(0.05)
    raise AssertionError(f"{what} of {name} never came")


def marked(folder: Path) -> list[psutil.Process]:
    """Processes that a sweep of this project started and that still are."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(owners.MARK, "").startswith(f"{folder}/"):
                found.append(process)
        except psutil.Error:
            continue
    return found


def settled(folder: Path, patience: float = 20) -> None:
    """Wait until nothing of a sweep runs; assert that it comes to that."""
    until = time.monotonic() + patience
    while left := marked(folder):
        assert time.monotonic() < until, [process.cmdline() for process in left]
        time.sleep(0.1)


def untouched(folder: Path) -> None:
    """Assert that the workspace is as the user left it, and that no temporary workspace is."""
    assert do(folder, "git", "status", "--porcelain").stdout == ""
    assert do(folder, "git", "symbolic-ref", "HEAD").stdout.strip() == "refs/heads/main"
    refs = do(folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps", "refs/stash").stdout.split()
    passing = ("refs/exps/exec", "refs/exps/stash", "refs/exps/celery", "refs/stash")
    assert not [ref for ref in refs if ref.startswith(passing)]
    assert not list(folder.rglob("workshop-*")) and not list((folder / ".dvc/tmp").rglob("tmp*"))


def complete(folder: Path, study: str, *arguments: str, trials: int = 2) -> dict:
    """Run the search to its end, and assert all that must be true then."""
    done = sweep(folder, "run", "--study", study, *arguments)
    told = status(folder, "--study", study)
    ended = [trial for trial in told["trials"] if trial["state"] == "complete"]
    assert len(ended) == trials, (done.stderr, told)
    for trial in ended:
        rate, beta = trial["params"]["train.learning_rate"], trial["params"]["dpo.beta"]
        assert trial["values"] == [abs(math.log10(rate) + 5) + beta], "another experiment's figure"
        assert trial["experiment"] == f"{study}-{trial['number']}" and len(trial["rev"]) == 40
        assert steps(folder, "train-done").count(trial["experiment"]) == 1, steps(folder, "train-done")
    assert all(trial["state"] in ("complete", "fail", "waiting") for trial in told["trials"])
    shown = do(folder, "dvc", "exp", "list", "--name-only").stdout.split()
    assert sorted(name for name in shown if name.startswith(f"{study}-")) == sorted(t["experiment"] for t in ended)
    settled(folder)
    untouched(folder)
    return told


def reseed(folder: Path) -> None:
    """Another seed, for what was trained before is cached."""
    asked = json.loads((folder / "sweep.yaml").read_text())
    (folder / "sweep.yaml").write_text(json.dumps(asked | {"seed": asked["seed"] + 10}, indent=2))
    do(folder, "git", "commit", "-qam", "another seed")


@contextmanager
def its_own(folder: Path) -> Iterator[Path]:
    """The miniature for one test: with a seed of its own, and rid of all that the test left."""
    reseed(folder)
    yield folder
    for process in marked(folder):
        process.kill()
    shutil.rmtree(folder / ".persuasion", ignore_errors=True)


def pruned_early(folder: Path) -> None:
    """Assert that the pruner stopped trials by their curve, one at least before it was trained, and let others be."""
    told = status(folder)
    stopped = [trial for trial in told["trials"] if trial["state"] == "pruned"]
    assert told["states"]["complete"] >= 2 and all(trial["why"].startswith("nll_calibrated is") for trial in stopped)
    done = steps(folder, "train-done")  # one stopped at its last epoch may have come to its end meanwhile
    assert [trial for trial in stopped if trial["experiment"] not in done]
    settled(folder)
    untouched(folder)


def moments(runner: str = "temp") -> dict[str, tuple[object, str, bool]]:
    """Where a sweep can be struck: the function, and whether after it and not before."""
    from optuna.storages import JournalStorage
    from optuna.study import Study

    from persuasion.lab.sweep import bench, ledger, loop, queueing, workshop

    kind = queueing.Queue if runner == "queue" else loop.Loop
    queue: dict[str, tuple[object, str, bool]] = {
        "in the queue": (bench.Bench, "give", False),
        "workers begun": (bench.Bench, "give", True),
    }
    plain: dict[str, tuple[object, str, bool]] = {
        "enqueued": (Study, "enqueue_trial", True),
        "half asked": (JournalStorage, "set_trial_param", True),
        "asked": (ledger.Ledger, "ask", True),
        "to be started": (kind, "start", False),
        "started": (kind, "start", True),
        "to be published": (workshop.Workshop, "publish", False),
        "published": (workshop.Workshop, "publish", True),
        "to be told": (Study, "tell", False),
        "told": (Study, "tell", True),
        "to be closed": (kind, "close", False),
    }
    return plain | (queue if kind is queueing.Queue else {})


def main() -> None:
    """Be the command line that strikes itself."""
    moment, nth = sys.argv[1], int(sys.argv[2])
    owner, name, after = moments("queue" if "queue" in sys.argv else "temp")[moment]
    plain = getattr(owner, name)
    count = 0

    def struck(*args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == nth and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = plain(*args, **kwargs)
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, struck)
    sys.argv[1:] = sys.argv[3:]
    from persuasion.lab import cli

    cli.main()


if __name__ == "__main__":
    main()
