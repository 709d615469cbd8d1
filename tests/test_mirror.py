"""A study in MLflow: seen as it goes, one run for each trial, nothing lost and nothing twice."""

import json
import socket
import sys
import time

import pytest

from persuasion.lab.sweep import evidence
from persuasion.lab.sweep.seen import Seen
from persuasion.lab.workspace import Point
from tests import sweeping
from tests.sweeping import begun, do, settled, status, steps, sweep, untouched

LIVE = {"validation/nll_calibrated", "system/cpu_utilization_percentage"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return sweeping.project(tmp_path_factory.mktemp("mirror") / "project", mlflow=True)


def runs(uri, study):
    """The study's run, and its trials' by number."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    place = client.get_experiment_by_name("persuasion")
    asked = f"tags.`optuna.study` = '{study}'"
    found = client.search_runs([place.experiment_id], filter_string=asked) if place else []
    trials = {int(run.data.tags["optuna.trial"]): run for run in found if "optuna.trial" in run.data.tags}
    own = [run for run in found if "optuna.trial" not in run.data.tags]
    assert len(own) <= 1 and len(trials) + len(own) == len(found)
    return client, own[0] if own else None, trials


def settle(client, run, told):
    """Assert that the run shows all there is of a trial that is complete."""
    curve = client.get_metric_history(run.info.run_id, "validation/nll_calibrated")
    assert sorted(point.step for point in curve) == list(range(1, told["params"]["train.epochs"] + 1))
    assert run.info.status == "FINISHED" and run.info.run_name == told["experiment"]
    assert [run.data.metrics["train.validation.nll_calibrated"]] == told["values"]
    assert float(run.data.params["train.learning_rate"]) == told["params"]["train.learning_rate"]
    assert run.data.params["encoding.prompt_tokens"]
    assert run.data.tags["git.rev"] == told["rev"] and run.data.tags["dvc.exp"] == told["experiment"]
    assert run.info.run_id == told["mlflow"]


@pytest.mark.slow
def test_a_study_is_seen_as_it_goes_and_linked_both_ways(project, tmp_path, mlflow_server):
    going = begun(project, "run", "--study", "live", MLFLOW_TRACKING_URI=mlflow_server, HOLD=str(tmp_path / "go"))
    until = time.monotonic() + 240
    while True:
        client, study, trials = runs(mlflow_server, "live")
        if trials and trials[0].data.metrics.keys() >= LIVE:
            break
        assert going.poll() is None and time.monotonic() < until
        time.sleep(0.5)
    assert trials[0].info.status == study.info.status == "RUNNING"
    assert trials[0].data.tags["mlflow.parentRunId"] == study.info.run_id
    [trial] = status(project, "--study", "live")["trials"]
    assert trial["state"] == "running" and trial["mlflow"] == trials[0].info.run_id
    (tmp_path / "go").touch()
    _, said = going.communicate(timeout=240)
    assert going.returncode == 0 and "warning" not in said
    client, study, trials = runs(mlflow_server, "live")
    told = status(project, "--study", "live")
    assert len(trials) == len(told["trials"]) == 2 and study.info.status == "FINISHED"
    for one in told["trials"]:
        run = trials[one["number"]]
        settle(client, run, one)
        assert run.data.tags["mlflow.parentRunId"] == study.info.run_id
        outs = evidence.at(project, one["rev"], "dvc.lock")["stages"]["train"]["outs"]
        [adapter] = [out for out in outs if out["path"] == "models/adapter"]
        inputs = {one.dataset.name: one.dataset.digest for one in run.inputs.dataset_inputs}
        assert inputs == {"adapter": adapter["md5"]}
    best = client.get_metric_history(study.info.run_id, "best/train.validation.nll_calibrated")
    values = [one["values"][0] for one in told["trials"]]
    assert {point.step: point.value for point in best} == {0: values[0], 1: min(values)}
    settled(project)
    untouched(project)
    # all is there: nothing is sent again
    do(project, "persuasion", "track", "sync", "--study", "live", MLFLOW_TRACKING_URI=mlflow_server)
    again = runs(mlflow_server, "live")
    assert [run.to_dictionary() for run in again[2].values()] == [run.to_dictionary() for run in trials.values()]


def unseen(project, study, uri):
    """A sweep of two trials, of which the second fails, while MLflow is away; what was trained before is cached."""
    asked = json.loads((project / "sweep.yaml").read_text())
    (project / "sweep.yaml").write_text(json.dumps(asked | {"seed": asked["seed"] + 10}, indent=2))
    return sweep(project, "run", "--study", study, MLFLOW_TRACKING_URI=uri, FAILS=f"{study}-1")


@pytest.mark.slow
@pytest.mark.parametrize("server", ["down", pytest.param("silent", marks=pytest.mark.long)])
def test_a_server_that_is_away_costs_a_warning_and_sync_makes_up_for_it(project, tmp_path, server):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        uri = "http://me:hidden@127.0.0.1:9" if server == "down" else f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = unseen(project, server, uri)
    warned = [line for line in done.stderr.splitlines() if line.startswith("warning: not mirrored to MLflow")]
    assert warned and "persuasion track sync" in warned[-1] and "hidden" not in done.stderr
    assert "Traceback" not in done.stderr
    told = status(project, "--study", server)
    assert [one["state"] for one in told["trials"]] == ["complete", "fail"]
    away = do(project, "persuasion", "track", "sync", ok=False, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert away.returncode == 5 and "Traceback" not in away.stderr
    store = f"sqlite:///{tmp_path}/store.db"
    sent = json.loads(do(project, "persuasion", "track", "sync", "--json", MLFLOW_TRACKING_URI=store).stdout)
    assert sent["studies"][server] == {"trials": 2, "new": 2}
    client, study, trials = runs(store, server)
    complete, failed = status(project, "--study", server)["trials"]
    settle(client, trials[0], complete)
    assert trials[1].info.status == "FAILED" and failed["why"] == trials[1].data.tags["optuna.why"]
    assert failed["mlflow"] == trials[1].info.run_id and study.info.status == "FINISHED"
    settled(project)


@pytest.mark.slow
@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_a_sync_that_is_killed_at_any_call_is_exact_when_it_is_done_again(project, tmp_path, every):
    if not steps(project, "train-done").count("down-0"):
        unseen(project, "down", "http://127.0.0.1:9")
    Seen(project, "down", "HEAD").note("down-1", [Point(name="system/cpu", value=3.5, step=0, at=1)])
    command = (sys.executable, "-m", "tests.mirroring", str(project), "down", str(tmp_path), str(every))
    found = json.loads(do(project, *command).stdout)
    assert len(found["expected"]) == 3 and found["calls"] > 12
    assert found["again"] == 0 and found["differences"] == {}
    assert found["doubled"] == 3 and found["united"]


def test_of_a_trial_only_its_own_whole_lines_are_kept(tmp_path):
    do(tmp_path, "git", "init", "-q")
    file = tmp_path / "copy/metrics/train/training.tsv"
    file.parent.mkdir(parents=True)
    stale = tmp_path / "metrics/train/training.tsv"
    stale.parent.mkdir(parents=True)
    stale.write_text("step\tloss\n1\t9\n")
    do(tmp_path, "git", "add", "metrics")
    do(tmp_path, "git", "-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-qm", "baseline")
    seen = Seen(tmp_path, "study", "HEAD")
    file.write_text("step\tloss\n1\t9\n")
    seen.take("study-0", [tmp_path / "copy"])
    assert seen.points("study-0") == []
    file.write_text("step\tloss\n1\t0.7\n2\t0.")
    seen.take("study-0", [tmp_path / "nowhere", tmp_path / "copy"])
    assert seen.points("study-0") == [Point(name="training/loss", value=0.7, step=1)]
    for value in (1.5, 2.5):
        seen.note("study-0", [Point(name="system/cpu", value=value, step=0, at=7)])
    assert [(one.value, one.step) for one in seen.points("study-0")[1:]] == [(1.5, 0), (2.5, 1)]
