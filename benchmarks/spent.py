"""What a command costs that a busy machine does not stretch: seconds of processors, and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.timing import Contender, interleaved


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """``seconds`` of processor time of a command and all that it waited for; most bytes that one process held."""

    seconds: float
    peak: int


def spent(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Spent:
    """Run a command in ``folder``. Raises SurroundingsFailure when it fails."""
    name = " ".join(command[:5])
    one = Contender(name=name, command=tuple(command), folder=folder, leavings=(), environment=environment, found=None)
    timed = interleaved([one], 1)[name]
    return Spent(seconds=timed.cpu[0], peak=timed.peak)
