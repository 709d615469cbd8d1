"""A training in MLflow while it runs: ``python -m persuasion.lab.live``, which `train` starts beside itself.

It sends what is new in the curves until its standard input ends, as that does however the training
ends. Its run is a preview: ``tracking`` removes it when the finished experiment is mirrored.
"""

import os
import select
import sys
from pathlib import Path
from typing import Any

from persuasion.lab import tracking, workspace
from persuasion.lab.workspace import redacted
from persuasion.running import run
from persuasion.yaml12 import load_yaml

INTERVAL = 2.0
"""Seconds between looks at the curves."""


def main() -> None:
    """Follow the training in this folder; whatever goes wrong is one warning."""
    try:
        follow(workspace.top(Path.cwd()))
    except Exception as error:
        tracking.warn(tracking.explained(error))


def follow(root: Path) -> None:
    """Make the run, and send points until standard input says or does its last."""
    home = Path(os.environ.get("DVC_ROOT") or root)
    with tracking.store(home) as (client, place):
        tracking.remove_live(client, place, home)
        name = os.environ.get("DVC_EXP_NAME") or "train"
        run_id = client.create_run(place, run_name=f"{name} (live)", tags=tracking.live_tag(home)).info.run_id
        tracking.add_params(client, run_id, workspace.texts(redacted(load_yaml(root / "params.yaml"))))
    sent: set[tuple[str, int]] = set()
    word = None
    while word is None:
        word = _word()
        _send(client, run_id, root, sent)
    client.set_terminated(run_id, "FINISHED" if word else "KILLED")


def _word() -> str | None:
    """What the training says before it ends, "" where it was ended, None while it runs."""
    return sys.stdin.readline() if select.select([sys.stdin], [], [], INTERVAL)[0] else None


def _send(client: Any, run_id: str, root: Path, sent: set[tuple[str, int]]) -> None:
    """Log the points that are not ``sent``, and note them there."""
    fresh = [point for point in workspace.curves(root) if (point.name, point.step) not in sent]
    tracking.add_points(client, run_id, fresh)
    sent |= {(point.name, point.step) for point in fresh}


if __name__ == "__main__":
    run(main)
