"""Runner on DVC's own queue: `dvc exp run --queue` and `dvc queue start -j N` in one clone, and a watchdog.

The queue itself waits for ever for a task whose worker was killed, and lets a training go on whose process was.
Here each look compares the tasks with the processes that there are: what no worker can be at is lost, is ended,
and its trial is run again. Where a trial's figures are is no question of the queue's: `evidence` asks git.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion.files import remove
from persuasion.lab.sweep import diskroom, evidence, owners, proposing
from persuasion.lab.sweep.bench import Bench
from persuasion.lab.sweep.runner import Ended
from persuasion.lab.sweep.tasks import Task, Tasks
from persuasion.lab.sweep.watchdog import Watchdog
from persuasion.lab.sweep.workshop import Workshop

_INTERVAL = 1.0  # seconds between looks at the queue
_PATIENCE = 15.0  # seconds after a start of workers until one more is thought of
_STARTS = 16  # so many for a task that none of them takes, then its trial has come to nothing
_WORKERS = ""  # the order that starts workers: no experiment's


@dataclass(slots=True, kw_only=True)
class _Turn:
    """One time that an experiment is run."""

    arguments: list[str]
    log: Path
    since: float
    ordered: bool = False
    """`dvc exp run --queue` was called ..."""
    answered: bool = False
    """... and has ended."""
    rev: str = ""
    """Of its task, as soon as that is seen."""
    taken: bool = False
    starts: int = 0
    """How often workers have been started while it waited."""


class Queue:
    """One workshop, its queue, and as many workers as trials may run at once here."""

    def __init__(self, workshop: Workshop, workers: int, stages: Sequence[str], logs: Path, *options: str) -> None:
        self.bench = Bench(workshop=workshop, logs=logs)
        self.workers, self.stages, self.logs, self.options = workers, list(stages), logs, options
        self.turns: dict[str, _Turn] = {}
        self.tasks: Tasks | None = None
        self.seen: dict[str, Task] = {}
        self.past: set[str] = set()
        """Tasks of turns that are over ..."""
        self.stopped: dict[str, str] = {}
        """... and the names of those of them that a worker may still be at."""
        self.watchdog = Watchdog(workshop.folder)
        self.looked = self.begun = -_PATIENCE

    @property
    def running(self) -> dict[str, float]:
        """What runs or waits in the queue, and since when (``time.monotonic``)."""
        return {name: turn.since for name, turn in self.turns.items()}

    @property
    def free(self) -> int:
        """How many more may be started."""
        return self.workers - len(self.turns)

    def start(self, name: str, params: dict[str, Any], message: str) -> None:
        """Put the experiment into the queue, as soon as those before it are there."""
        options = ("--message", message, *self.options)
        arguments = proposing.experiment(name, params, self.stages, *options, how="--queue")
        log = self.logs / f"{name}.log"
        diskroom.begin(log)
        self.turns[name] = _Turn(arguments=arguments, log=log, since=time.monotonic())
        self._order()

    def ended(self) -> list[Ended]:
        """Experiments that have ended since the last look; whatever they left is gone, and they are published."""
        self._attend()
        if time.monotonic() - self.looked < _INTERVAL or not (self.turns or self.stopped):
            return []
        self._look()
        found = [ended for name, turn in self.turns.items() if (ended := self._end(name, turn)) is not None]
        for ended in found:
            self._settle(ended)
        self.looked = time.monotonic()
        return found

    def stop(self, name: str) -> None:
        """End an experiment; nothing more is heard of it."""
        turn = self.turns[name]
        while turn.ordered and not turn.answered:  # a moment: what is half in the queue cannot be taken out
            time.sleep(0.05)
            self._attend()
        self._look()
        if turn.rev:
            self.stopped[turn.rev] = name
        self._settle(Ended(name=name, code=None, log=turn.log))

    def copies(self, name: str) -> list[Path]:
        """Where the experiment runs, as far as it has got."""
        turn = self.turns.get(name)
        copy = self.tasks.copy(turn.rev) if turn and turn.rev and self.tasks else None
        return [copy] if copy else []

    def close(self) -> None:
        """End everything, the workers first, and remove the workshop."""
        self.bench.kill()
        self.bench.workshop.clear()

    def _attend(self) -> None:
        """Hear what became of the last order, and give the next."""
        ended = self.bench.ended()
        if ended is not None and ended.name == _WORKERS:
            self.begun = time.monotonic()
        elif ended is not None and ended.code != 0:  # it may have been cut off in the midst of its changes to the files
            self.bench.workshop.restore()
        if ended is not None and ended.name in self.turns:
            self.turns[ended.name].answered = True
        if self.bench.dead:  # it is what ends everything should this process be killed
            self.bench.open()
        self._order()

    def _order(self) -> None:
        """The next call of `dvc`, if none is at work: an experiment for the queue, or workers for what waits there."""
        if self.bench.name is not None:
            return
        for name, turn in self.turns.items():
            if not turn.ordered:
                turn.ordered = True
                self.bench.give(name, turn.arguments, turn.log)
                return
        now = time.monotonic()
        waiting = [turn for turn in self.turns.values() if turn.rev and not turn.taken]
        late = any(now - turn.since > _PATIENCE for turn in waiting)
        if (late or self.watchdog.idle < len(waiting)) and now - self.begun > _PATIENCE:
            for turn in waiting:
                turn.starts += 1
            self.bench.give(_WORKERS, ["queue", "start", "-j", str(self.workers)], self.logs / "workers.log")

    def _look(self) -> None:
        """See the queue and the processes as they are."""
        if self.tasks is None:
            self.tasks = Tasks(self.bench.workshop.folder)
        self.seen = self.tasks.look()
        for name, turn in self.turns.items():
            if not turn.rev:
                news = [task.rev for task in self.seen.values() if task.name == name and task.rev not in self.past]
                turn.rev = news[0] if news else ""
            task = self.seen.get(turn.rev)
            if task and task.taken and not turn.taken:
                turn.taken, turn.since = True, time.monotonic()  # the wait for a worker is none of its time
        self._end_stopped()
        ours = {turn.rev for turn in self.turns.values()} | set(self.stopped)
        self.watchdog.look([task for task in self.seen.values() if task.taken and not task.done and task.rev in ours])

    def _end(self, name: str, turn: _Turn) -> Ended | None:
        """How the experiment has ended, if it has."""
        workshop, task = self.bench.workshop, self.seen.get(turn.rev)
        if evidence.revision(workshop.folder, workshop.baseline, name):
            return Ended(name=name, code=0, log=turn.log)
        if turn.answered and not turn.rev:
            return Ended(name=name, code=None, log=turn.log, why="DVC put it into no queue")
        if task and task.done:
            return Ended(name=name, code=task.code, log=turn.log, why="its worker could not begin it")
        if turn.rev in self.watchdog.lost:
            return Ended(name=name, code=None, log=turn.log, why="its worker died")
        if turn.starts > _STARTS and not turn.taken:
            return Ended(name=name, code=None, log=turn.log, why="no worker took it from the queue")
        return None

    def _settle(self, ended: Ended) -> None:
        """After an experiment, well or not: nothing of it runs, its ref is in the project, its copy is gone."""
        turn = self.turns.pop(ended.name)
        self._reap(ended.name, turn.rev)
        self.past |= {turn.rev} - {""}
        if (task := self.seen.get(turn.rev)) is not None:
            _keep(task, turn.log)
        self.bench.workshop.publish()
        if self.tasks and turn.rev and ended.code is None:  # nobody is left who would clean up
            self.tasks.drop(turn.rev)
            if (copy := self.tasks.copy(turn.rev)) is not None and turn.rev not in self.stopped:
                remove(copy)

    def _reap(self, name: str, rev: str) -> None:
        owners.reap(self.bench.workshop.folder, name=name, word=rev)

    def _end_stopped(self) -> None:
        """What was stopped may only now come to run: its worker was still at work on its copy."""
        for rev, name in list(self.stopped.items()):
            task = self.seen.get(rev)
            if task is None or task.done or not task.taken or rev in self.watchdog.lost:
                del self.stopped[rev]
            else:
                self._reap(name, rev)


def _keep(task: Task, log: Path) -> None:
    """Append what the experiment said to its log, which outlives the workshop."""
    said = task.trouble.encode()
    with suppress(OSError):
        said = task.said.read_bytes() + said
    with log.open("ab") as stream:
        stream.write(said)
