"""What a command costs that a busy machine does not stretch: seconds of processors, and memory."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from persuasion.errors import SurroundingsFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """``seconds`` of processor time of a command and all that it waited for; most bytes that one process held."""

    seconds: float
    peak: int


def spent(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Spent:
    """Run a command in ``folder``. Raises SurroundingsFailure when it fails."""
    with TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            why = said.read()[-2000:].decode("utf-8", "replace").strip()
            raise SurroundingsFailure(f"{' '.join(command[:5])} failed with exit code {process.returncode}", why=why)
    return Spent(seconds=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss << 10)
