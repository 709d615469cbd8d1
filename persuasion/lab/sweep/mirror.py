"""A study in MLflow: one run for it, and under that one for each trial. Looked at again and again, nothing doubles.

What the store holds is asked of the store, so a process that is killed between any two calls, or another machine
that does the same at the same time, leaves nothing that the next look does not put right.
"""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

from persuasion.lab import live, mlruns
from persuasion.lab.sweep import ledger as ledgers
from persuasion.lab.sweep import trialrun
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.trialrun import Shown, Trials
from persuasion.lab.workspace import Point

STUDY, TRIAL, STATE, PARENT = "persuasion.study", "optuna.trial", "persuasion.mirrored", "mlflow.parentRunId"
_ENDED = ("FINISHED", "FAILED", "KILLED")


class Mirror:
    """One study's runs in one store. After an error it must be made anew: what the store then holds is not known."""

    def __init__(self, ledger: Ledger, trials: Trials) -> None:
        self.ledger, self.trials = ledger, trials
        self.made = 0
        self._parent: Any = None
        self._children: dict[int, Any] = {}
        self._done: set[int] = set()
        self._sent: dict[str, set[tuple[str, int]]] = {}

    def look(self, client: Any, place: str, here: Collection[str], *, last: bool = False) -> None:
        """Send what is new of trials that have ended, and of those that run ``here``.

        ``last``: nothing more is begun by us, so the study's run may end.
        """
        trials = self.ledger.trials()
        if not trials or trials[0].datetime_start is None:
            return
        if self._parent is None:
            self._load(client, place, key(trials[0], self.ledger))
        for trial in trials:
            ended = trial.state.is_finished()
            if trial.number not in self._done and (ended or self.ledger.name(trial.number) in here):
                self._settle(client, place, trial)
        self._points(client, self._parent, trialrun.series(self.ledger))
        running = any(trial.state.name == "RUNNING" for trial in trials)
        self._end_study(client, running=running or not last)

    def _load(self, client: Any, place: str, study: str) -> None:
        """Find the runs there are, of twins the older one; make the study's if there is none."""
        parents, children = _runs(client, place, study)
        if not parents:
            name = self.ledger.spec.settings.study
            start = min(trial.datetime_start for trial in self.ledger.trials() if trial.datetime_start)
            tags = {STUDY: study, "optuna.study": name, "git.rev": self.ledger.baseline}
            client.create_run(place, int(start.timestamp() * 1000), tags, name)
            parents, children = _runs(client, place, study)
        for twin in parents[1:]:
            client.delete_run(twin.info.run_id)
        mlruns.add_params(client, parents[0], trialrun.search(self.ledger))
        self._children = {number: twins[0] for number, twins in children.items()}
        for twin in (twin for twins in children.values() for twin in twins[1:]):
            client.delete_run(twin.info.run_id)
        self._parent = parents[0]
        self._study = study

    def _settle(self, client: Any, place: str, trial: Any) -> None:
        found = self._children.get(trial.number)
        state = found.data.tags.get(STATE) if found and found.info.status in _ENDED else None
        shown = None if state == "whole" else self.trials.shown(trial)
        if found is None:
            assert shown is not None
            found = self._child(client, place, shown)
        self.ledger.link(trial, found.info.run_id)
        self._nest(client, trial.number, found)
        if shown is None or (state == "part" and not shown.whole):  # nothing is lacking, or another clone may know more
            self._done.add(trial.number)
            return
        self._points(client, found, shown.points)
        if shown.status in _ENDED:
            self._end(client, place, trial, found, shown)

    def _child(self, client: Any, place: str, shown: Shown) -> Any:
        tags = {STUDY: self._study, PARENT: self._parent.info.run_id, **shown.tags}
        found = client.create_run(place, shown.start, tags, shown.name)
        self._children[shown.number], self._sent[found.info.run_id] = found, set()
        self.made += 1
        mlruns.add_params(client, found, shown.params)
        return found

    def _nest(self, client: Any, number: int, found: Any) -> None:
        if found.data.tags.get(PARENT) != self._parent.info.run_id:  # it was a twin's
            client.set_tag(found.info.run_id, PARENT, self._parent.info.run_id)
            self._children[number] = client.get_run(found.info.run_id)

    def _end(self, client: Any, place: str, trial: Any, found: Any, shown: Shown) -> None:
        run_id = found.info.run_id
        mlruns.add_params(client, client.get_run(run_id), shown.params)
        mlruns.add_tags(client, found, shown.tags)
        mlruns.add_inputs(client, found, shown.tags)
        client.set_tag(run_id, STATE, "whole" if shown.whole else "part")
        client.set_terminated(run_id, shown.status, shown.end)
        if trial.user_attrs.get(ledgers.OWNER) == ledgers.BY_HAND:  # its training may have shown itself
            live.remove(client, place, self.ledger.root, shown.name)
        self._done.add(trial.number)

    def _points(self, client: Any, found: Any, points: Iterable[Point]) -> None:
        """Send the points that the run lacks."""
        run_id = found.info.run_id
        if run_id not in self._sent:
            self._sent[run_id] = mlruns.known(client, run_id)
        fresh = [one for one in points if (mlruns.safe(one.name), one.step) not in self._sent[run_id]]
        mlruns.add_points(client, run_id, fresh)
        self._sent[run_id] |= {(mlruns.safe(one.name), one.step) for one in fresh}

    def _end_study(self, client: Any, *, running: bool) -> None:
        enough = len(self.ledger.counted()) >= self.ledger.spec.settings.trials
        wanted = "RUNNING" if running else "FINISHED" if enough else "KILLED"
        run_id = self._parent.info.run_id
        if self._parent.info.status == wanted:
            return
        if wanted == "RUNNING":
            client.update_run(run_id, status=wanted)
        else:
            ends = [trial.datetime_complete for trial in self.ledger.trials() if trial.datetime_complete]
            client.set_terminated(run_id, wanted, int(max(ends).timestamp() * 1000) if ends else None)
        self._parent = client.get_run(run_id)


def key(first: Any, ledger: Ledger) -> str:
    """What every clone that works on the study, and no other study of its name, has in common."""
    began = first.datetime_start.isoformat(timespec="seconds")
    text = f"{ledger.spec.settings.study} {ledger.baseline} {first.number} {began}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _runs(client: Any, place: str, study: str) -> tuple[list[Any], dict[int, list[Any]]]:
    """The study's runs, and those of its trials by number, the oldest first."""
    parents: list[Any] = []
    children: dict[int, list[Any]] = {}
    for run in mlruns.found(client, place, STUDY, study):
        number = run.data.tags.get(TRIAL)
        if number is None:
            parents.append(run)
        else:
            children.setdefault(int(number), []).append(run)
    return parents, children
