"""Whole processes against each other: interleaved rounds, medians, a table, and the last line of JSON.

Interleaving spreads what the machine does besides evenly over all; a median forgets its worst moments.
"""

import json
import math
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import IO

from persuasion.errors import SurroundingsFailure
from persuasion.files import remove


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A command to time: run in ``folder`` after its ``leavings`` there were removed.

    ``found`` reads what a run found from its standard output; None where there is nothing to find, and
    then the output is thrown away.
    """

    name: str
    command: tuple[str, ...]
    folder: Path
    leavings: tuple[str, ...]
    environment: Mapping[str, str]
    found: Callable[[str], Mapping[str, int]] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A contender's seconds per round, the most bytes any process of it held, and what it found in the last round.

    ``cpu`` are the processors' seconds, those of all processes that it waited for included.
    """

    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    peak: int
    found: Mapping[str, int]

    @property
    def median(self) -> float:
        """The middle of the rounds, in seconds."""
        return median(self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run of a contender."""

    seconds: float
    cpu: float
    peak: int
    found: Mapping[str, int]


def interleaved(contenders: Sequence[Contender], rounds: int, within: float = math.inf) -> dict[str, Timed]:
    """Run every contender once a round; no round begins after ``within`` seconds but the first.

    Raises SurroundingsFailure when a contender fails.
    """
    runs: list[list[_Run]] = []
    start = time.perf_counter()
    while not runs or (len(runs) < rounds and time.perf_counter() - start < within):
        runs.append([_run(contender) for contender in contenders])
    return {
        contender.name: Timed(
            seconds=tuple(run[place].seconds for run in runs),
            cpu=tuple(run[place].cpu for run in runs),
            peak=max(run[place].peak for run in runs),
            found=runs[-1][place].found,
        )
        for place, contender in enumerate(contenders)
    }


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns under their heads, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in (head, ["-" * width for width in widths], *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def last_line(name: str, ratios: Mapping[str, float | None], rounds: int) -> str:
    """The line that machines read; a ratio that could not be measured is null."""
    short = {key: None if ratio is None else round(ratio, 3) for key, ratio in ratios.items()}
    return json.dumps({"benchmark": name, "ratios": short, "rounds": rounds}, allow_nan=False)


def last_json(output: str) -> dict[str, int]:
    """The JSON object in the last line of a program's output."""
    record: dict[str, int] = json.loads(output.strip().rpartition("\n")[2])
    return record


def _run(contender: Contender) -> _Run:
    for name in contender.leavings:
        remove(contender.folder / name)
    os.sync()  # what the run before left to be written is not this run's burden
    with TemporaryFile() as out, TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603
            contender.command,
            cwd=contender.folder,
            env=dict(contender.environment),
            stdin=subprocess.DEVNULL,
            stdout=out if contender.found else subprocess.DEVNULL,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            why = _text(said).strip()[-2000:]
            raise SurroundingsFailure(f"{contender.name} failed with exit code {process.returncode}", why=why)
        found = contender.found(_text(out)) if contender.found else {}
    return _Run(seconds=seconds, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss << 10, found=found)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
