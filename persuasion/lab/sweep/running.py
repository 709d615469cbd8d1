"""`persuasion sweep run`: ask, run, watch, tell, until the search is done. Knows no runner by name."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persuasion.lab.sweep import curves, diskroom, grids, owners, storage
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.runner import Ended, Runner

_INTERVAL = 0.2  # seconds between looks at the experiments
_ADOPTION = 5.0  # and between looks for trials that others left


@dataclass(slots=True, kw_only=True)
class Running:
    """One process's part in a search."""

    ledger: Ledger
    runner: Runner
    say: Callable[[str], None]
    finished: Callable[[str], None] = lambda _: None
    """Called with an experiment's name when its trial has been told its figures."""
    watched: Callable[[str, list[Path]], None] = lambda *_: None
    """Called again and again with an experiment's name and where it runs."""
    mine: dict[str, Any] = field(default_factory=dict)
    me: str = field(default_factory=owners.me)
    begun: float = field(default_factory=time.monotonic)
    looked: float = -_ADOPTION
    beaten: float = -storage.BEAT

    def until_done(self) -> None:
        """Go on until no trial is left to ask for, and none of ours runs."""
        while True:
            diskroom.require(self.ledger.root)
            self._collect()
            self._fill()
            if not self.mine and self._enough():
                return
            self._watch()
            self._beat()
            time.sleep(_INTERVAL)

    def _enough(self) -> bool:
        """Whether there is nothing left to begin; trials that run elsewhere are others' business."""
        return self._late() or len(self.ledger.counted()) >= grids.wanted(self.ledger.spec)

    def _late(self) -> bool:
        timeout = self.ledger.spec.settings.timeout
        return timeout is not None and time.monotonic() - self.begun > timeout

    def _fill(self) -> None:
        if self.runner.free and time.monotonic() - self.looked >= _ADOPTION:
            for trial in self.ledger.left(self.me):
                self._again(trial)
            self.looked = time.monotonic()
        while self.runner.free > len(self._waiting()) and not self._late():
            trial = self.ledger.ask(self.me)
            if trial is None:
                break
            self.mine[self.ledger.name(trial.number)] = trial
        for name in self._waiting()[: self.runner.free]:
            self._start(name)

    def _waiting(self) -> list[str]:
        running = self.runner.running
        return [name for name in self.mine if name not in running]

    def _start(self, name: str) -> None:
        trial = self.mine[name]
        settings = self.ledger.spec.settings
        self.say(f"{name}: {', '.join(f'{path}={value}' for path, value in trial.params.items())}")
        self.runner.start(name, dict(trial.params), f"Trial {trial.number} of the study {settings.study}")

    def _again(self, trial: Any) -> None:
        """Take up a trial that another process left: told if its experiment is there, else run again."""
        name = self.ledger.name(trial.number)
        if self.ledger.tell(trial):
            self._told(name, trial)
            return
        again = self.ledger.try_again(trial, "every process that ran it died")
        if again is not None:
            self.say(f"{name}: left by another process; run again")
            self.mine[name] = again

    def _collect(self) -> None:
        for ended in self.runner.ended():
            trial = self.mine.pop(ended.name, None)
            if trial is None:
                continue
            if self.ledger.tell(trial):
                self._told(ended.name, trial)
            elif ended.code is not None and ended.code > 0 and not _killed(ended.log):  # it would end so again
                diskroom.blame(ended.log)
                self.ledger.fail(trial, _reason(ended), ended.log)
                self.say(f"{ended.name}: failed: {_reason(ended)}; see {ended.log}")
            else:
                again = self.ledger.try_again(trial, _reason(ended), ended.log)
                self.say(f"{ended.name}: {_reason(ended)}; {'run again' if again else 'failed'}; see {ended.log}")
                if again is not None:
                    self.mine[ended.name] = again

    def _told(self, name: str, trial: Any) -> None:
        now = self.ledger.frozen(trial.number)
        if now.state.name == "COMPLETE":
            figures = ", ".join(f"{value:.4g}" for value in now.values)
            self.say(f"{name}: {figures}")
            self.finished(name)
        else:
            self.say(f"{name}: {now.state.name.lower()}: {now.user_attrs.get('why', '')}")

    def _watch(self) -> None:
        limit = self.ledger.spec.settings.trial_timeout
        for name, since in self.runner.running.items():
            trial = self.mine.get(name)
            if trial is None:
                continue
            self.mine[name] = trial = self.ledger.frozen(trial.number)
            copies = self.runner.copies(name)
            self.watched(name, copies)
            if limit is not None and time.monotonic() - since > limit:
                self._give_up(name, f"longer than {limit:g} s", self.ledger.fail)
            elif why := curves.watch(self.ledger, trial, copies):
                self._give_up(name, why, self.ledger.prune)

    def _give_up(self, name: str, why: str, end: Callable[[Any, str], None]) -> None:
        trial = self.mine.pop(name)
        end(trial, why)  # first: a kill between the two leaves a process, which the next sweep ends, and no lie
        self.runner.stop(name)
        self.say(f"{name}: stopped: {why}")

    def _beat(self) -> None:
        if time.monotonic() - self.beaten >= storage.BEAT:
            for trial in self.mine.values():
                storage.beat(self.ledger.study, trial._trial_id)
            self.beaten = time.monotonic()


def _reason(ended: Ended) -> str:
    if ended.code is None:
        return ended.why
    if ended.code < 0:
        return f"ended by signal {-ended.code}"
    return f"exit code {ended.code}{_shown(_last_error(ended.log))}" if ended.code else "DVC saved no experiment"


def _killed(log: Path) -> bool:
    """Whether a signal ended a stage, of which DVC makes an exit code like any other.

    DVC runs stages by the user's shell: some become the stage, and the code is the signal's, negative; others wait
    for it and say 128 more than the signal's number.
    """
    told = re.search(r"exited with (-?\d+)", _last_error(log))
    return told is not None and not 0 <= int(told[1]) <= 128


def _last_error(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line for line in lines if line.startswith(("ERROR: failed", "persuasion:"))]
    return said[-1] if said else ""


def _shown(error: str) -> str:
    return f" ({error[:200]})" if error else ""
