"""Mirror the workspace's experiment to MLflow as one run: ``python -m persuasion.lab.tracking``.

DVC's files are the truth and MLflow shows them, so mirroring twice adds nothing, a run that was
left unfinished is made anew, and whatever goes wrong here ends in one warning and exit 0.
"""

import os
import sqlite3
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from re import sub
from typing import Any

from persuasion.errors import UsageFailure
from persuasion.lab import workspace
from persuasion.lab.workspace import Experiment, Point
from persuasion.running import SECRET, run

EXPERIMENT = "persuasion"
WAIT, DEADLINE = 45, 60
"""Seconds to wait for another process's mirroring, and that mirroring may take."""
LONGEST = 500
"""Characters of a parameter that every MLflow server takes; params.yaml, logged as a file, has it whole."""
ROWS = 10_000
"""Most rows of a table, the last ones (of the last epochs): a tag tells how many there are, and DVC has them all."""
BATCH = {"metrics": 1000, "params": 100, "tags": 100}
"""Most entities that MLflow takes at once."""
SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "3",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}
"""Without them a server that is down holds every call for minutes."""


def main() -> None:
    """Mirror the workspace here, and say in one line where the run is or why there is none."""
    try:
        print(track(workspace.top(Path.cwd())))
    except Exception as error:
        if os.environ.get("PERSUASION_DEBUG"):
            traceback.print_exc()
        warn(explained(error))


def track(root: Path) -> str:
    """Make sure that the store holds the run of the workspace at ``root``, and say so."""
    experiment = workspace.read(root)
    # a temporary workspace of an experiment is deleted after it: the store belongs to the main repository
    home = Path(os.environ.get("DVC_ROOT") or root)
    with store(home) as (client, place):
        known = _mirror(experiment, client, place)
        remove_live(client, place, home)
    uri = os.environ["MLFLOW_TRACKING_URI"]
    left_out = f", without the stale {' '.join(experiment.stale)}" if experiment.stale else ""
    return f"track: run {experiment.name} {'was' if known else 'is now'} in {SECRET.sub('', uri)}{left_out}"


def _prepare(home: Path) -> str:
    """Set MLflow up, before its import, to be quick, quiet and private; return the tracking URI."""
    import logging

    uri = os.environ.get("MLFLOW_TRACKING_URI") or _local(home)
    os.environ.update({"MLFLOW_TRACKING_URI": uri, **{name: os.environ.get(name) or v for name, v in SETTINGS.items()}})
    warnings.simplefilter("ignore")
    logging.disable()
    return uri


def _local(home: Path) -> str:
    if set("?%") & set(str(home)):  # SQLAlchemy would open another file, elsewhere
        raise UsageFailure(f"no SQLite store under {home}", why="? or % in the path", fix="set MLFLOW_TRACKING_URI")
    return f"sqlite:///{home}/mlflow.db"


@contextmanager
def store(home: Path) -> Iterator[tuple[Any, str]]:
    """Yield a client of the store and the id of MLflow's experiment there; no other process of ours is at it."""
    from filelock import FileLock

    # SQLite stores break for good when two processes create one at once, hence the lock
    with FileLock(home / "mlflow.db.lock", timeout=WAIT), _deadline():
        uri = _prepare(home)
        from mlflow import MlflowClient
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = 2  # a database that is down would be asked for minutes
        client = MlflowClient(tracking_uri=uri)
        artifacts = None if uri.startswith(("http", "databricks")) else (home / "mlartifacts").as_uri()
        yield client, _place(client, artifacts)


def live_tag(home: Path) -> dict[str, str]:
    """What marks the run of a training that is not over: where it is at work, and for which experiment of DVC's."""
    where = f"{home.resolve()} {os.environ.get('DVC_EXP_NAME', '')}"
    return {"persuasion.live": sha256(where.encode()).hexdigest()[:16]}


def remove_live(client: Any, place: str, home: Path) -> None:
    """Remove the runs that showed trainings here while they ran."""
    for name, value in live_tag(home).items():
        for found in client.search_runs([place], filter_string=f"tags.`{name}` = '{value}'"):
            client.delete_run(found.info.run_id)


def _mirror(experiment: Experiment, client: Any, place: str) -> bool:
    """Find or make the experiment's run, add what it lacks, and tell whether it was there."""
    known = _finished(client, place, experiment.key)
    found = known or client.create_run(place, run_name=experiment.name, tags=experiment.tags)
    _add_values(client, found, experiment)
    _add_files(client, found.info.run_id, experiment)
    if not known:
        client.set_terminated(found.info.run_id)
    return known is not None


def _place(client: Any, artifacts: str | None) -> str:
    """The id of MLflow's experiment, made if it is not there."""
    found = client.get_experiment_by_name(EXPERIMENT)
    return found.experiment_id if found else client.create_experiment(EXPERIMENT, artifact_location=artifacts)


def _finished(client: Any, place: str, key: str) -> Any:
    """The finished run of ``key`` or None; runs that a crash left unfinished are deleted."""
    runs = client.search_runs([place], filter_string=f"tags.`persuasion.key` = '{key}'")
    for found in runs:
        if found.info.status != "FINISHED":
            client.delete_run(found.info.run_id)
    return next((found for found in runs if found.info.status == "FINISHED"), None)


def _add_values(client: Any, found: Any, experiment: Experiment) -> None:
    """Log the parameters, metrics and tags that the run lacks."""
    from mlflow.entities import RunTag

    data, run_id = found.data, found.info.run_id
    points = [point for point in experiment.points if _name(point.name) not in data.metrics]
    add_points(client, run_id, points, found.info.start_time)
    add_params(client, run_id, {n: v for n, v in experiment.params.items() if _name(n) not in data.params})
    tags = [RunTag(name, value) for name, value in experiment.tags.items() if name not in data.tags]
    _add(client, run_id, "tags", tags)


def add_points(client: Any, run_id: str, points: Sequence[Point], at: int | None = None) -> None:
    """Log points of metrics, as of ``at`` (milliseconds since 1970) or now."""
    from mlflow.entities import Metric

    at = int(time.time() * 1000) if at is None else at
    _add(client, run_id, "metrics", [Metric(_name(point.name), point.value, at, point.step) for point in points])


def add_params(client: Any, run_id: str, params: Mapping[str, str]) -> None:
    """Log parameters, shortened to what every server takes."""
    from mlflow.entities import Param

    _add(client, run_id, "params", [Param(_name(name), _short(value)) for name, value in params.items()])


def _add(client: Any, run_id: str, kind: str, entities: Sequence[Any]) -> None:
    for batch in _batches(entities, BATCH[kind]):
        client.log_batch(run_id, **{kind: batch})


def _add_files(client: Any, run_id: str, experiment: Experiment) -> None:
    """Log parameters, lock, tables and report as artifacts, those that the run lacks."""
    import pyarrow.parquet as pq
    import yaml

    there = {file.path for folder in ("", "tables") for file in client.list_artifacts(run_id, folder)}
    for name, tree in experiment.texts.items():
        if name not in there:
            client.log_text(run_id, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True), name)
    for name, path in experiment.tables.items():
        if f"tables/{name}.json" not in there:  # log_table would append to it
            rows = pq.read_table(path)
            shown = rows.slice(max(0, rows.num_rows - ROWS))
            client.log_table(run_id, shown.to_pydict(), f"tables/{name}.json")
            client.set_tag(run_id, f"tables.{name}", f"{shown.num_rows} of {rows.num_rows} rows")
    if experiment.report and "report" not in there:
        client.log_artifacts(run_id, str(experiment.report), "report")


def _name(name: str) -> str:
    """A name that MLflow takes and that leads nowhere: data may have named a reason or a kind of cue."""
    return sub(r"^/|(?<![^/])\.+(?![^/])", "_", sub(r"[^\w./: -]", "_", name))[:250] or "_"


def _short(value: str) -> str:
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"


def _batches(entities: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(entities), size):
        yield entities[start : start + size]


@contextmanager
def _deadline() -> Iterator[None]:
    """End the process, with the warning, when a server neither answers nor refuses."""
    timer = threading.Timer(DEADLINE, _give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _give_up() -> None:
    warn(f"no answer within {DEADLINE} s")
    os._exit(0)


def explained(error: BaseException) -> str:
    """What the system said where it said something (refused, timed out, no database), else the error itself."""
    first = error
    while cause := first.__cause__ or first.__context__:
        first = cause
    if isinstance(first, OSError | sqlite3.Error):
        return f"{os.environ.get('MLFLOW_TRACKING_URI', '')} {first}"
    return str(error) or type(error).__name__


def warn(why: str) -> None:
    """Say in one line why there is no run."""
    line = SECRET.sub("", " ".join(why.split()))[:300]
    print(f"warning: not mirrored to MLflow ({line}); nothing else is affected", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(main)
