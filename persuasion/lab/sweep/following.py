"""Starts the process that shows a sweep in MLflow, tells it what runs, and waits for it a little at the end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from persuasion.lab.sweep import owners

DONE = "done"
PATIENCE = 30
"""Seconds for what is left to send when the sweep is done."""
LATER = "`persuasion track sync` makes up for it"
Told = Callable[[str, Sequence[Path]], None]


@contextmanager
def followed(root: Path, changes: Mapping[str, Any], say: Callable[[str], None]) -> Iterator[Told]:
    """Show the study in MLflow while the body runs, which calls what it is given with each trial and where it runs."""
    command = [sys.executable, "-m", "persuasion.lab.sweep.beside"]
    passing = (owners.MARK, "DVC_ROOT", "DVC_EXP_NAME")
    environment = {name: value for name, value in os.environ.items() if name not in passing}
    package = str(Path(__file__).parents[3])  # this very code, wherever the sweep was called
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    try:
        beside = subprocess.Popen(  # noqa: S603
            command, cwd=root, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        say(f"warning: not mirrored to MLflow ({error}); {LATER}")
        yield lambda name, copies: None
        return
    pipe = _Pipe(beside)
    pipe.send({"root": str(root), "changes": {name: value for name, value in changes.items() if value is not None}})
    try:
        yield pipe.tell
        pipe.close(DONE)
        with suppress(subprocess.TimeoutExpired):
            beside.wait(PATIENCE + 5)
        if beside.returncode:
            say(f"warning: not mirrored to MLflow (exit {beside.returncode}); {LATER}")
    finally:
        pipe.close("")
        beside.kill()
        beside.wait()


class _Pipe:
    """Lines to the process; a line that it does not take at once is left out, for the sweep waits for nobody."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        self._stream = process.stdin
        self._handle = process.stdin.fileno()
        os.set_blocking(self._handle, False)
        self._told: dict[str, list[str]] = {}

    def tell(self, name: str, copies: Sequence[Path]) -> None:
        """Say where a trial runs, if it is news."""
        places = [str(copy) for copy in copies]
        if self._told.get(name) != places and self.send({"name": name, "copies": places}):
            self._told[name] = places

    def send(self, line: object) -> bool:
        """Send a line; return whether it was taken."""
        return self._write(json.dumps(line))

    def close(self, word: str) -> None:
        """Say the last word, if any."""
        if not self._stream.closed:
            if word:
                self._write(word)
            with suppress(OSError):
                self._stream.close()

    def _write(self, text: str) -> bool:
        try:
            return os.write(self._handle, f"{text}\n".encode()) > 0
        except OSError:  # full, or its reader has gone
            return False
