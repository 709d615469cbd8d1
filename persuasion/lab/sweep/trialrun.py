"""What MLflow shows of a trial: from the study, its experiment where that is here, and what was seen of it."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from persuasion.errors import DataFailure
from persuasion.lab import mlruns, revisions, workspace
from persuasion.lab.sweep import evidence
from persuasion.lab.sweep import ledger as ledgers
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.seen import Seen
from persuasion.lab.workspace import CURVES, Point, redacted

STATUS = {"RUNNING": "RUNNING", "COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A trial for MLflow. ``whole``: nothing more can be known of it. Times are milliseconds since 1970."""

    number: int
    name: str
    status: str
    params: dict[str, str]
    points: tuple[Point, ...]
    tags: dict[str, str]
    whole: bool
    start: int
    end: int | None


class Trials:
    """The trials of a study as MLflow shows them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.seen = Seen(ledger.root, ledger.spec.settings.study, ledger.baseline)
        self._times: dict[tuple[int, str, int], int] = {}

    @cached_property
    def _params(self) -> dict[str, Any]:
        tree = evidence.at(self.ledger.root, self.ledger.baseline, "params.yaml")
        return dict(workspace.flat(redacted(tree)))

    def shown(self, trial: Any) -> Shown:
        """All that is known here of the trial."""
        name = self.ledger.name(trial.number)
        seen = self.seen.points(name)
        experiment = self._experiment(trial, name)
        every = [*(experiment.points if experiment else ()), *seen, *self._told(trial)]
        state = trial.state.name
        end = _milliseconds(trial.datetime_complete) if trial.datetime_complete else None
        return Shown(
            number=trial.number,
            name=name,
            status=STATUS[state],
            params=workspace.texts(self._params | dict(trial.params)),
            points=tuple(self._timed(trial.number, every, end or int(time.time() * 1000))),
            tags=self._tags(trial, name) | (dict(experiment.tags) if experiment else {}),
            whole=experiment is not None if state == "COMPLETE" else bool(seen),
            start=_milliseconds(trial.datetime_start),
            end=end,
        )

    def _timed(self, number: int, points: list[Point], now: int) -> Iterator[Point]:
        """Each point once, with the time when it was first seen: MLflow knows it by that when it is sent again."""
        once = {(point.name, point.step): point for point in reversed(points)}
        for name, step in reversed(once):
            point = once[name, step]
            yield replace(point, at=point.at or self._times.setdefault((number, name, step), now))

    def _experiment(self, trial: Any, name: str) -> workspace.Experiment | None:
        """Only of a trial that was told its figures, for others' experiments may not be their own."""
        rev = trial.user_attrs.get(ledgers.REV)
        if trial.state.name != "COMPLETE" or not rev:
            return None
        try:
            found = revisions.read(self.ledger.root, rev, (), {"dvc.exp": name, "git.rev": rev})
        except DataFailure:  # another clone has it
            return None
        found.tags.pop("persuasion.key")  # that of a run that was evaluated too
        return found

    def _told(self, trial: Any) -> Iterator[Point]:
        """The figures and the curve that the study was told."""
        for objective, value in zip(self.ledger.spec.objectives, trial.values or (), strict=False):
            yield Point(name=objective.name, value=value, step=0)
        file, _, column = self.ledger.spec.settings.pruning.curve.split(":")
        table = file.rpartition("/")[2].removesuffix(".tsv")
        if table in CURVES:
            for step, value in sorted(trial.intermediate_values.items()):
                yield Point(name=f"{table}/{column}", value=value, step=step)

    def _tags(self, trial: Any, name: str) -> dict[str, str]:
        attributes = trial.user_attrs
        tags = {
            "optuna.study": self.ledger.spec.settings.study,
            "optuna.trial": str(trial.number),
            "dvc.exp": name,
            "dvc.baseline": self.ledger.baseline,
            "git.rev": attributes.get(ledgers.REV, ""),
            "optuna.why": mlruns.short(str(attributes.get(ledgers.WHY, ""))),
        }
        return {tag: value for tag, value in tags.items() if value}


def series(ledger: Ledger) -> Iterator[Point]:
    """Each objective by trial, and the best so far, up to the first trial that has not ended: always the same."""
    best: float | None = None
    for trial in ledger.trials():
        if not trial.state.is_finished():
            return
        if trial.state.name != "COMPLETE":
            continue
        at = _milliseconds(trial.datetime_complete)
        for objective, value in zip(ledger.spec.objectives, trial.values, strict=False):
            yield Point(name=f"trials/{objective.name}", value=value, step=trial.number, at=at)
        if len(ledger.spec.objectives) == 1:
            better = min if ledger.spec.objectives[0].direction == "minimize" else max
            best = trial.values[0] if best is None else better(best, trial.values[0])
            yield Point(name=f"best/{ledger.spec.objectives[0].name}", value=best, step=trial.number, at=at)


def search(ledger: Ledger) -> dict[str, str]:
    """What the study looks for, as parameters of its run."""
    settings, identity = ledger.spec.settings, ledger.spec.identity
    axes = {path: {name: value for name, value in axis.items() if value} for path, axis in identity["space"].items()}
    space = {f"space.{path}": json.dumps(axis) for path, axis in axes.items()}
    goals = {f"objective.{one['metric'].rpartition(':')[2]}": one["direction"] for one in identity["objectives"]}
    return {"sampler": settings.sampler, "seed": str(settings.seed), **goals, **space}


def _milliseconds(when: datetime) -> int:
    return int(when.timestamp() * 1000)
