"""Runner of plain workers: one `dvc exp run --temp` at a time in each workshop; needs no queue and no celery."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from persuasion.lab.sweep import diskroom, owners, proposing
from persuasion.lab.sweep.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How an experiment ended: DVC's exit code (negative: a signal), None where its worker died."""

    name: str
    code: int | None
    log: Path


@dataclass(slots=True, kw_only=True)
class _Bench:
    """A workshop, its worker, and what it is at."""

    workshop: Workshop
    process: subprocess.Popen[bytes] | None = None
    name: str = ""
    since: float = 0.0
    heard: bytes = b""
    pids: list[int] = field(default_factory=list)


class Loop:
    """Workers in as many workshops as trials may run at once here."""

    def __init__(self, workshops: Sequence[Workshop], stages: Sequence[str], logs: Path, *options: str) -> None:
        self.benches = [_Bench(workshop=workshop) for workshop in workshops]
        self.stages, self.logs, self.options = list(stages), logs, options

    @property
    def running(self) -> dict[str, float]:
        """What runs, and since when (``time.monotonic``)."""
        return {bench.name: bench.since for bench in self.benches if bench.name}

    @property
    def free(self) -> int:
        """How many more may be started."""
        return sum(not bench.name for bench in self.benches)

    def start(self, name: str, params: dict[str, Any], message: str) -> None:
        """Run the experiment in a free workshop."""
        bench = next(bench for bench in self.benches if not bench.name)
        if bench.process is None or bench.process.poll() is not None:
            bench.process, bench.heard = self._worker(bench.workshop), b""
        arguments = proposing.experiment(name, params, self.stages, "--message", message, *self.options)
        order = {"name": name, "arguments": arguments, "log": str(self.logs / f"{name}.log")}
        diskroom.begin(self.logs / f"{name}.log")
        bench.name, bench.since = name, time.monotonic()
        with suppress(BrokenPipeError):  # seen as the worker's death at the next look
            assert bench.process.stdin is not None
            bench.process.stdin.write(json.dumps(order).encode() + b"\n")
            bench.process.stdin.flush()

    def ended(self) -> list[Ended]:
        """Experiments that have ended since the last look; whatever they left is gone, and they are published."""
        found = []
        for bench in self.benches:
            if not bench.name or bench.process is None:
                continue
            code = self._listen(bench)
            if code is not None or bench.process.poll() is not None:
                found.append(Ended(name=bench.name, code=code, log=self.logs / f"{bench.name}.log"))
                self._settle(bench)
        return found

    def stop(self, name: str) -> None:
        """End an experiment; nothing more is heard of it."""
        for bench in self.benches:
            if bench.name == name:
                self._kill(bench)
                self._settle(bench)

    def copies(self, name: str) -> list[Path]:
        """Where the experiment runs, as far as it has got."""
        return [copy for bench in self.benches if bench.name == name for copy in bench.workshop.copies()]

    def close(self) -> None:
        """End everything and remove the workshops."""
        for bench in self.benches:
            self._kill(bench)
            bench.workshop.clear()

    def _worker(self, workshop: Workshop) -> subprocess.Popen[bytes]:
        # this very package, and not the workshop's, which is the study's commit's
        package = str(Path(__file__).parents[3])
        code = f"import sys; sys.path.insert(0, {package!r}); from persuasion.lab.sweep.worker import main; main()"
        with (self.logs / "workers.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", code, str(workshop.folder)],
                cwd=self.logs,
                env=workshop.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def _listen(self, bench: _Bench) -> int | None:
        """The exit code, if the worker has told it."""
        assert bench.process is not None and bench.process.stdout is not None
        handle = bench.process.stdout.fileno()
        while select.select([handle], [], [], 0)[0] and (block := os.read(handle, 65536)):
            bench.heard += block
        *lines, bench.heard = bench.heard.split(b"\n")
        told = [json.loads(line) for line in lines]
        bench.pids += [one["pid"] for one in told if "pid" in one]
        return next((int(one["code"]) for one in told if one.get("name") == bench.name), None)

    def _settle(self, bench: _Bench) -> None:
        """After an experiment, well or not: nothing of it runs, its ref is in the project, its copy is gone."""
        worker = bench.process.pid if bench.process and bench.process.poll() is None else -1
        owners.reap(bench.workshop.folder, but=frozenset({worker}))
        bench.workshop.publish()
        bench.workshop.tidy()
        bench.name, bench.pids = "", []

    def _kill(self, bench: _Bench) -> None:
        if bench.process is None:
            return
        for pid in bench.pids:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        bench.process.kill()
        bench.process.communicate()
        bench.process = None
