"""The best trial, and its parameters in the workspace."""

from collections.abc import Sequence
from typing import Any

from persuasion.errors import DataFailure, UsageFailure
from persuasion.lab.editing import put
from persuasion.lab.sweep import ledger as ledgers
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.spec import FILE


def best(ledger: Ledger) -> Sequence[Any]:
    """The best trials. Raises DataFailure when none is complete."""
    found = ledgers.best(ledger.study)
    if not found:
        raise DataFailure("no trial of the study is complete", fix="persuasion sweep run")
    return found


def chosen(ledger: Ledger, number: int | None) -> Sequence[Any]:
    """The trial that is asked for by number, else the best. Raises UsageFailure for one that is not complete."""
    if number is None:
        return best(ledger)
    trial = ledger.frozen(number)
    if trial.state.name != "COMPLETE":
        raise UsageFailure(f"trial {number} is {trial.state.name.lower()}", fix="persuasion sweep status")
    return [trial]


def apply(ledger: Ledger, found: Sequence[Any]) -> None:
    """Write the one best trial's parameters into params.yaml, where comments stay."""
    if len(found) > 1:
        numbers = ", ".join(str(trial.number) for trial in found)
        why = f"none of the trials {numbers} is better than another in every objective"
        fix = f"choose one: persuasion sweep best --apply --trial {found[0].number}"
        raise UsageFailure("there is no one best trial", why=why, fix=fix)
    put(ledger.root, found[0].params, ledger.root / FILE)


def text(ledger: Ledger, told: list[dict[str, Any]], *, applied: bool) -> str:
    """The best in lines, and what to do with it."""
    lines = []
    for one in told:
        lines.append(f"{one['experiment']}  {', '.join(f'{value:.4g}' for value in one['values'])}")
        lines += [f"  {path}: {value}" for path, value in one["params"].items()]
    if applied:
        lines.append("Put into params.yaml; `dvc repro` takes what the trial made from the cache")
    elif len(told) > 1:
        lines.append("None is better than another in every objective; `persuasion sweep best --apply --trial N`")
    else:
        lines.append(f"`persuasion sweep best --apply`, or all of it: `dvc exp apply {told[0]['experiment']}`")
    return "\n".join(lines)
