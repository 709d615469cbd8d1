"""`persuasion sweep …`. Imports what it needs when it runs."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from persuasion.running import INTERRUPTED

sweep = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
JSON = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
STUDY = Annotated[str | None, typer.Option(metavar="NAME", help="Default: sweep.yaml's.")]
STORAGE = Annotated[str | None, typer.Option(metavar="URL", help="Default: sweep.yaml's, or a journal file here.")]
RUNNER = Annotated[
    str | None, typer.Option(metavar="temp|queue", help="What runs trials: `dvc exp run --temp`, or DVC's queue.")
]
TRIALS = Annotated[int | None, typer.Option(min=1, help="How many in all, those of earlier calls included.")]


def _root() -> Path:
    from persuasion.lab.workspace import top

    return top(Path.cwd())


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@sweep.callback()
def about() -> None:
    """Search parameters: Optuna proposes, `dvc exp` runs. What is varied, and for what, stands in sweep.yaml."""


@sweep.command("run", epilog="Example: persuasion sweep run --trials 20")
def run(
    trials: TRIALS = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="How many at once, here.")] = None,
    runner: RUNNER = None,
    study: STUDY = None,
    storage: STORAGE = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and say what would run.")] = False,
    as_json: JSON = False,
) -> None:
    """Run the search to its end; after a kill or Ctrl-C, take it up again where it was left."""
    from persuasion.lab.sweep import diskroom, search, telling

    changes: dict[str, Any] = {
        "trials": trials, "parallel": parallel, "runner": runner, "study": study, "storage": storage,
    }  # fmt: skip
    if dry_run:
        from persuasion.lab.sweep import planning

        plan = planning.plan(_root(), **changes)
        print(json.dumps(plan, indent=2) if as_json else planning.text(plan))
        return
    try:
        with diskroom.named(_root()):
            ledger = search.run(_root(), _say, **changes)
    except KeyboardInterrupt:
        _say("persuasion: interrupted; run the same command again to continue")
        raise typer.Exit(INTERRUPTED) from None
    print(json.dumps(telling.as_json(ledger), indent=2) if as_json else telling.text(ledger))


@sweep.command("ask", epilog="Example: persuasion sweep ask --json")
def ask(study: STUDY = None, storage: STORAGE = None, trials: TRIALS = None, as_json: JSON = False) -> None:
    """Give out one trial, to be run by hand or by a job: its parameters and the command. Exit 3 when there is none."""
    import shlex

    from persuasion.errors import DataFailure
    from persuasion.lab.sweep import ledger as ledgers
    from persuasion.lab.sweep import search, telling

    ledger = search.begun(_root(), _say, study=study, storage=storage, trials=trials)
    asked = ledger.ask(ledgers.BY_HAND)
    if asked is None:
        raise DataFailure("every trial of the search was asked for", fix="--trials for more")
    told = telling.asked(ledger, asked)
    print(json.dumps(told, indent=2) if as_json else shlex.join(told["command"]))


@sweep.command("tell", epilog="Example: persuasion sweep tell 3")
def tell(
    number: Annotated[int, typer.Argument(min=0, metavar="NUMBER", help="The trial's number.")],
    failed: Annotated[str | None, typer.Option("--failed", metavar="WHY", help="It came to nothing.")] = None,
    study: STUDY = None,
    storage: STORAGE = None,
    as_json: JSON = False,
) -> None:
    """Tell the study what the trial's experiment found: its own figures, or nothing (exit 3) while it has none."""
    from persuasion.errors import DataFailure
    from persuasion.lab.sweep import search, telling

    ledger = search.known(_root(), study=study, storage=storage)
    trial = ledger.frozen(number)
    if failed is not None:
        ledger.fail(trial, failed)
    elif not ledger.tell(trial):
        name = ledger.name(number)
        raise DataFailure(f"there is no experiment {name} of {ledger.baseline[:7]}", fix="run it, or --failed WHY")
    told = telling.trial(ledger, ledger.frozen(number))
    figures = told["values"] or told["why"]
    print(json.dumps(told, indent=2) if as_json else f"{told['experiment']} {told['state']}: {figures}")


@sweep.command("status", epilog="Example: persuasion sweep status --json")
def status(study: STUDY = None, storage: STORAGE = None, as_json: JSON = False) -> None:
    """Say what became of each trial; * marks the best."""
    from persuasion.lab.sweep import search, telling

    ledger = search.known(_root(), study=study, storage=storage)
    print(json.dumps(telling.as_json(ledger), indent=2) if as_json else telling.text(ledger))


@sweep.command("best", epilog="Example: persuasion sweep best --apply")
def best(
    apply: Annotated[bool, typer.Option("--apply", help="Put its parameters into params.yaml.")] = False,
    number: Annotated[int | None, typer.Option("--trial", min=0, metavar="N", help="This one instead.")] = None,
    study: STUDY = None,
    storage: STORAGE = None,
    as_json: JSON = False,
) -> None:
    """Say which trial is best; with several objectives, those that none is better than. Exit 3 when none is done."""
    from persuasion.lab.sweep import choosing, search, telling

    ledger = search.known(_root(), study=study, storage=storage)
    found = choosing.chosen(ledger, number)
    if apply:
        choosing.apply(ledger, found)
    told = [telling.trial(ledger, one) for one in found]
    print(json.dumps(told, indent=2) if as_json else choosing.text(ledger, told, applied=apply))


@sweep.command("report", epilog="Example: persuasion sweep report")
def report(
    original: Annotated[
        bool, typer.Option("--original", help="Write study_results_TIMESTAMP.json of the original research code too.")
    ] = False,
    study: STUDY = None,
    storage: STORAGE = None,
) -> None:
    """Write metrics/study.json, the plots' data beside it, and a page with pictures."""
    from persuasion.lab.sweep import reporting, search

    ledger = search.known(_root(), study=study, storage=storage)
    for path in reporting.write(ledger, original=original):
        print(path)


@sweep.command("prune", epilog="Example: persuasion sweep prune")
def prune(study: STUDY = None, storage: STORAGE = None, as_json: JSON = False) -> None:
    """End what a sweep that died has left here: processes, workshops, trials. A sweep that runs is left alone."""
    from persuasion.lab.sweep import search

    told = search.swept(_root(), _say, study=study, storage=storage)
    print(json.dumps(told, indent=2) if as_json else "\n".join(f"{count} {what}" for what, count in told.items()))
