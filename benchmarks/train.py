"""How fast is DPO training, against TRL 1.16 in the same process on the same batches?

``python -m benchmarks.train [--quick]``. The same LoRA, data, batches and losses (checked); steps interleaved in
random order; medians. The JSON holds the ratios at one thread; the tables hold two threads as well, and every way
TRL can be made faster beside its default: its own precomputed reference, and our allocator settings for both.
``step_vs_trl`` is TRL in float32 as it comes over ours as the stage runs it; ``step_vs_trl_precompute`` is TRL with
its precomputed reference over ours, both with the better of the two allocator settings for TRL. TRL's literal defaults
(bfloat16, gradient checkpointing) are several times slower yet on a CPU without bfloat16 units, and are not counted.

Tried, and not worth it (two-core AMD, one thread, CPU time):

- one dense mask over a packed row: 0.5 x TRL's own attention; padded rows with a dense mask: 1.2 x.
- attention by matrix products with kept probabilities: no faster than the kernel's forward, 1.2 x its backward, and
  memory that grows with the square of a post.
- whole segments in one causal call: 1.3 x the time of blocks of 96 queries, for the kernel computes what it masks;
  blocks of 48: no faster, more calls.
- torch.mm for frozen matrices: 0.85 x oneDNN here, at every shape of these models.
- torch.compile per layer with dynamic shapes: over a minute of warm-up, 1.07 x.
- bfloat16 weights: several times slower without hardware for it.
- scoring the head in chunks of 64 rows: 1.2 x slower than 128; F.linear_cross_entropy: 2.4 x slower than ours;
  leaving entropy and the most likely token out: 1.05 x the head, 1.01 x the step.
- large tensors by mmap (M_MMAP_THRESHOLD of 1 MiB): 0.72 x the memory, 1.4 x the time. The environment variable
  GLIBC_TUNABLES=glibc.malloc.tcache_count=0: 0.85 x the memory at no cost, but only where a process starts with it.
"""

import argparse
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import dpo_steps
from benchmarks.dpo_runs import run_ours, run_trl
from benchmarks.dpo_steps import OURS, TRL, TRL_PRE, Setting, Steps
from benchmarks.forked import measured
from benchmarks.preferences import MIDDLE, SMALL, Shape
from benchmarks.timing import last_line, table
from persuasion.running import run

Runs = dict[str, list[dict[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Pairs per step and per run, rounds of each, the threads, and by what to divide all lengths.

    The first round of steps warms up and is dropped. No round begins after ``within`` seconds.
    """

    batch: int
    rounds: int
    run_pairs: int
    run_rounds: int
    threads: tuple[int, ...]
    shrink: int
    within: float


FULL = Plan(batch=4, rounds=7, run_pairs=16, run_rounds=5, threads=(1, 2), shrink=1, within=math.inf)
QUICK = Plan(batch=2, rounds=2, run_pairs=2, run_rounds=1, threads=(1,), shrink=4, within=6)


def main() -> None:
    """Measure, print the tables and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short texts and few rounds: within 50 s")
    measure(QUICK if parser.parse_args().quick else FULL)


def measure(plan: Plan) -> None:
    """Run a plan and print what came of it."""
    print(
        f"{os.cpu_count()} cores, batches of {plan.batch} pairs{'; quick: short texts, few rounds' * (plan == QUICK)}"
    )
    ratios: dict[str, float | None] = {}
    for shape in (SMALL, MIDDLE):
        for threads in plan.threads:
            lengths = {"batch": plan.batch, "shrink": plan.shrink}
            asked = Setting(shape=shape, threads=threads, rounds=plan.rounds, within=plan.within, **lengths)
            steps = Steps(**measured(dpo_steps.steps, asked))
            print(f"\n{shape.name} parameters, {threads} thread(s), {steps.rounds} rounds\n")
            print(_step_table(steps, plan, shape))
            if threads == 1:
                ratios |= _step_ratios(steps, shape)
    runs = _runs(plan)
    print(f"\nwhole runs of {plan.run_pairs} pairs and 2 epochs, one thread, {plan.run_rounds} rounds\n")
    print(_run_table(runs))
    ratios |= _run_ratios(runs)
    print(last_line("train", ratios, plan.rounds - 1))


def _runs(plan: Plan) -> Runs:
    """Whole runs in turn, each in a process of its own."""
    found: Runs = {name: [] for name in (TRL, TRL_PRE, OURS, "ours, reference cached")}
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as folder:
        for _ in range(plan.run_rounds):
            data = (plan.run_pairs, plan.batch, plan.shrink)
            found[TRL].append(measured(run_trl, *data, folder, False))
            found[TRL_PRE].append(measured(run_trl, *data, folder, True))
            found[OURS].append(measured(run_ours, *data, False))
            found["ours, reference cached"].append(measured(run_ours, *data, True))
    return found


def _step_table(steps: Steps, plan: Plan, shape: Shape) -> str:
    head = ("", "median s", "min", "max", "CPU s", "pairs/s", "x ours", "GFLOP/s", "of peak")
    own = median(steps.wall[OURS])
    rows = []
    for name, wall in steps.wall.items():
        rate = median(need / 1e9 / seconds for need, seconds in zip(steps.flops, wall, strict=True))
        seconds = (median(wall), min(wall), max(wall), median(steps.cpu[name]))
        measures = (f"{plan.batch / seconds[0]:.2f}", f"{seconds[0] / own:.2f}", f"{rate:.1f}")
        rows.append((name, *(f"{each:.2f}" for each in seconds), *measures, f"{rate / steps.peak:.2f}"))
    scores = [
        (f"score: {name}", *(f"{each:.2f}" for each in (median(wall), min(wall), max(wall))), "", "", "", "", "")
        for name, wall in steps.scoring.items()
    ]
    note = f"GEMM peak {steps.peak:.1f} GFLOP/s; needed per step {median(steps.flops) / 1e9:.0f} GFLOP ({shape.name})"
    return table(head, [*rows, *scores]) + f"\n{note}; largest difference of a loss {steps.difference:.1e}"


def _step_ratios(steps: Steps, shape: Shape) -> dict[str, float | None]:
    def ratio(theirs: str, ours: str) -> float:
        return median(a / b for a, b in zip(steps.wall[theirs], steps.wall[ours], strict=True))

    if shape is MIDDLE:
        return {"step32m_vs_trl": ratio(TRL, OURS)}
    strong = [ratio(TRL_PRE, dpo_steps.OURS_AS_IT_COMES), ratio(dpo_steps.TRL_PRE_KEPT, OURS)]
    scoring = [a / b for a, b in zip(steps.scoring[TRL], steps.scoring[OURS], strict=True)]
    own = median(need / 1e9 / wall for need, wall in zip(steps.flops, steps.wall[OURS], strict=True))
    return {
        "step_vs_trl": ratio(TRL, OURS),
        "step_vs_trl_precompute": min(strong),
        "scoring_vs_trl": median(scoring),
        "of_gemm_peak": own / steps.peak,
    }


def _run_table(runs: Runs) -> str:
    head = ("", "median s", "min", "max", "x ours", "peak MiB above imports")
    own = median(each["seconds"] for each in runs[OURS])
    rows = []
    for name, found in runs.items():
        seconds = [each["seconds"] for each in found]
        memory = median(each["mib"] for each in found)
        shown = (median(seconds), min(seconds), max(seconds), median(seconds) / own)
        rows.append((name, *(f"{each:.2f}" for each in shown), f"{memory:.0f}"))
    return table(head, rows)


def _run_ratios(runs: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, float | None]:
    def middle(name: str, what: str) -> float:
        return median(each[what] for each in runs[name])

    return {
        "run_vs_trl": middle(TRL, "seconds") / middle(OURS, "seconds"),
        "run_cached_vs_trl": middle(TRL, "seconds") / middle("ours, reference cached", "seconds"),
        "memory_vs_trl": middle(TRL, "mib") / middle(OURS, "mib"),
    }


if __name__ == "__main__":
    run(main)
