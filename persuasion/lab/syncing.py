"""`persuasion track sync`: whatever MLflow lacks of the workspace, of DVC's experiments and of studies, once.

All of it is read from git, DVC's files and the studies, so it does not matter what was sent before, or by whom.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure, Failure, RemoteFailure
from persuasion.lab import mlstore, revisions, tracking, workspace
from persuasion.lab.sweep import search, storage
from persuasion.lab.sweep.mirror import Mirror
from persuasion.lab.sweep.spec import FILE
from persuasion.lab.sweep.trialrun import Trials
from persuasion.lab.workspace import REQUIRED, Experiment

Told = dict[str, Any]


def sync(root: Path, **changes: Any) -> Told:
    """Send what is lacking; count new runs, name what was left out. Raises RemoteFailure when MLflow does not answer.

    ``changes``: settings of the study, as on the command line of ``persuasion sweep``.
    """
    told: Told = {"new": 0, "known": 0, "left_out": {}}
    try:
        told["studies"] = _studies(root, told, changes)
        trials = {name for study in told["studies"].values() for name in study["experiments"]}
        _experiments(root, told, trials)
    except Failure:
        raise
    except Exception as error:
        why = mlstore.explained(error)
        raise RemoteFailure("not all is in MLflow", why=why, fix="run the same command again when it answers") from None
    for study in told["studies"].values():
        del study["experiments"]
    return told | {"store": mlstore.shown(os.environ.get("MLFLOW_TRACKING_URI", ""))}


def text(told: Told) -> str:
    """What was done, in lines."""
    lines = [f"{name}: {study['trials']} trials, {study['new']} of them new" for name, study in told["studies"].items()]
    lines.append(f"experiments: {told['new']} new, {told['known']} known")
    lines += [f"left out: {name}: {why}" for name, why in told["left_out"].items()]
    return "\n".join(lines)


def _studies(root: Path, told: Told, changes: dict[str, Any]) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for name in _names(root, changes):
        try:
            ledger = search.known(root, **(changes | {"study": name}))
        except Failure as failure:  # of another space than sweep.yaml's; or nothing was asked yet
            told["left_out"][name] = failure.why or failure.what
            continue
        mirror = Mirror(ledger, Trials(ledger))
        with mlstore.opened(root, code=RemoteFailure.exit_code) as (client, place):
            mirror.look(client, place, (), last=True)
        numbers = [trial.number for trial in ledger.trials()]
        experiments = [ledger.name(number) for number in numbers]
        found[name] = {"trials": len(numbers), "new": mirror.made, "experiments": experiments}
    return found


def _names(root: Path, changes: dict[str, Any]) -> list[str]:
    """The study that is asked for, or sweep.yaml's and those that have a journal here."""
    if changes.get("study"):
        return [changes["study"]]
    own = [search.read(root, **changes).settings.study] if (root / FILE).is_file() else []
    others = sorted(path.parent.name for path in storage.place(root, "any").parent.glob("*/journal.log"))
    return list(dict.fromkeys([*own, *others]))


def _experiments(root: Path, told: Told, trials: set[str]) -> None:
    for name, experiment in _read(root, told, trials):
        with mlstore.opened(root, code=RemoteFailure.exit_code) as (client, place):
            known = tracking.mirror(experiment, client, place, root, name)
        told["known" if known else "new"] += 1


def _read(root: Path, told: Told, trials: set[str]) -> Iterator[tuple[str, Experiment]]:
    """The workspace's state and DVC's experiments, but for ``trials``, that have been evaluated."""
    try:
        yield "", workspace.read(root)
    except DataFailure as failure:
        told["left_out"]["workspace"] = failure.what
    for ref, rev in sorted(revisions.names(root).items()):
        *_, start, rest, name = ref.split("/")
        if name in trials:
            continue
        where = {"dvc.exp": name, "git.rev": rev, "dvc.baseline": start + rest}
        try:
            yield name, revisions.read(root, rev, REQUIRED, where)
        except DataFailure as failure:
            told["left_out"][name] = failure.what
