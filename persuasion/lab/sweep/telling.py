"""What a study says of itself, as data and as lines."""

from typing import Any

from persuasion.lab.sweep import grids, proposing
from persuasion.lab.sweep import ledger as ledgers
from persuasion.lab.sweep.ledger import Ledger


def as_json(ledger: Ledger) -> dict[str, Any]:
    """The study: its objectives, every trial, the best."""
    trials = [trial(ledger, one) for one in ledger.trials()]
    counts: dict[str, int] = {}
    for one in trials:
        counts[one["state"]] = counts.get(one["state"], 0) + 1
    return {
        "study": ledger.spec.settings.study,
        "baseline": ledger.baseline,
        "objectives": ledger.spec.identity["objectives"],
        "space": ledger.spec.identity["space"],
        "wanted": grids.wanted(ledger.spec),
        "states": counts,
        "best": [one.number for one in ledgers.best(ledger.study)],
        "trials": trials,
    }


def trial(ledger: Ledger, one: Any) -> dict[str, Any]:
    """A trial: state, parameters, figures, and its links."""
    attributes = one.user_attrs
    seconds = one.duration.total_seconds() if one.duration else None
    return {
        "number": one.number,
        "experiment": ledger.name(one.number),
        "state": one.state.name.lower(),
        "params": dict(one.params),
        "values": list(one.values) if one.values else None,
        "curve": {str(step): value for step, value in sorted(one.intermediate_values.items())},
        "rev": attributes.get(ledgers.REV),
        "mlflow": ledger.run(one),
        "why": attributes.get(ledgers.WHY),
        "log": attributes.get(ledgers.LOG),
        "tries": 1 + int(attributes.get(ledgers.TRIES, 0)),
        "owner": attributes.get(ledgers.OWNER) if one.state.name == "RUNNING" else None,
        "seconds": seconds,
    }


def asked(ledger: Ledger, one: Any) -> dict[str, Any]:
    """A trial that was given out by hand: what to run for it."""
    stages = ledger.spec.settings.stages
    command = ["dvc", *proposing.experiment(ledger.name(one.number), one.params, stages)]
    return trial(ledger, one) | {"command": command}


def text(ledger: Ledger) -> str:
    """The study in lines, one for each trial."""
    told = as_json(ledger)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(told["states"].items())) or "no trial yet"
    goals = ", ".join(f"{one['direction']} {one['metric'].rpartition(':')[2]}" for one in told["objectives"])
    best = set(told["best"])
    lines = [f"{told['study']} from {told['baseline'][:7]}: {counts} of {told['wanted']}; {goals}"]
    return "\n".join(lines + [_line(one, best) for one in told["trials"] if one["state"] != "waiting"])


def _line(one: dict[str, Any], best: set[int]) -> str:
    figures = ", ".join(f"{value:.4g}" for value in one["values"]) if one["values"] else one["why"] or ""
    if one["owner"]:
        figures = "left" if ledgers.abandoned(one["owner"]) else f"by {one['owner'].split('/')[0]}"
    params = " ".join(f"{path}={_short(value)}" for path, value in one["params"].items())
    return (
        f"{'*' if one['number'] in best else ' '} {one['experiment']:12} {one['state']:9} {params}  {figures}".rstrip()
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
