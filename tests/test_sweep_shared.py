"""One study in a real PostgreSQL, at which two clones of the project work at once, sharing through a DVC remote."""

import json
import time

import pytest

from persuasion.lab import doctor
from persuasion.lab.sweep import spec, storage
from tests import postgres, sweeping
from tests.closures import ROOT
from tests.sweeping import begun, do, marked, pid_of_step, settled, steps, sweep, untouched

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address():
    with postgres.running() as running:
        yield running


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    """Two clones, each with a cache of its own, and a remote that both know."""
    folder = tmp_path_factory.mktemp("shared")
    first = sweeping.project(folder / "first", trials=6, parallel=1, share=True)
    do(first, "dvc", "remote", "add", "-q", "-d", "store", str(folder / "store"))
    do(first, "git", "commit", "-qam", "remote")
    do(first, "dvc", "push", "-q", "--run-cache")
    second = folder / "second"
    do(folder, "git", "clone", "-q", str(first), str(second))
    for name in ("user.name", "user.email"):
        do(second, "git", "config", name, "test")
    return first, second


def test_two_clones_work_on_one_study_and_no_trial_is_run_twice(clones, address):
    both = zip(clones, ("temp", "queue"), strict=True)
    processes = [begun(one, "run", "--runner", how, PERSUASION_SWEEP_STORAGE=address, EPOCH="0.3") for one, how in both]
    said = [process.communicate(timeout=280) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    told = json.loads(sweep(clones[0], "status", "--json", PERSUASION_SWEEP_STORAGE=address).stdout)
    assert told["states"] == {"complete": 6}
    assert len({json.dumps(trial["params"], sort_keys=True) for trial in told["trials"]}) == 6
    trained = [[name for name in steps(clone, "train-done") if name != "-"] for clone in clones]
    assert all(trained) and sorted(trained[0] + trained[1]) == [f"sample-{number}" for number in range(6)]
    assert not steps(clones[1], "reference-begun")  # it came from the remote
    for clone in clones:
        settled(clone)
        untouched(clone)
    # what one clone trained, the other has from the remote
    made = trained[0][0]
    do(clones[1], "git", "fetch", "-q", str(clones[0]), "+refs/exps/*:refs/exps/*")
    rev = next(trial["rev"] for trial in told["trials"] if trial["experiment"] == made)
    do(clones[1], "git", "checkout", "-q", "--force", rev)
    do(clones[1], "dvc", "pull", "-q", "train")
    assert (clones[1] / "models/adapter/weights").is_file()
    do(clones[1], "git", "checkout", "-q", "--force", "main")


def test_a_clone_takes_up_what_another_that_was_killed_left(clones, address):
    name = ("--study", "left", "--trials", "2")
    for clone in clones:  # another seed: what was trained before would come from the cache
        asked = json.loads((clone / "sweep.yaml").read_text())
        (clone / "sweep.yaml").write_text(json.dumps(asked | {"seed": 50}))
    first = begun(clones[0], "run", *name, PERSUASION_SWEEP_STORAGE=address, EPOCH="30")
    pid_of_step(clones[0], "train-begun", "left-0")
    first.kill()
    first.communicate()
    settled(clones[0])
    sweep(clones[1], "run", *name, PERSUASION_SWEEP_STORAGE=address)
    told = json.loads(sweep(clones[1], "status", "--json", *name[:2], PERSUASION_SWEEP_STORAGE=address).stdout)
    assert told["states"] == {"complete": 2} and told["trials"][0]["tries"] == 2
    assert sorted(steps(clones[1], "train-done")[-2:]) == ["left-0", "left-1"] and not marked(clones[0])


def test_a_machine_that_is_lost_is_noticed_by_its_heart(clones, address, monkeypatch):
    monkeypatch.setenv(storage.VARIABLE, address)
    monkeypatch.setattr(storage, "BEAT", 1)
    monkeypatch.setattr(storage, "GRACE", 1)
    asked = spec.load(clones[0] / "sweep.yaml", study="lost")
    study = storage.opened(asked, clones[0])
    trial = study.ask()
    trial.suggest_float("dpo.beta", 0, 1)
    storage.beat(study, trial._trial_id)
    storage.bury(study)
    assert study.trials[0].state.name == "RUNNING"
    time.sleep(3)
    storage.bury(study)
    again = study.trials[1]
    assert study.trials[0].state.name == "FAIL" and again.state.name == "WAITING"
    assert again.system_attrs["fixed_params"] == study.trials[0].params


def test_doctor_says_how_the_storage_is_and_never_its_password(clones, address, monkeypatch):
    monkeypatch.setenv(storage.VARIABLE, address)
    [line] = doctor._optuna(clones[0])
    assert line.state == "ok" and "answers" in line.seen and "secret" not in line.seen
    monkeypatch.setenv(storage.VARIABLE, address.replace("secret", "hunter2"))
    [line] = doctor._optuna(clones[0])
    assert line.state == "fail" and "hunter2" not in str(line)
    done = sweep(clones[0], "status", ok=False, PERSUASION_SWEEP_STORAGE=address.replace("secret", "hunter2"))
    assert done.returncode == 5 and "hunter2" not in done.stderr and "Traceback" not in done.stderr
    monkeypatch.delenv(storage.VARIABLE)
    [line] = doctor._optuna(ROOT)
    assert line.state == "ok" and "journal" in line.seen
