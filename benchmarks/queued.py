"""Many experiments put into DVC's queue at once, and worked off by its own worker; their stages cost nothing."""

import sys
from pathlib import Path

from benchmarks.spent import Spent, spent
from persuasion.errors import SurroundingsFailure
from tests import sweeping


def queue(folder: Path, count: int) -> tuple[Spent, Spent]:
    """What it costs to queue so many experiments with one command, and to run them, one after the other.

    `dvc queue start` begins its workers in the background; here the same worker runs in the foreground, so that what
    it and its experiments cost is known. Raises SurroundingsFailure where one of them was not run.
    """
    sweeping.project(folder)
    environment = sweeping.surroundings(folder, EPOCH="0")
    rates = ",".join(f"{0.001 + 0.00001 * number:.5f}" for number in range(1, count + 1))
    command = ("dvc", "exp", "run", "--queue", "-S", f"train.learning_rate={rates}", "train")
    waiting = spent(command, folder, environment)
    worked = spent((sys.executable, "-m", "dvc", "exp", "queue-worker", "load-1@localhost"), folder, environment)
    ran = set(sweeping.steps(folder, "train-done")) - {"-"}
    if len(ran) != count:
        raise SurroundingsFailure(f"of {count} queued experiments {len(ran)} were run", where=folder)
    return waiting, worked
