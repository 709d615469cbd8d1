"""Mirror the workspace's experiment to MLflow as one run: ``python -m persuasion.lab.tracking``.

DVC's files are the truth and MLflow shows them, so mirroring twice adds nothing, a run that was
left unfinished is made anew, and whatever goes wrong here ends in one warning and exit 0.
"""

import os
import traceback
from pathlib import Path
from typing import Any

from persuasion.lab import live, mlruns, mlstore, workspace
from persuasion.lab.sweep.owners import MARK
from persuasion.lab.workspace import Experiment
from persuasion.running import SECRET, run

ROWS = 10_000
"""Most rows of a table, the last ones (of the last epochs): a tag tells how many there are, and DVC has them all."""


def main() -> None:
    """Mirror the workspace here, and say in one line where the run is or why there is none."""
    if MARK in os.environ:
        print("track: a trial of a sweep, which mirrors its trials itself")
        return
    try:
        print(track(workspace.top(Path.cwd())))
    except Exception as error:
        if os.environ.get("PERSUASION_DEBUG"):
            traceback.print_exc()
        mlstore.warn(mlstore.explained(error))


def track(root: Path) -> str:
    """Make sure that the store holds the run of the workspace at ``root``, and say so."""
    experiment = workspace.read(root)
    # a temporary workspace of an experiment is deleted after it: the store belongs to the main repository
    home = Path(os.environ.get("DVC_ROOT") or root)
    with mlstore.opened(home) as (client, place):
        known = mirror(experiment, client, place, home)
    uri = os.environ["MLFLOW_TRACKING_URI"]
    left_out = f", without the stale {' '.join(experiment.stale)}" if experiment.stale else ""
    return f"track: run {experiment.name} {'was' if known else 'is now'} in {SECRET.sub('', uri)}{left_out}"


def mirror(experiment: Experiment, client: Any, place: str, home: Path, name: str | None = None) -> bool:
    """Find or make the experiment's run, add what it lacks, and tell whether it was there.

    ``name``: of the experiment of DVC's, if it is not the one at work here.
    """
    known = _finished(client, place, experiment.key)
    found = known or client.create_run(place, run_name=experiment.name, tags=experiment.tags)
    run_id = found.info.run_id
    mlruns.add_points(client, run_id, mlruns.lacking(found, experiment.points), found.info.start_time)
    mlruns.add_params(client, found, experiment.params)
    mlruns.add_tags(client, found, experiment.tags)
    mlruns.add_inputs(client, found, experiment.tags)
    _add_files(client, run_id, experiment)
    live.follow_up(client, place, home, experiment, found, name)
    if not known:
        client.set_terminated(run_id)
    return known is not None


def _finished(client: Any, place: str, key: str) -> Any:
    """The finished run of ``key`` or None; runs that a crash left unfinished are deleted."""
    runs = mlruns.found(client, place, "persuasion.key", key)
    for found in runs:
        if found.info.status != "FINISHED":
            client.delete_run(found.info.run_id)
    return next((found for found in runs if found.info.status == "FINISHED"), None)


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


if __name__ == "__main__":
    run(main)
