"""A sweep on DVC's own queue: real celery workers, killed at every point; nothing waits for ever, nothing is left."""

import json
import os
import signal
import sys

import psutil
import pytest

from tests import sweeping
from tests.sweeping import begun, complete, do, marked, pid_of_step, settled, status, steps, sweep, untouched

pytestmark = pytest.mark.slow
QUEUE = ("--runner", "queue")


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    return sweeping.project(tmp_path_factory.mktemp("queue") / "project")


@pytest.fixture
def project(mini):
    """Each test has a study of its own in the one project, and a seed, for what was trained before is cached."""
    with sweeping.its_own(mini):
        yield mini


def test_a_failed_task_has_no_figures_and_the_others_their_own(project):
    said = sweep(project, "run", "--dry-run", "--study", "three", *QUEUE).stdout
    assert "dvc exp run --queue --name three-0 -S" in said and said.rstrip().endswith("dvc queue start -j 1")
    arguments = ("--study", "three", "--trials", "3", "--parallel", "2", *QUEUE)
    done = sweep(project, "run", *arguments, "--json", FAILS="three-1")
    told = {trial["number"]: trial for trial in json.loads(done.stdout)["trials"]}
    assert [told[number]["state"] for number in range(3)] == ["complete", "fail", "complete"], done.stderr
    failed = told[1]  # the queue would show it with the figures of the commit it started from
    assert failed["values"] is None and failed["rev"] is None and "exit code" in failed["why"]
    assert "it cannot be trained" in (project / failed["log"]).read_text()
    assert steps(project, "train-begun").count("three-1") == 1
    assert steps(project, "reference-begun") == ["-"]  # cached for every task
    complete(project, "three", *arguments[2:], trials=2)


def parts(project, study):
    """The stage of the first trial, once it has begun, and the processes above it by what they are."""
    stage = psutil.Process(pid_of_step(project, "train-begun", f"{study}-0"))
    above = {"stage": stage}
    for process in stage.parents():
        words = process.cmdline()
        above |= {name: process for name in ("exec-run", "queue-worker") if name in words}
    return above


@pytest.mark.parametrize(
    "victim", ["queue-worker", *(pytest.param(one, marks=pytest.mark.long) for one in ("exec-run", "stage"))]
)
def test_whatever_part_is_killed_the_trial_is_run_again_by_the_same_sweep(project, victim):
    running = begun(project, "run", "--study", victim, *QUEUE, EPOCH="1")
    parts(project, victim)[victim].kill()
    _, said = running.communicate(timeout=280)
    assert running.returncode == 0 and "run again" in said, said
    assert complete(project, victim, *QUEUE)["trials"][0]["tries"] == 2


@pytest.mark.long
@pytest.mark.parametrize("victim", ["queue-worker", "exec-run"])
def test_what_is_killed_beside_another_trial_leaves_that_alone(project, victim):
    study = f"beside-{victim}"
    arguments = ("--study", study, "--trials", "3", "--parallel", "2", *QUEUE)
    running = begun(project, "run", *arguments, EPOCH="4")
    pid_of_step(project, "train-begun", f"{study}-1")
    parts(project, study)[victim].kill()
    _, said = running.communicate(timeout=280)
    assert running.returncode == 0 and said.count("run again") == 1, said
    told = complete(project, *arguments[1:], trials=3)
    assert [trial["tries"] for trial in told["trials"]] == [2, 1, 1]


@pytest.mark.long
@pytest.mark.parametrize("also", ["", "queue-worker", "keeper"])
def test_a_sweep_that_is_killed_takes_its_queue_with_it(project, also):
    study = f"killed{also}".replace("-", "")
    running = begun(project, "run", "--study", study, *QUEUE, EPOCH="1")
    there = parts(project, study)
    keeper = next(one for one in psutil.Process(running.pid).children() if "worker import main" in str(one.cmdline()))
    running.kill()
    if also:
        (there | {"keeper": keeper})[also].kill()
    running.communicate(timeout=60)
    if also != "keeper":  # without it nobody is left who could end the workers but the next sweep
        settled(project)
    complete(project, study, *QUEUE)


@pytest.mark.long
@pytest.mark.parametrize("moment", list(sweeping.moments("queue")))
def test_a_sweep_that_is_killed_goes_on(project, moment):
    study = moment.replace(" ", "_")
    nth = {"half asked": "3", "in the queue": "2", "workers begun": "2"}.get(moment, "1")
    command = [sys.executable, "-m", "tests.sweeping", moment, nth, "sweep", "run", "--study", study, *QUEUE]
    struck = do(project, *command, ok=False)
    assert struck.returncode == -signal.SIGKILL, struck.stderr
    settled(project)  # nothing goes on without a sweep
    complete(project, study, *QUEUE)


@pytest.mark.long
def test_ctrl_c_ends_the_workers_too_and_says_how_to_go_on(project):
    running = begun(project, "run", "--study", "interrupted", *QUEUE, EPOCH="5")
    pid_of_step(project, "train-begun", "interrupted-0")
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130 and "run the same command again" in said and "Traceback" not in said
    assert not marked(project)
    complete(project, "interrupted", *QUEUE)


@pytest.mark.long
def test_a_trial_that_takes_too_long_is_stopped_and_its_worker_goes_on(tmp_path):
    project = sweeping.project(tmp_path / "project", trials=2, trial_timeout=6, runner="queue")
    sweep(project, "run", EPOCH="600")
    told = status(project)
    assert [trial["state"] for trial in told["trials"]] == ["fail", "fail"]
    assert all(trial["why"] == "longer than 6 s" for trial in told["trials"])
    assert steps(project, "train-done") == ["-"]
    settled(project)
    untouched(project)


@pytest.mark.long
def test_a_bad_trial_is_stopped_by_its_curve_in_the_queue(tmp_path):
    curve = "metrics/train/validation.tsv:epoch:nll_calibrated"
    pruning = {"pruner": "median", "curve": curve, "startup": 2, "warmup": 0}
    project = sweeping.project(tmp_path / "project", trials=6, parallel=2, pruning=pruning, sampler="random")
    sweep(project, "run", *QUEUE, EPOCH="3")
    sweeping.pruned_early(project)
