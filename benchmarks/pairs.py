"""How fast and in what memory are negatives chosen, against Python thread by thread, on 100,000 threads?

``python -m benchmarks.pairs [--quick]``. Whole processes, interleaved, which read the same tables and choose the same
pairs (that is checked): ours (``choosing``, on all cores), the naive way (pandas, grouped by thread, a function of two
texts) and, for ``similar``, the strong baseline: plain Python in one pass that keeps each text's set of words.
``<negative>_vs_naive`` and ``similar_vs_kept`` are the peer's median wall time over ours; the strategies beside
``similar`` run in one round at full size, where a naive run takes minutes. A strategy's memory is that of its largest
process. Then the whole stage ``pair`` runs as users run it, cleaning, splitting and auditing included, with ``similar``
on one worker and on two, whose bytes must agree; its peak memory is the sum of its processes' proportional set sizes,
and ``memory_of_2gib`` is 2 GiB over the larger.

What did not pay: cutting words and comparing sets in arrays is only 2 to 3 times as fast as Python's own sets, on one
core. The rest comes from columns (comments that cannot be rejected never become objects) and from the second core.
"""

import argparse
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from benchmarks import ours
from benchmarks.cache import CACHE
from benchmarks.extract_memory import proportional
from benchmarks.forked import measured
from benchmarks.threads import write_threads
from benchmarks.timing import Contender, Timed, interleaved, last_json, last_line, table
from persuasion.errors import IntegrityFailure, SurroundingsFailure
from persuasion.files import digest
from persuasion.negatives import STRATEGIES
from persuasion.running import run
from persuasion.yaml12 import load_yaml

GIB, MIB = 1 << 30, 1 << 20
ALLOWED = 2 * GIB
MAIN = "similar"
WHO = ("ours", "naive", "kept")
EVERY = 0.1  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many threads, how many rounds for ``MAIN`` and for the others, and the workers of the whole stage."""

    threads: int
    rounds: int
    others: int
    within: float
    workers: tuple[int, ...]


FULL = Plan(threads=100_000, rounds=3, others=1, within=math.inf, workers=(1, 2))
QUICK = Plan(threads=1500, rounds=3, others=1, within=1, workers=(2,))


def main() -> None:
    """Write the tables if need be, run the rounds and the stage, print the tables and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few threads: within 50 s")
    measure(QUICK if parser.parse_args().quick else FULL)


def measure(plan: Plan) -> None:
    """Run a plan and print what came of it. Raises IntegrityFailure where ours and the peer, or two runs, disagree."""
    threads = CACHE / f"threads{plan.threads}"
    if not threads.is_dir():
        measured(write_threads, threads, plan.threads)  # elsewhere: what this process held would count for its children
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as name:
        home = Path(name)
        timed = interleaved(list(_contenders(home, threads, [MAIN])), plan.rounds, plan.within)
        _require_same_choice(home)
        rounds = len(next(iter(timed.values())).seconds)
        others = [each for each in STRATEGIES if each != MAIN]
        timed |= interleaved(list(_contenders(home, threads, others)), plan.others)
        _require_same_choice(home)
        stage = {count: _stage(home, threads, count) for count in plan.workers}
    print(f"{plan.threads:,} threads, {os.cpu_count()} cores, {rounds} interleaved rounds of {MAIN}\n")
    print(_table(timed), "", _stage_table(stage), sep="\n")
    if len({each["digest"] for each in stage.values()}) > 1:
        raise IntegrityFailure("the stage's bytes depend on the number of workers")
    ratios = {f"{each}_vs_naive": _ratio(timed, each) for each in STRATEGIES}
    peak = max(each["peak"] for each in stage.values())
    ratios["similar_vs_kept"] = _ratio(timed, MAIN, "kept")
    print(last_line("pairs", {**ratios, "memory_of_2gib": ALLOWED / peak}, rounds))


def _contenders(home: Path, threads: Path, strategies: Sequence[str]) -> Iterator[Contender]:
    for negative in strategies:
        ending = (str(threads), negative)
        peers = [("naive", "benchmarks.peers.pandas_pairs"), ("kept", "benchmarks.peers.row_pairs")]
        for who, module in [("ours", "benchmarks.choosing"), *peers[: 2 if negative == MAIN else 1]]:
            more = (str(os.cpu_count()),) if who == "ours" else ()
            out = f"{who}-{negative}"
            yield Contender(
                name=f"{negative}, {who}",
                command=(sys.executable, "-m", module, *ending, str(home / out), *more),
                folder=home,
                leavings=(out,),
                environment=ours.environment(home),
                found=last_json,
            )


def _require_same_choice(home: Path) -> None:
    for path in home.glob("ours-*"):
        negative, mine = path.name.removeprefix("ours-"), set(path.read_text().splitlines())
        for other in home.glob(f"*-{negative}"):
            if differing := mine ^ set(other.read_text().splitlines()):
                why = f"{len(differing)} of {len(mine)} pairs"
                raise IntegrityFailure(f"{other.name} and ours choose otherwise", why=why)


def _stage(home: Path, threads: Path, count: int) -> dict[str, Any]:
    """Run the whole stage with ``count`` workers: seconds, peak bytes, and the digest of what it wrote."""
    folder = home / "stage"
    (folder / "data").mkdir(parents=True)
    (folder / "data/threads").symlink_to(threads)
    params = load_yaml(ours.ROOT / "params.yaml")
    params["source"]["workers"] = count
    params["pairs"]["negative"] = MAIN
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    with (folder / "said").open("w+b") as said:
        start = time.perf_counter()
        stage = psutil.Popen(
            (sys.executable, "-m", "stages.pair"), cwd=folder, env=ours.environment(home), stdout=said, stderr=said
        )
        peak = 0
        while stage.poll() is None:
            peak = max(peak, proportional(stage))
            time.sleep(EVERY)
        seconds = time.perf_counter() - start
        said.seek(0)
        if stage.returncode:
            raise SurroundingsFailure(
                f"pair failed with exit code {stage.returncode}", why=said.read()[-2000:].decode()
            )
    found = {"seconds": seconds, "peak": peak, "digest": digest(folder / "data/pairs") + digest(folder / "data/corpus")}
    shutil.rmtree(folder)
    return found


def _ratio(timed: Mapping[str, Timed], negative: str, peer: str = "naive") -> float:
    return timed[f"{negative}, {peer}"].median / timed[f"{negative}, ours"].median


def _table(timed: Mapping[str, Timed]) -> str:
    rows = [
        (
            negative,
            *(f"{timed[key].median:.2f}" if (key := f"{negative}, {who}") in timed else "" for who in WHO),
            f"{_ratio(timed, negative):.2f}",
            *(f"{timed[f'{negative}, {who}'].peak / MIB:,.0f}" for who in WHO[:2]),
            f"{timed[f'{negative}, ours'].found['pairs']:,}",
        )
        for negative in STRATEGIES
    ]
    head = (*(f"{who} s" for who in WHO), "naive / ours", *(f"{who} MiB" for who in WHO[:2]), "pairs")
    return table(("choosing", *head), rows)


def _stage_table(stage: Mapping[int, dict[str, Any]]) -> str:
    rows = [
        (str(count), f"{each['seconds']:.1f}", f"{each['peak'] / MIB:,.0f}", each["digest"][:12])
        for count, each in stage.items()
    ]
    return table(("whole stage, workers", "seconds", "peak MiB", "bytes"), rows)


if __name__ == "__main__":
    run(main)
