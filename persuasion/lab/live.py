"""A training in MLflow while it runs: ``python -m persuasion.lab.live``, which `train` starts beside itself.

It sends what is new in the curves, and how busy the machine is, until its standard input ends, as that does
however the training ends. Its run is a preview: ``tracking`` takes over what only it knows, and removes it, when
the finished experiment is mirrored.
"""

import os
import select
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from persuasion.lab import mlruns, mlstore, workspace
from persuasion.lab.gauges import Gauges
from persuasion.lab.workspace import Experiment, Point, redacted
from persuasion.running import run
from persuasion.yaml12 import load_yaml

INTERVAL = 2.0
"""Seconds between looks at the curves."""


def main() -> None:
    """Follow the training in this folder; whatever goes wrong is one warning."""
    try:
        follow(workspace.top(Path.cwd()))
    except Exception as error:
        mlstore.warn(mlstore.explained(error))


def follow(root: Path) -> None:
    """Make the run, and send points until standard input says or does its last."""
    home = Path(os.environ.get("DVC_ROOT") or root)
    with mlstore.opened(home) as (client, place):
        remove(client, place, home)
        name = os.environ.get("DVC_EXP_NAME", "")
        made = client.create_run(place, run_name=f"{name or 'train'} (live)", tags=tag(home, name))
        mlruns.add_params(client, made, workspace.texts(redacted(load_yaml(root / "params.yaml"))))
    run_id, gauges = made.info.run_id, Gauges()
    sent: set[tuple[str, int]] = set()
    word, readings = None, 0
    while word is None:
        word = _word()
        _send(client, run_id, root, sent)
        if gauges.due():
            mlruns.add_points(client, run_id, gauges.read(readings))
            readings += 1
    client.set_terminated(run_id, "FINISHED" if word else "KILLED")


def tag(home: Path, name: str) -> dict[str, str]:
    """What marks the run of a training that is not over: where it is at work, and for which experiment of DVC's."""
    return {"persuasion.live": sha256(f"{home.resolve()} {name}".encode()).hexdigest()[:16]}


def remove(client: Any, place: str, home: Path, name: str | None = None) -> None:
    """Remove the runs that showed trainings here while they ran."""
    for found in _runs(client, place, home, name):
        client.delete_run(found.info.run_id)


def follow_up(
    client: Any, place: str, home: Path, experiment: Experiment, mirrored: Any, name: str | None = None
) -> None:
    """Take over what the machine was at during the experiment's training, then remove the run that showed it."""
    wanted = {mlruns.safe(name): mlruns.short(value) for name, value in experiment.params.items()}
    for found in _runs(client, place, home, name):
        names = [key for key in found.data.metrics if key.startswith("system/")]
        if found.data.params == wanted and names:  # else it was another training, whose results came from a cache
            there = mlruns.known(client, mirrored.info.run_id)
            readings = [one for key in names for one in client.get_metric_history(found.info.run_id, key)]
            points = [Point(name=one.key, value=one.value, step=one.step, at=one.timestamp) for one in readings]
            fresh = [one for one in points if (one.name, one.step) not in there]
            mlruns.add_points(client, mirrored.info.run_id, fresh)
        client.delete_run(found.info.run_id)


def _runs(client: Any, place: str, home: Path, name: str | None) -> list[Any]:
    [(key, value)] = tag(home, os.environ.get("DVC_EXP_NAME", "") if name is None else name).items()
    return mlruns.found(client, place, key, value)


def _word() -> str | None:
    """What the training says before it ends, "" where it was ended, None while it runs."""
    return sys.stdin.readline() if select.select([sys.stdin], [], [], INTERVAL)[0] else None


def _send(client: Any, run_id: str, root: Path, sent: set[tuple[str, int]]) -> None:
    """Log the points that are not ``sent``, and note them there."""
    fresh = [point for point in workspace.curves(root) if (point.name, point.step) not in sent]
    mlruns.add_points(client, run_id, fresh)
    sent |= {(point.name, point.step) for point in fresh}


if __name__ == "__main__":
    run(main)
