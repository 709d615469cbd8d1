"""Pictures of a study, as SVG: history, importances, a slice of each parameter, parallel coordinates, beta."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from persuasion.files import replaced

Trials = Sequence[Mapping[str, Any]]
BETA = "dpo.beta"
_BLUE, _RED = "#3b6ea5", "#b5442e"


def draw(folder: Path, told: Mapping[str, Any], done: Trials) -> dict[str, Path]:
    """Draw what there is to draw; return the files by their titles."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, tuple[str, Callable[[Any], None]]] = {
        "Figures by trial, and the best so far": ("history", lambda figure: _history(figure, told, done)),
        "What each parameter explains of the figures' variance": ("importances", lambda figure: _shares(figure, told)),
        "Figures by each parameter": ("slice", lambda figure: _slice(figure, told, done)),
        "Trials across all parameters (dark: better)": ("parallel", lambda figure: _parallel(figure, told, done)),
        f"Figures by {BETA}, each trial and their means": ("beta", lambda figure: _beta(figure, told, done)),
    }
    if BETA not in told["space"]:
        del pictures[f"Figures by {BETA}, each trial and their means"]
    found = {}
    for title, (name, paint) in pictures.items():
        found[title] = folder / f"{name}.svg"
        _save(found[title], paint)
    return found


def _save(path: Path, paint: Callable[[Any], None]) -> None:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "persuasion", "font.size": 9}), replaced(path) as partial:
        figure = Figure(figsize=(8, 4), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure)
        figure.savefig(partial, format="svg", metadata={"Date": None})


def _objective(told: Mapping[str, Any]) -> tuple[str, bool]:
    first = told["objectives"][0]
    return str(first["metric"]).rpartition(":")[2], first["direction"] == "minimize"


def _history(figure: Any, told: Mapping[str, Any], done: Trials) -> None:
    name, small = _objective(told)
    axes = figure.subplots()
    numbers, values = [one["number"] for one in done], [one["values"][0] for one in done]
    best = [(min if small else max)(values[: place + 1]) for place in range(len(values))]
    axes.plot(numbers, values, "o", color=_BLUE, label="trial")
    axes.plot(numbers, best, "-", color=_RED, drawstyle="steps-post", label="best so far")
    axes.set(xlabel="trial", ylabel=name)
    axes.legend()


def _shares(figure: Any, told: Mapping[str, Any]) -> None:
    axes = figure.subplots()
    shares = sorted(told["importances"].items(), key=lambda item: float(item[1]))
    axes.barh([name for name, _ in shares], [share for _, share in shares], color=_BLUE)
    axes.set(xlabel="share of variance" if shares else "undefined: too few trials, or all alike", xlim=(0, 1))


def _slice(figure: Any, told: Mapping[str, Any], done: Trials) -> None:
    name, _ = _objective(told)
    panels = figure.subplots(1, len(told["space"]), sharey=True, squeeze=False)[0]
    for axes, (path, axis) in zip(panels, told["space"].items(), strict=True):
        axes.plot(
            [_shown(axis, one["params"][path]) for one in done], [one["values"][0] for one in done], "o", color=_BLUE
        )
        axes.set(xlabel=path, xscale="log" if axis["log"] else "linear")
    panels[0].set(ylabel=name)


def _parallel(figure: Any, told: Mapping[str, Any], done: Trials) -> None:
    from matplotlib import colormaps

    name, small = _objective(told)
    axes = figure.subplots()
    values = [one["values"][0] for one in done]
    low, high = min(values), max(values)
    for one in sorted(done, key=lambda one: one["values"][0], reverse=small):
        part = (one["values"][0] - low) / (high - low) if high > low else 0.5
        places = [_share(axis, one["params"][path]) for path, axis in told["space"].items()]
        shade = colormaps["Blues"](0.25 + 0.75 * (1 - part if small else part))
        axes.plot(range(len(places) + 1), [*places, part], color=shade)
    axes.set_xticks(range(len(told["space"]) + 1), [*told["space"], name])
    axes.set_yticks([0, 1], ["low", "high"])


def _beta(figure: Any, told: Mapping[str, Any], done: Trials) -> None:
    name, _ = _objective(told)
    axes = figure.subplots()
    betas = [one["params"][BETA] for one in done]
    values = [one["values"][0] for one in done]
    axes.plot(betas, values, "o", color=_BLUE, label="trial")
    known = sorted(set(betas))
    means = [sum(these) / len(these) for beta in known if (these := _at(betas, values, beta))]
    axes.plot(known, means, "-", color=_RED, label="mean")
    axes.set(xlabel="beta", ylabel=name)
    axes.legend()


def _at(betas: Sequence[float], values: Sequence[float], beta: float) -> list[float]:
    return [value for one, value in zip(betas, values, strict=True) if one == beta]


def _shown(axis: Mapping[str, Any], value: Any) -> Any:
    return str(value) if axis["choices"] else value


def _share(axis: Mapping[str, Any], value: Any) -> float:
    """Where a value lies between the ends of its axis, from 0 to 1."""
    import math

    if axis["choices"]:
        return float(axis["choices"].index(value)) / max(1, len(axis["choices"]) - 1)
    low, high, here = axis["low"], axis["high"], float(value)
    if axis["log"]:
        low, high, here = math.log(low), math.log(high), math.log(here)
    return float((here - low) / (high - low))
