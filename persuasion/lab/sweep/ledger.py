"""The trials of a study: asked, owned, linked to their experiments, told once.

Every step leaves the study in a state from which another process can go on: a trial says who works on it, and
an experiment of its name is looked for before it is run again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion.errors import UsageFailure
from persuasion.lab.sweep import evidence, grids, owners, proposing, storage
from persuasion.lab.sweep.spec import Spec

OWNER, TRIES, WHY, REV, EXPERIMENT, LOG = "owner", "tries", "why", "dvc.rev", "dvc.exp", "log"
RUN = "mlflow.run"
BY_HAND = "by hand"
"""Owner of a trial that `persuasion sweep ask` gave out: only `tell` ends it."""
RELEASED = "released"
"""Owner of a trial whose sweep ended in good order, by Ctrl-C say: whoever comes may take it up."""
_UNSAID = 60.0
"""Seconds after which a running trial that names no owner counts as left by its asker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A study at its commit, in this repository."""

    study: Any
    spec: Spec
    baseline: str
    root: Path

    def name(self, number: int) -> str:
        """The trial's experiment."""
        return f"{self.spec.settings.study}-{number}"

    def trials(self) -> list[Any]:
        """All trials, as they are now."""
        trials: list[Any] = self.study.get_trials(deepcopy=False)
        return trials

    def counted(self) -> list[Any]:
        """Those that use up the search's trials: not the ones that died before they were asked in full."""
        return [trial for trial in self.trials() if trial.state.name != "WAITING" and self._whole(trial)]

    def ask(self, owner: str) -> Any:
        """A new trial of ``owner``'s, or None when there are enough.

        The owner stands before the first parameter, so that whoever finds half a trial knows whose it was.
        """
        if len(self.counted()) >= grids.wanted(self.spec):
            return None
        if not any(trial.state.name == "WAITING" for trial in self.trials()):
            self.study.enqueue_trial({}, user_attrs={OWNER: owner})
        asked = proposing.asked(self.study, self.spec, owned=lambda trial: trial.set_user_attr(OWNER, owner))
        before = [trial for trial in self.counted() if trial.number < asked.number]
        if len(before) >= grids.wanted(self.spec):  # another process asked for the last one just before
            self.fail(self.frozen(asked.number), "one more than asked for")
            return None
        self._note(asked._trial_id, EXPERIMENT, self.name(asked.number))
        return self.frozen(asked.number)

    def frozen(self, number: int) -> Any:
        """The trial as it is now. Raises UsageFailure for a number that there is not."""
        trials = self.trials()
        if not 0 <= number < len(trials):
            raise UsageFailure(f"there is no trial {number}", fix="persuasion sweep status")
        return trials[number]

    def tell(self, trial: Any) -> bool:
        """Tell the trial its experiment's figures, if it is there; return whether the trial has ended."""
        if trial.state.is_finished():
            return True
        try:
            found = evidence.read(self.root, self.spec, self.baseline, self.name(trial.number), trial.params)
        except (evidence.Foreign, evidence.Undefined) as error:
            self.fail(trial, str(error))
            return True
        if found is None:
            return False
        self._note(trial._trial_id, REV, found.rev)
        self.study.tell(trial.number, list(found.values), skip_if_finished=True)
        return True

    def fail(self, trial: Any, why: str, log: Path | None = None) -> None:
        """End the trial as failed, with the reason and where to read more."""
        self._end(trial, "FAIL", why, log)

    def prune(self, trial: Any, why: str) -> None:
        """End the trial as stopped early."""
        self._end(trial, "PRUNED", why, None)

    def try_again(self, trial: Any, why: str, log: Path | None = None) -> Any:
        """Count a try of the trial that came to nothing; give the trial, or None when it has failed for good."""
        tries = int(trial.user_attrs.get(TRIES, 0)) + 1
        if tries > self.spec.settings.retries:
            self.fail(trial, why, log)
            return None
        self._note(trial._trial_id, TRIES, tries)
        return self.frozen(trial.number)

    def release(self, mine: str) -> None:
        """Leave what is ``mine`` to whoever comes; that it was broken off is no try that came to nothing."""
        for trial in self.trials():
            if trial.state.name == "RUNNING" and trial.user_attrs.get(OWNER) == mine:
                self._note(trial._trial_id, TRIES, int(trial.user_attrs.get(TRIES, 0)) - 1)
                self._note(trial._trial_id, OWNER, RELEASED)

    def link(self, trial: Any, run_id: str) -> None:
        """Note the trial's run in MLflow: with the trial while it runs, with the study once it has ended."""
        if self.run(trial) == run_id:
            return
        self._note(trial._trial_id, RUN, run_id)
        if self.run(self.frozen(trial.number)) != run_id:
            self.study.set_user_attr(f"{RUN}.{trial.number}", run_id)

    def run(self, trial: Any) -> str | None:
        """The trial's run in MLflow, as far as is known."""
        return self.study.user_attrs.get(f"{RUN}.{trial.number}") or trial.user_attrs.get(RUN)

    def left(self, mine: str) -> list[Any]:
        """Running trials whose owner is no more, now ``mine``; those that were never asked in full have failed."""
        storage.bury(self.study)
        found = []
        for trial in self.trials():
            if trial.state.name != "RUNNING" or not self._is_left(trial):
                continue
            if set(trial.params) != set(self.spec.space):
                self.fail(trial, "whoever asked for it died before it was asked in full")
            else:
                found.append(self._taken(trial, mine))
        return [trial for trial in found if trial]

    def _taken(self, trial: Any, mine: str) -> Any:
        """Make the trial ours, unless another process does so in the same moment: the last to write has it."""
        self._note(trial._trial_id, OWNER, mine)
        if storage.url(self.spec):
            time.sleep(0.5)
        again = self.frozen(trial.number)
        return again if again.user_attrs.get(OWNER) == mine and not again.state.is_finished() else None

    def _is_left(self, trial: Any) -> bool:
        owner = trial.user_attrs.get(OWNER)
        if owner is None:
            return time.time() - trial.datetime_start.timestamp() > _UNSAID
        return abandoned(owner)

    def _whole(self, trial: Any) -> bool:
        return trial.state.name == "RUNNING" or (set(trial.params) == set(self.spec.space) and not self._surplus(trial))

    def _surplus(self, trial: Any) -> bool:
        stale = trial.state.name == "FAIL" and WHY not in trial.user_attrs  # its machine was lost: it is tried again
        return stale or trial.user_attrs.get(WHY) == "one more than asked for"

    def _end(self, trial: Any, state: str, why: str, log: Path | None) -> None:
        from optuna.trial import TrialState

        if trial.state.is_finished():
            return
        self._note(trial._trial_id, WHY, why)
        if log:
            self._note(trial._trial_id, LOG, str(log))
        self.study.tell(trial.number, state=TrialState[state], skip_if_finished=True)

    def _note(self, trial_id: int, name: str, value: Any) -> None:
        from optuna.exceptions import UpdateFinishedTrialError

        try:
            self.study._storage.set_trial_user_attr(trial_id, name, value)
        except (UpdateFinishedTrialError, RuntimeError):  # another process ended it in between
            return


def abandoned(owner: str) -> bool:
    """Whether nobody works any more on what is ``owner``'s."""
    return owner == RELEASED or (owner != BY_HAND and owners.gone(owner) is True)


def best(study: Any) -> Sequence[Any]:
    """The best trial, or the trials that none is better than where there are several objectives."""
    trials: Sequence[Any] = study.best_trials
    if len(study.directions) > 1 or not trials:
        return trials
    return [min(trials, key=lambda trial: int(trial.number))]
