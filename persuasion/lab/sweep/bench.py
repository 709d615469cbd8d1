"""A workshop with the process that runs `dvc` there (``worker``), one command at a time."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from persuasion.lab.sweep.runner import Ended
from persuasion.lab.sweep.workshop import Workshop


@dataclass(slots=True, kw_only=True)
class Bench:
    """A workshop, its worker, and what it is at."""

    workshop: Workshop
    logs: Path
    process: subprocess.Popen[bytes] | None = None
    name: str | None = None
    """What is at work, None for nothing."""
    log: Path = Path(os.devnull)
    heard: bytes = b""
    pids: list[int] = field(default_factory=list)

    @property
    def dead(self) -> bool:
        """Whether the worker is no more, although nobody here ended it."""
        return self.process is not None and self.process.poll() is not None

    def open(self) -> None:
        """Have a worker."""
        if self.process is None or self.dead:
            self.process, self.heard = self._worker(), b""

    def give(self, name: str, arguments: Sequence[str], log: Path) -> None:
        """Have ``dvc`` run with these arguments, as (a part of) the experiment ``name``."""
        self.open()
        self.name, self.log = name, log
        order = {"name": name, "arguments": list(arguments), "log": str(log)}
        assert self.process is not None and self.process.stdin is not None
        with suppress(BrokenPipeError):  # seen as the worker's death at the next look
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()

    def ended(self) -> Ended | None:
        """How what was at work has ended, told once; None while it has not, and where nothing is."""
        if self.name is None or self.process is None:
            return None
        code = self._listen(self.process)
        if code is None and not self.dead:
            return None
        if code is None:
            self._end_command()
        ended = Ended(name=self.name, code=code, log=self.log)
        self.name, self.pids = None, []
        return ended

    def kill(self) -> None:
        """End the worker, and the command that is at work."""
        if self.process is None:
            return
        self._end_command()
        self.process.kill()
        self.process.communicate()
        self.process, self.name, self.pids = None, None, []

    def _end_command(self) -> None:
        """Kill what the worker runs, as it does itself where it can; a command that goes on would meet the next."""
        for pid in self.pids:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)

    def _worker(self) -> subprocess.Popen[bytes]:
        # this very package, and not the workshop's, which is the study's commit's
        package = str(Path(__file__).parents[3])
        code = f"import sys; sys.path.insert(0, {package!r}); from persuasion.lab.sweep.worker import main; main()"
        with (self.logs / "workers.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", code, str(self.workshop.folder)],
                cwd=self.logs,
                env=self.workshop.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def _listen(self, process: subprocess.Popen[bytes]) -> int | None:
        """The exit code, if the worker has told it."""
        assert process.stdout is not None
        handle = process.stdout.fileno()
        while select.select([handle], [], [], 0)[0] and (block := os.read(handle, 65536)):
            self.heard += block
        *lines, self.heard = self.heard.split(b"\n")
        told = [json.loads(line) for line in lines]
        self.pids += [one["pid"] for one in told if "pid" in one]
        return next((int(one["code"]) for one in told if one.get("name") == self.name), None)
