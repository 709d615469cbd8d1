"""Does what grows a hundredfold cost a hundredfold? The sample through extract and pair, a study's books, a queue.

``python -m benchmarks.load [--quick]``. Costs are seconds of processor time, which other work on the machine does not
stretch, and the most bytes that one process held; extraction and pairing run in one process. ``*_linear`` is the
cost per piece at the scale before the last over that at the last: 1 is linear, below it grows faster.
``trials_linear`` is that of the first tenth of a study's trials over the last tenth.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import ours, queued
from benchmarks.spent import Spent, spent
from benchmarks.timing import last_line, table
from benchmarks.trials import FOUND
from persuasion.running import run
from persuasion.yaml12 import load_yaml

MIB = 1 << 20
STAGES = ("sample", "extract", "pair")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many threads, trials and experiments."""

    threads: tuple[int, ...]
    trials: int
    experiments: tuple[int, ...]


FULL = Plan(threads=(700, 7_000, 70_000), trials=1000, experiments=(5, 50))
QUICK = Plan(threads=(40, 400), trials=50, experiments=(1, 2))


def main() -> None:
    """Measure, print the tables and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the sample, few trials: within 50 s")
    measure(QUICK if parser.parse_args().quick else FULL)


def measure(plan: Plan) -> None:
    """Run a plan; each part prints its table when it is done."""
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as name:
        home = Path(name)
        rows = {count: _rows(home / str(count), count) for count in plan.threads}
        for stage in STAGES:
            print(_table(stage, "threads", {count: each[stage] for count, each in rows.items()}))
        books = _books(home / "books", plan.trials)
        waiting, worked = {}, {}
        for count in plan.experiments:
            waiting[count], worked[count] = queued.queue(home / f"queue{count}", count)
        print(_table("queueing", "experiments", waiting), _table("their runs", "experiments", worked), sep="\n")
    ratios = {"trials_linear": books, "queue_linear": linear(waiting), "runs_linear": linear(worked)}
    for stage in STAGES:
        costs = {count: each[stage] for count, each in rows.items()}
        ratios |= {f"{stage}_linear": linear(costs), f"{stage}_memory": memory_linear(costs)}
    print(last_line("load", ratios, 1))


def linear(costs: Mapping[int, Spent]) -> float:
    """Seconds per piece at the scale before the last over those at the last."""
    return _growth(costs, lambda cost: cost.seconds)


def memory_linear(costs: Mapping[int, Spent]) -> float:
    """Bytes per piece at the scale before the last over those at the last."""
    return _growth(costs, lambda cost: cost.peak)


def _growth(costs: Mapping[int, Spent], of: Callable[[Spent], float]) -> float:
    (few, before), (many, after) = list(costs.items())[-2:]
    return (of(before) / few) / (of(after) / many)


def _rows(folder: Path, threads: int) -> dict[str, Spent]:
    """The first three stages on a sample of so many threads."""
    params = load_yaml(ours.ROOT / "params.yaml")
    params["sample"]["threads"] = threads
    params["source"] |= {"workers": 1, "removals_file": "removals.txt"}
    folder.mkdir()
    (folder / "removals.txt").touch()
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    environment = ours.environment(folder)
    return {stage: spent((sys.executable, "-m", f"stages.{stage}"), folder, environment) for stage in STAGES}


def _books(folder: Path, trials: int) -> float:
    """Run a study without trainings, print its table; the first tenth's seconds over the last tenth's."""
    folder.mkdir()
    whole = spent((sys.executable, "-m", "benchmarks.trials", str(trials)), folder, ours.environment(folder))
    found = json.loads((folder / FOUND).read_text(encoding="utf-8"))
    tenths: Sequence[float] = found["tenths"]
    each = trials // len(tenths)
    names = [f"{place * each + 1} to {(place + 1) * each}" for place in range(len(tenths))]
    lines = [(name, f"{1000 * cost / each:.1f}") for name, cost in zip(names, tenths, strict=True)]
    print(table(("trials", "ms each"), lines))
    print(f"{whole.seconds:.1f} s, {whole.peak / MIB:,.0f} MiB, a journal of {found['journal'] / MIB:.1f} MiB\n")
    return tenths[0] / tenths[-1]


def _table(name: str, pieces: str, costs: Mapping[int, Spent]) -> str:
    rows = [
        (f"{count:,} {pieces}", f"{cost.seconds:.1f}", f"{1000 * cost.seconds / count:.2f}", f"{cost.peak / MIB:,.0f}")
        for count, cost in costs.items()
    ]
    return table((name, "s", "ms each", "MiB"), rows) + "\n"


if __name__ == "__main__":
    run(main)
