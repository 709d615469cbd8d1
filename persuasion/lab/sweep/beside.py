"""A process beside a sweep that shows its study in MLflow as it goes: ``following`` starts it and tells it what runs.

It keeps what is seen of trials on the disk first, and sends it in a thread of its own, so that a server that is slow
costs nothing. It ends when its standard input does: after a last look if it was told that all is done, else at once.
"""

import json
import os
import select
import threading
import time
from contextlib import suppress
from pathlib import Path

from persuasion.lab import mlstore
from persuasion.lab.gauges import Gauges
from persuasion.lab.sweep import search
from persuasion.lab.sweep.following import DONE, LATER, PATIENCE
from persuasion.lab.sweep.mirror import Mirror
from persuasion.lab.sweep.trialrun import Trials
from persuasion.lab.workspace import Point
from persuasion.running import run

_LOOK, _SEND, _AGAIN = 1.0, 2.0, 15.0
"""Seconds between looks at the trials, between sendings, and after a failure."""


class Sender(threading.Thread):
    """Sends until it is told to send for the last time."""

    def __init__(self, root: Path, trials: Trials, here: dict[str, list[Path]]) -> None:
        super().__init__(daemon=True)
        self.root, self.trials, self.here = root, trials, here
        self.ready, self.stop = threading.Event(), threading.Event()
        self.trouble = ""

    def run(self) -> None:
        """Look, again and again; say once what goes wrong."""
        mirror, said, last = None, False, False
        while not last:
            last = self.stop.is_set()
            try:
                with mlstore.opened(self.root, deadline=None) as (client, place):
                    self.ready.set()
                    mirror = mirror or Mirror(self.trials.ledger, self.trials)
                    mirror.look(client, place, tuple(self.here), last=last)
                self.trouble = ""
            except Exception as error:
                mirror, self.trouble = None, mlstore.explained(error)
                if not said:
                    mlstore.warn(self.trouble, "tried again while the sweep runs")
                said = True
            self.stop.wait(_AGAIN if self.trouble else _SEND)


def main() -> None:
    """Follow the study that the first line of standard input names."""
    os.nice(10)  # the trials come first
    lines = _Lines()
    asked = json.loads(lines.wait())
    root = Path(asked["root"])
    trials = Trials(search.known(root, **asked["changes"]))
    here: dict[str, list[Path]] = {}
    sender = Sender(root, trials, here)
    sender.start()
    watch = _Watch(trials, here, sender)
    while not lines.ended:
        for line in lines.new(_LOOK):
            if line == DONE:
                watch.look()
                _finish(sender)
            told = json.loads(line)
            here[told["name"]] = [Path(copy) for copy in told["copies"]]
        watch.look()
    os._exit(0)  # the sweep was killed or interrupted; the next look, whenever it is, makes up for it


def _finish(sender: Sender) -> None:
    sender.stop.set()
    sender.join(PATIENCE)
    if sender.is_alive():
        mlstore.warn(f"no answer within {PATIENCE} s", LATER)
    elif sender.trouble:
        mlstore.warn(sender.trouble, LATER)
    os._exit(0)


class _Watch:
    """What is kept on the disk of the trials that run."""

    def __init__(self, trials: Trials, here: dict[str, list[Path]], sender: Sender) -> None:
        self.trials, self.here, self.sender = trials, here, sender
        self.gauges: Gauges | None = None
        self.noted: set[str] = set()

    def look(self) -> None:
        """Keep what is new; a full disk, or a study that is away for a moment, costs what would have been kept."""
        with suppress(Exception):
            self._look()

    def _look(self) -> None:
        ledger = self.trials.ledger
        running = [ledger.name(trial.number) for trial in ledger.trials() if trial.state.name == "RUNNING"]
        ours = [name for name in running if name in self.here]
        for name in ours:
            self.trials.seen.take(name, self.here[name])
        points = self._readings(now=bool(set(ours) - self.noted)) if ours else []
        for name in ours if points else ():
            self.trials.seen.note(name, points)
            self.noted.add(name)

    def _readings(self, *, now: bool) -> list[Point]:
        """A reading when it is time for one, or ``now``: a trial may be over before it is time."""
        if self.gauges is None and self.sender.ready.is_set():  # MLflow is imported once, and not here
            self.gauges = Gauges()
        return self.gauges.read() if self.gauges and (now or self.gauges.due()) else []


class _Lines:
    """Standard input, line by line, without a buffer that ``select`` cannot see."""

    def __init__(self) -> None:
        self.ended, self._rest = False, b""

    def new(self, patience: float) -> list[str]:
        """The lines that came within ``patience`` seconds."""
        end, lines = time.monotonic() + patience, list[bytes]()
        while not lines and not self.ended and (left := end - time.monotonic()) > 0:
            if select.select([0], [], [], left)[0]:
                block = os.read(0, 65536)
                self.ended = not block
                *lines, self._rest = (self._rest + block).split(b"\n")
        return [line.decode() for line in lines]

    def wait(self) -> str:
        """The first line, which must be alone."""
        while not self.ended:
            if lines := self.new(60):
                self._rest = b"\n".join([*(line.encode() for line in lines[1:]), self._rest])
                return lines[0]
        os._exit(0)


if __name__ == "__main__":
    run(main)
