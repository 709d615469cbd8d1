"""Whatever is killed, and whenever: the same command again completes the study, each trial trained once."""

import os
import signal
import sys

import psutil
import pytest

from tests import sweeping
from tests.sweeping import begun, complete, do, marked, pid_of_step, settled, status, steps, sweep

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    return sweeping.project(tmp_path_factory.mktemp("kills") / "project")


@pytest.fixture
def project(mini):
    """Each test has a study of its own in the one project, and a seed, for what was trained before is cached."""
    with sweeping.its_own(mini):
        yield mini


@pytest.mark.parametrize("moment", list(sweeping.moments()))
def test_a_sweep_that_is_killed_goes_on(project, moment):
    study = moment.replace(" ", "_")
    struck = do(
        project, sys.executable, "-m", "tests.sweeping", moment, "3" if "param" in moment else "1",
        "sweep", "run", "--study", study, ok=False,
    )  # fmt: skip
    assert struck.returncode == -signal.SIGKILL, struck.stderr
    settled(project)  # nothing goes on without a sweep
    complete(project, study)


@pytest.mark.parametrize("victim", ["worker", "dvc", "stage", "stage of a shell", "worker and sweep"])
def test_whatever_part_is_killed_the_trial_is_run_again_by_the_same_sweep(project, victim):
    study = victim.replace(" ", "_")
    shell = "/bin/sh" if victim == "stage of a shell" else "/bin/bash"  # one that waits, and one that becomes the stage
    epoch = "30" if victim == "worker and sweep" else "1"  # seconds: the next sweep must find the stage still there
    running = begun(project, "run", "--study", study, EPOCH=epoch, SHELL=shell)
    stage = psutil.Process(pid_of_step(project, "train-begun", f"{study}-0"))
    dvc = next(one for one in stage.parents() if one.name() != "sh")
    worker = dvc.parent()
    if victim == "worker and sweep":
        running.kill()
    {"dvc": dvc, "stage": stage, "stage of a shell": stage}.get(victim, worker).kill()
    _, said = running.communicate(timeout=120)
    if victim == "worker and sweep":  # nobody is left who could end the stage but the next sweep
        assert running.returncode == -signal.SIGKILL
    else:
        assert running.returncode == 0 and "run again" in said
    told = complete(project, study)
    assert told["trials"][0]["tries"] == 2 or victim == "worker and sweep"


def test_ctrl_c_ends_everything_and_says_how_to_go_on(project):
    running = begun(project, "run", "--study", "interrupted", EPOCH="5")
    pid_of_step(project, "train-begun", "interrupted-0")
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "run the same command again" in said and "Traceback" not in said
    assert not marked(project)
    assert complete(project, "interrupted")["trials"][0]["tries"] == 1  # that was no failure of the trial's


def test_a_trial_that_always_fails_fails_once_and_the_search_goes_on(project):
    done = sweep(project, "run", "--study", "failing", FAILS="failing-0")
    told = status(project, "--study", "failing")
    assert [trial["state"] for trial in told["trials"]] == ["fail", "complete"], done.stderr
    failed = told["trials"][0]
    assert failed["values"] is None and "exit code" in failed["why"]
    assert steps(project, "train-begun").count("failing-0") == 1
    assert "it cannot be trained" in (project / failed["log"]).read_text()
    assert "infinity" not in sweep(project, "status", "--study", "failing", "--json").stdout.lower()


def test_an_undefined_figure_fails_its_trial_by_name(project):
    sweep(project, "run", "--study", "undefined", UNDEFINED="undefined-1")
    states = {trial["number"]: trial for trial in status(project, "--study", "undefined")["trials"]}
    assert states[0]["state"] == "complete" and states[1]["state"] == "fail"
    assert "nll_calibrated = None" in states[1]["why"]
