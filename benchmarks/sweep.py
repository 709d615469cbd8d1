"""How fast is a search, against the original research code's way, and against `dvc exp` without a shared reference?

``python -m benchmarks.sweep [--quick] [--trials N]``. The default space on the embedded sample, the same trials for
all three, drawn by chance and never stopped early, two at a time where a way can do that:

- original: one process, each trial from the model's files to its score by TRL's trainer (peers/original_study.py).
- unshared: `dvc exp run --temp`, two at once, in a project whose `train` makes the reference too.
- ours: `persuasion sweep run`.

Nothing is tracked on any side.
Overhead is that of a trial, from being asked for to being told, above the same training as a bare
`python -m stages.train`, one at a time. ``--pruning`` races our own pruners against none instead.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks import studies
from benchmarks.timing import Contender, Timed, interleaved, last_json, last_line, table
from persuasion.errors import IntegrityFailure
from persuasion.running import run
from tests.project import SMALL

OURS = (sys.executable, "-m", "persuasion.lab.cli", "sweep", "run", "--json")
ALLOWED = 3.0  # seconds of overhead that a trial may have


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Trials of each way, at once, and how many are run alone and bare for the overhead; changes to params.yaml."""

    trials: int = 10
    parallel: int = 2
    alone: int = 2
    changes: Mapping[str, Any] = field(default_factory=dict)


QUICK = Plan(trials=1, parallel=1, alone=1, changes=SMALL | {"compute.threads": 1})


def main() -> None:
    """Race, print the tables and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one trial on a small sample")
    parser.add_argument("--trials", type=int, help="trials of each way (default: ten)")
    parser.add_argument("--pruning", action="store_true", help="race the pruners instead")
    given = parser.parse_args()
    plan = QUICK if given.quick else Plan()
    (pruning if given.pruning else measure)(replace(plan, trials=given.trials or plan.trials))


def measure(plan: Plan) -> None:
    """Run the three ways, and the overhead, and print what came of it."""
    with tempfile.TemporaryDirectory(prefix="persuasion-sweep-") as folder:
        project = studies.prepared(Path(folder), plan.changes)
        timed = _race(project, plan)
        alone = _overhead(project, plan, timed["ours"] if plan.parallel == 1 else None)
    print(f"{plan.trials} trials, {plan.parallel} at once where a way can do that\n")
    print(_table(timed, plan.trials), end="\n\n")
    print(table(("one at a time, seconds a trial", "median"), [(name, f"{s:.2f}") for name, s in alone.items()]))
    ours = timed["ours"]
    ratios = {f"vs_{name}": timed[name].median / ours.median for name in ("original", "unshared")}
    ratios |= {f"vs_{name}_cpu": timed[name].cpu[0] / ours.cpu[0] for name in ("original", "unshared")}
    print(last_line("sweep", ratios | {"overhead_of_3_s": ALLOWED / alone["overhead_seconds"]}, 1))


def pruning(plan: Plan) -> None:
    """Run the same trials without a pruner and with each, and print how many were stopped and what that saved."""
    with tempfile.TemporaryDirectory(prefix="persuasion-sweep-") as folder:
        project = studies.prepared(Path(folder), plan.changes)
        racers = [_ours(project, name, plan, name) for name in ("none", "median", "hyperband")]
        timed = interleaved(racers, 1)
    plain, rows = timed["none"], []
    ratios: dict[str, float | None] = {}
    for name, one in timed.items():
        told: Any = one.found
        states, best = told["states"], told["trials"][told["best"][0]]
        stopped = [f"{each['number']} after {max(map(int, each['curve']))} of {each['params']['train.epochs']}"
                   for each in told["trials"] if each["state"] == "pruned"]  # fmt: skip
        seconds = (f"{one.median:.1f}", f"{one.cpu[0]:.1f}", f"{plain.median / one.median:.2f}")
        rows.append((name, *seconds, str(states.get("pruned", 0)), f"{best['number']}: {best['values'][0]:.4f}"))
        print(f"{name}: {told['states']}; stopped (epoch): {', '.join(stopped) or 'none'}")
        ratios |= {f"{name}_vs_none": plain.median / one.median} if name != "none" else {}
    print(table(("pruner", "wall s", "CPU s", "none / it", "stopped", "best trial"), rows))
    print(last_line("sweep_pruning", ratios, 1))


def _race(project: Path, plan: Plan) -> dict[str, Timed]:
    ours = _ours(project, "ours", plan, "none")
    plain = studies.unshared(project, "unshared")
    original = studies.searched(project, "original", {})
    asked = studies.asked(ours.folder, plan.trials)
    file = project.parent / "asked.json"
    file.write_text(json.dumps(asked), encoding="utf-8")
    peer = (sys.executable, "-m", "benchmarks.peers.plain_experiments", ".", str(file), str(plan.parallel))
    study = (sys.executable, "-m", "benchmarks.peers.original_study", ".", str(file))
    timed = interleaved(
        [
            ours,
            studies.contender("unshared", plain, *peer),
            studies.contender("original", original, *study, found=last_json),
        ],
        1,
    )
    told: Any = timed["ours"].found
    if [trial["params"] for trial in told["trials"]] != asked["trials"]:
        raise IntegrityFailure("our trials are not those that were asked for, so this is no race")
    own = studies.figures(ours.folder, [trial["experiment"] for trial in told["trials"]])
    if own != studies.figures(plain, [f"plain-{number}" for number in range(plan.trials)]):
        raise IntegrityFailure("without the shared reference the figures are others, so this is no race")
    found: Any = timed["original"].found
    studies.require_same_work(found["trials"], own, studies.completion_tokens(project))
    return timed


def _ours(project: Path, name: str, plan: Plan, pruner: str) -> Contender:
    """A copy that chance alone asks in, so that all ways have the same trials."""
    pruning = studies.load_yaml(project / "sweep.yaml")["pruning"] | {"pruner": pruner}
    settings = {"sampler": "random", "trials": plan.trials, "parallel": plan.parallel, "pruning": pruning}
    settings |= {"mlflow": False}  # nobody tracks anything here
    return studies.contender(name, studies.searched(project, name, settings), *OURS, found=json.loads)


def _overhead(project: Path, plan: Plan, ours: Timed | None) -> dict[str, float]:
    """Seconds of a trial alone, of the same training bare, of its imports, and of what the sweep adds.

    ``ours`` is a sweep of just these trials, one at a time, if there was one.
    """
    alone = _ours(project, "alone", replace(plan, trials=plan.alone, parallel=1), "none")
    trials = studies.asked(alone.folder, plan.alone)["trials"]
    train, imports = (sys.executable, "-m", "stages.train"), (sys.executable, "-c", "import stages.train")
    copies = [studies.bare(project, f"bare-{number}", params) for number, params in enumerate(trials)]
    bare = [studies.contender(copy.name, copy, *train) for copy in copies]
    timed = interleaved([*([] if ours else [alone]), *bare, studies.contender("imports", project, *imports)], 1)
    sweep = ours or timed["alone"]
    told: Any = sweep.found
    whole = sum(trial["seconds"] for trial in told["trials"]) / plan.alone
    pure = sum(timed[one.name].median for one in bare) / plan.alone
    return {
        "a trial, from asked to told": whole,
        "the same as a bare stage": pure,
        "overhead_seconds": whole - pure,
        "of a bare stage, imports": timed["imports"].median,
        "once a sweep, before and after its trials": sweep.median - whole * plan.alone,
    }


def _table(timed: Mapping[str, Timed], trials: int) -> str:
    ours = timed["ours"]
    rows = [
        (
            name, f"{one.median:.1f}", f"{one.median / trials:.1f}", f"{one.cpu[0]:.1f}",
            f"{one.median / ours.median:.2f}", f"{one.cpu[0] / ours.cpu[0]:.2f}",
        )
        for name, one in timed.items()
    ]  # fmt: skip
    return table(("", "wall s", "a trial", "CPU s", "wall x ours", "CPU x ours"), rows)


if __name__ == "__main__":
    run(main)
