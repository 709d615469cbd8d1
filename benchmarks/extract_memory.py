"""Does extraction stay within its memory, and grow linearly, as the dump grows tenfold?

``python -m benchmarks.extract_memory [--quick]``. Ours runs on 1x, 3x and 10x of a dump; the proportional
set size of its processes is summed every 50 ms, so that shared pages count once. The promise is a peak of the
zstd window (or the content, when that is smaller) and 600 MiB: ``memory_*`` is 600 MiB over what was
used beyond the window. ``linear`` is the time per GB at 1x over that at 10x.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import ours
from benchmarks.cache import BYTES_PER_COMMENT, cached_dump, require_room
from benchmarks.dump import Shape
from benchmarks.dumpfile import WINDOW_LOG
from benchmarks.timing import last_line, table
from persuasion.errors import SurroundingsFailure
from persuasion.running import run

MIB = 1 << 20
ALLOWED = 600 * MIB  # beyond the window
SCALES = (1, 3, 10)
FULL, QUICK = 600_000, 10_000  # comments at 1x
EVERY = 0.05  # seconds between two looks
OUTPUT_BYTES = 1800  # of disk that a run needs per comment, for its rows and what it spills


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run: sizes in bytes, of the dump's lines, the window that counts, and the peak; and its seconds."""

    size: int
    window: int
    peak: int
    seconds: float

    @property
    def beyond(self) -> int:
        """Bytes used beyond the window."""
        return max(self.peak - self.window, MIB)

    @property
    def pace(self) -> float:
        """Seconds per GB of lines."""
        return self.seconds / (self.size / 1e9)


def main() -> None:
    """Measure every scale, print the table and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract_memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="dumps sixty times smaller: within 50 s")
    quick = parser.parse_args().quick
    measured: dict[int, Measured] = {}
    for scale in SCALES:
        comments = scale * (QUICK if quick else FULL)
        try:
            require_room(comments * (BYTES_PER_COMMENT + OUTPUT_BYTES))
        except SurroundingsFailure as failure:
            print(f"memory_{scale}x is null: {failure}\n")
            continue
        measured[scale] = measure(comments)
    print(f"one run a scale, a look every {EVERY * 1000:.0f} ms{'; quick: 1x is a small dump' * quick}\n")
    print(_table(measured))
    print(last_line("extract_memory", ratios(measured), 1))


def measure(comments: int) -> Measured:
    """Run ours on a dump of about so many comments. Raises SurroundingsFailure when it fails."""
    dump, planted = cached_dump(Shape(comments=comments, seed=7, frames=1))
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as name:
        folder = ours.prepared(Path(name) / "ours", dump)
        start = time.perf_counter()
        peak = _peak_of_stage(folder)
        seconds = time.perf_counter() - start
    window = min(1 << WINDOW_LOG, planted.comment_bytes)
    return Measured(size=planted.bytes, window=window, peak=peak, seconds=seconds)


def ratios(measured: Mapping[int, Measured]) -> dict[str, float | None]:
    """600 MiB over what was used beyond the window, per scale; and how the time per GB grew."""
    found = {f"memory_{scale}x": ALLOWED / measured[scale].beyond if scale in measured else None for scale in SCALES}
    whole = SCALES[0] in measured and SCALES[-1] in measured
    return found | {"linear": measured[SCALES[0]].pace / measured[SCALES[-1]].pace if whole else None}


def proportional(process: psutil.Process) -> int:
    """Bytes of a process and its descendants, shared pages divided among those who share them."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(map(_share, family))


def _share(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # it ended between two looks
        return 0
    return int(getattr(memory, "pss", memory.uss))


def _peak_of_stage(folder: Path) -> int:
    """The largest sum seen while the stage ran. Raises SurroundingsFailure when it failed."""
    peak = 0
    with (folder / "said").open("w+b") as said:
        stage = subprocess.Popen(  # noqa: S603
            ours.COMMAND, cwd=folder, env=ours.environment(folder), stdout=subprocess.DEVNULL, stderr=said
        )
        family = psutil.Process(stage.pid)
        while stage.poll() is None:
            peak = max(peak, proportional(family))
            time.sleep(EVERY)
        said.seek(0)
        if stage.returncode:
            why = said.read()[-2000:].decode("utf-8", "replace").strip()
            raise SurroundingsFailure(f"extract failed with exit code {stage.returncode}", why=why)
    return peak


def _table(measured: Mapping[int, Measured]) -> str:
    head = ("", "GB", "window MiB", "peak MiB", "beyond MiB", "allowed", "seconds", "s per GB")
    rows = [
        (
            f"{scale}x",
            f"{each.size / 1e9:.2f}",
            *(f"{size / MIB:,.0f}" for size in (each.window, each.peak, each.beyond, ALLOWED)),
            f"{each.seconds:.1f}",
            f"{each.pace:.2f}",
        )
        for scale, each in measured.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    run(main)
