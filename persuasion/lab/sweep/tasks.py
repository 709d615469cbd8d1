"""DVC's experiments queue as it lies on the disk of a clone: its tasks and how far each has come. Changes nothing.

`dvc queue status` takes seconds, asks workers that may not answer, and calls a task running whose worker is dead;
so the folders of its broker, results and processes are read, through the libraries that DVC reads them with.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(".dvc/tmp/exps")
_TASK = "dvc.repo.experiments.queue.tasks.run_exp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An experiment in the queue, ``rev`` being the stash commit that it is kept as."""

    rev: str
    name: str
    taken: bool
    """By a worker, of which nothing says whether it still is."""
    done: bool
    code: int | None
    """Of the process that ran it (`dvc exp exec-run`), once that has ended under its worker's eyes."""
    pid: int | None
    """Of that process, once it was started."""
    said: Path
    """What it printed."""
    trouble: str
    """What the worker met where it started no such process."""


class Tasks:
    """The queue of one clone."""

    def __init__(self, folder: Path) -> None:
        from dvc_task.app.filesystem import FSApp
        from dvc_task.proc.manager import ProcessManager

        self.folder = folder / _FOLDER
        self.app: Any = FSApp("dvc-exp-local", wdir=str(self.folder / "celery"), mkdir=True)
        self.app.conf.update({"task_acks_late": True, "result_expires": None})  # as DVC does
        self.processes = ProcessManager(str(self.folder / "run"))

    def look(self) -> dict[str, Task]:
        """All tasks by ``rev``. One that is taken at this moment is seen, since those that wait are read first."""
        found = {}
        for messages, taken in ((self.app.iter_queued(), False), (self.app.iter_processed(), True)):
            for message in messages:
                if message.headers.get("task") == _TASK:
                    task = self._task(message, taken)
                    found[task.rev] = task
        return found

    def drop(self, rev: str) -> None:
        """Take a task that waits out of the queue."""
        for message in self.app.iter_queued():
            if message.headers.get("task") == _TASK and _entry(message)["stash_rev"] == rev:
                self.app.reject(message.delivery_tag)

    def copy(self, rev: str) -> Path | None:
        """The temporary workspace of a task, as soon as there is one."""
        try:
            return Path(json.loads((self.folder / "run" / rev / f"{rev}.run").read_bytes())["root_dir"])
        except (OSError, ValueError, KeyError):  # not yet written, or only half
            return None

    def _task(self, message: Any, taken: bool) -> Task:
        entry = _entry(message)
        process = self.processes.get(entry["stash_rev"])
        done, trouble = self._result(message.headers["id"]) if taken else (False, "")
        return Task(
            rev=entry["stash_rev"],
            name=entry["name"] or "",
            taken=taken,
            done=done,
            code=process.returncode if process else None,
            pid=process.pid if process else None,
            said=self.folder / "run" / entry["stash_rev"] / f"{entry['stash_rev']}.out",
            trouble=trouble,
        )

    def _result(self, task_id: str) -> tuple[bool, str]:
        """Whether the worker has ended the task, and what went wrong outside the experiment."""
        from kombu.exceptions import DecodeError

        try:
            result = self.app.AsyncResult(task_id)
            return bool(result.ready()), str(result.traceback or "")
        except DecodeError:  # it is being written
            return False, ""


def _entry(message: Any) -> dict[str, Any]:
    """What DVC put into the queue."""
    arguments, named, _ = message.decode()
    entry: dict[str, Any] = named.get("entry_dict") or arguments[0]
    return entry
