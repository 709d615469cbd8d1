"""What a sweep would do: checked in full, with nothing asked, made or run."""

from pathlib import Path
from typing import Any

from persuasion.lab.refusing import clean
from persuasion.lab.sweep import fitting, grids, proposing, storage
from persuasion.lab.sweep.search import read
from persuasion.lab.sweep.spec import Spec


def plan(root: Path, **changes: Any) -> dict[str, Any]:
    """The search, the commit it starts from, and the first trials that a fresh study would ask for."""
    spec = read(root, **changes)
    fitting.check(spec, root)
    settings = spec.settings
    first = _first(spec, min(grids.wanted(spec), settings.parallel))
    return {
        "study": settings.study,
        "baseline": fitting.committed(root),
        "storage": clean(storage.url(spec) or storage.place(root, settings.study) / "journal.log"),
        "trials": grids.wanted(spec),
        "parallel": settings.parallel,
        **spec.identity,
        "commands": _commands(spec, first),
    }


def text(plan: dict[str, Any]) -> str:
    """The plan in lines."""
    goals = ", ".join(f"{one['direction']} {one['metric']}" for one in plan["objectives"])
    lines = [
        f"Study     {plan['study']}: {plan['trials']} trials, {plan['parallel']} at once, from {plan['baseline'][:7]}",
        f"Objective {goals}",
        f"Storage   {plan['storage']}",
        *(f"Space     {path}: {_range(axis)}" for path, axis in plan["space"].items()),
        "Would run, in a fresh study:",
        *(" ".join(command) for command in plan["commands"]),
    ]
    return "\n".join(lines)


def _first(spec: Spec, count: int) -> list[dict[str, Any]]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(directions=[one.direction for one in spec.objectives])
    found = []
    with storage.quiet():
        for _ in range(count):
            found.append(dict(proposing.asked(study, spec).params))
    return found


def _commands(spec: Spec, first: list[dict[str, Any]]) -> list[list[str]]:
    settings = spec.settings
    queued = settings.runner == "queue"
    how = "--queue" if queued else "--temp"
    names = [f"{settings.study}-{number}" for number in range(len(first))]
    experiments = [
        ["dvc", *proposing.experiment(name, params, settings.stages, how=how)]
        for name, params in zip(names, first, strict=True)
    ]
    return experiments + [["dvc", "queue", "start", "-j", str(settings.parallel)]] * queued


def _range(axis: dict[str, Any]) -> str:
    if axis["choices"]:
        return f"one of {', '.join(map(str, axis['choices']))}"
    scale = " on a log scale" if axis["log"] else f" in steps of {axis['step']:g}" if axis["step"] else ""
    return f"{axis['low']:g} to {axis['high']:g}{scale}"
