"""Which tasks of DVC's queue are lost: taken by a worker that is no more. Goes by processes, not by time.

A worker (`dvc exp queue-worker`) is at one task at a time. It makes a temporary workspace, starts a process
(`dvc exp exec-run`) in it, waits for it, and collects what it made. So a task whose process has a living worker
above it is at work; one whose process has none is lost; and of one without a process a worker can be at work only
if it has no process of another task. While there are such workers, nobody can tell; but a worker soon takes a task
that waits, or ends when none does, so the doubt does not last.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from persuasion.lab.sweep import owners
from persuasion.lab.sweep.tasks import Task


class Watchdog:
    """Of the queue in one clone; ``lost`` are the revs of tasks, ``idle`` is how many workers are at none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lost: set[str] = set()
        self.idle = 0
        self.suspected: set[str] = set()

    def look(self, taken: Sequence[Task]) -> None:
        """Judge tasks that were taken and are not done; the processes are looked at after, hence, these were."""
        workers, executors = self._processes()
        lost, doubtful = set(), set()
        for task in taken:
            if task.pid not in executors:
                doubtful.add(task.rev)
            elif executors[task.pid] in workers:
                workers.discard(executors[task.pid])
            else:
                lost.add(task.rev)
        if not workers:
            lost |= doubtful
        self.idle = max(0, len(workers) - len(doubtful))
        self.lost = lost & self.suspected  # twice in a row, for one may end while another is looked at
        self.suspected = lost

    def _processes(self) -> tuple[set[int], dict[int, int]]:
        """Living workers, and what executes an experiment with its parent."""
        import psutil

        workers: set[int] = set()
        executors: dict[int, int] = {}
        for process in owners.started(self.folder):
            with suppress(psutil.Error):
                words = process.cmdline()
                if "queue-worker" in words:
                    workers.add(process.pid)
                elif "exec-run" in words:
                    executors[process.pid] = process.ppid()
        return workers, executors
