"""`dvc repro` and experiments in temporary copies continue a killed stage, and no checkpoint is an output."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from dvc.utils.serialize import dump_yaml
from dvc.utils.serialize import load_yaml as dvc_load

from tests.closures import ROOT
from tests.project import BIN, change, outputs, run
from tests.workbench import Server, bench, bytes_of, twin

pytestmark = pytest.mark.slow
ENV = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """A bench under git and DVC whose map has the stage as ours has it, but for the code that lies elsewhere."""
    folder = bench(tmp_path_factory.mktemp("benches") / "start", **{"train.epochs": 4})
    with Server() as server:
        assert server.run(folder, "reference").code == 0
    stage = dvc_load(str(ROOT / "dvc.yaml"))["stages"]["train"]
    stage["deps"] = [path for path in stage["deps"] if not path.startswith(("persuasion/", "stages/"))]
    dump_yaml(str(folder / "dvc.yaml"), {"stages": {"train": stage}})
    for name in (".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, folder / name)
    run(folder, "git", "init", "--quiet")
    for name, value in (("user.name", "test"), ("user.email", "test@localhost"), ("commit.gpgsign", "false")):
        run(folder, "git", "config", name, value)
    run(folder, "dvc", "init", "--quiet")
    for name in ("data/pairs", "data/reference", "models/base"):
        run(folder, "dvc", "add", "--quiet", name)
    run(folder, "git", "add", "--all")
    run(folder, "git", "commit", "--quiet", "--message", "bench")
    return folder


@pytest.fixture(scope="module")
def undisturbed(start):
    folder = twin(start, "undisturbed")
    run(folder, "dvc", "repro", **ENV)
    return bytes_of(folder), outputs(folder)


def killed_in(folder, *command):
    """Run a command of DVC and kill -9 the stage below it once a checkpoint is whole; the command's exit code."""
    env = {**os.environ, **ENV, "PATH": f"{BIN}:{os.environ['PATH']}", "DVC_NO_ANALYTICS": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 240
    while not list((folder / ".persuasion").glob("checkpoints/*/step-*/whole.json")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    stages = subprocess.run(["pgrep", "-s", str(process.pid), "-f", "python -m stages.train"],
                            capture_output=True, text=True).stdout.split()  # fmt: skip
    assert stages
    for pid in stages:
        os.kill(int(pid), signal.SIGKILL)
    return process.wait(timeout=120)


def test_dvc_repro_continues_after_a_kill(start, undisturbed):
    folder = twin(start, "repro")
    assert killed_in(folder, "dvc", "repro") != 0
    assert not (folder / "models/adapter").exists() and not (folder / "dvc.lock").exists()
    assert "continues from step-" in run(folder, "dvc", "repro", **ENV).stderr
    assert bytes_of(folder) == undisturbed[0]
    assert outputs(folder) == undisturbed[1]
    assert not any("persuasion/checkpoints" in str(path) for path in (folder / ".dvc/cache").rglob("*"))
    assert ".persuasion" not in run(folder, "git", "status", "--porcelain", "--untracked-files=all").stdout
    assert "up to date" in run(folder, "dvc", "repro", **ENV).stdout


def test_an_experiment_in_a_temporary_copy_continues_after_a_kill(start, undisturbed):
    folder = twin(start, "temp")
    command = ("dvc", "exp", "run", "--temp", "-S", "train.learning_rate=0.002")
    assert killed_in(folder, *command) != 0
    again = run(folder, *command, **ENV)
    assert "continues from step-" in again.stderr + again.stdout
    assert not list((folder / ".persuasion").glob("checkpoints/*"))
    (name,) = run(folder, "dvc", "exp", "list", "--name-only").stdout.split()
    run(folder, "dvc", "exp", "apply", name)
    twin_ = twin(start, "temp-undisturbed", **{"train.learning_rate": 0.002})
    run(twin_, "dvc", "repro", **ENV)
    assert bytes_of(folder) == bytes_of(twin_) != undisturbed[0]
    listed = run(folder, "git", "ls-tree", "-r", "--name-only", f"refs/exps/{exp_ref(folder, name)}").stdout
    assert "dvc.lock" in listed and ".persuasion" not in listed


def exp_ref(folder, name):
    refs = run(folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps").stdout.split()
    return next(ref.removeprefix("refs/exps/") for ref in refs if ref.endswith(name))


def test_how_often_it_is_kept_runs_nothing_again(start):
    folder = twin(start, "kept")
    run(folder, "dvc", "repro", **ENV)
    change(folder, {"train.save_every": 7})
    assert "up to date" in run(folder, "dvc", "repro", **ENV).stdout
