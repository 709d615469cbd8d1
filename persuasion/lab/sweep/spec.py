"""sweep.yaml as frozen dataclasses: what a search may vary, what it is for, and how long it may take.

Knows the file alone; whether the project fits it is ``fitting``'s question.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from persuasion.errors import UsageFailure
from persuasion.typed import refuse, section
from persuasion.yaml12 import load_yaml

FILE = "sweep.yaml"
Value = float | int | str | bool | None
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*(-[A-Za-z0-9_.]+)*")
_INCOMPARABLE = ("loss", "margin", "reward_margin", "rewards")
_DEFAULTS = {"low": None, "high": None, "log": False, "step": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One parameter's range, or its choices."""

    type: Literal["float", "int", "categorical"]
    low: float | None
    high: float | None
    log: bool
    step: float | None
    choices: tuple[Value, ...]

    def __post_init__(self) -> None:
        if self.type == "categorical":
            refuse("low", "nothing: a categorical parameter has choices", unless=self.low is None and self.high is None)
            refuse("log", "nothing: choices have no scale", unless=not self.log and self.step is None)
            return
        for name in ("low", "high"):
            value = getattr(self, name)
            whole = self.type == "float" or value is None or float(value).is_integer()
            refuse(name, "a whole number" if self.type == "int" else "a number", unless=value is not None and whole)
        low, high = self.low or 0.0, self.high or 0.0
        refuse("high", "above low: the range is empty", unless=high > low)
        refuse("low", "above 0 on a log scale", unless=not self.log or low > 0)
        refuse("step", "nothing on a log scale", unless=not self.log or self.step is None)
        fits = self.step is None or 0 < self.step <= high - low
        refuse("step", "above 0 and at most high - low", unless=fits)
        whole = self.type == "float" or self.step is None or float(self.step).is_integer()
        refuse("step", "a whole number", unless=whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A figure, as file and dotted name, and what is better."""

    metric: str
    direction: Literal["minimize", "maximize"]

    @property
    def file(self) -> str:
        """The metric file."""
        return self.metric.partition(":")[0]

    @property
    def name(self) -> str:
        """The dotted name in it."""
        return self.metric.partition(":")[2]

    def __post_init__(self) -> None:
        refuse("metric", "file.json:dotted.name", unless=bool(self.file.endswith(".json") and self.name))
        comparable = not set(self.name.split(".")) & set(_INCOMPARABLE)
        refuse("metric", "a figure that means the same at every beta, such as nll_calibrated", unless=comparable)
        refuse("metric", "a figure on validation pairs", unless="test" not in re.split(r"[._]", self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """When a trial is stopped before its end."""

    pruner: Literal["none", "median", "hyperband"]
    curve: str
    startup: int
    warmup: int

    def __post_init__(self) -> None:
        refuse("curve", "file.tsv:step column:column", unless=all(self.curve.split(":")) and self.curve.count(":") == 2)
        refuse("startup", "at least 0", unless=self.startup >= 0)
        refuse("warmup", "at least 0", unless=self.warmup >= 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The whole of sweep.yaml; ``space`` and ``objectives`` are put in by ``load``."""

    study: str
    stages: tuple[str, ...]
    sampler: Literal["tpe", "random", "grid", "qmc", "gp", "cmaes", "nsgaii"]
    startup: int
    seed: int
    pruning: Pruning
    trials: int
    parallel: int
    runner: Literal["temp", "queue"]
    retries: int
    timeout: float | None
    trial_timeout: float | None
    share: bool
    mlflow: bool
    storage: str | None

    def __post_init__(self) -> None:
        named = bool(_NAME.fullmatch(self.study)) and not self.study.endswith((".lock", "."))
        refuse("study", "letters, digits, dots and single hyphens: it names experiments", unless=named)
        refuse("stages", "a list with at least one stage", unless=bool(self.stages))
        for name in ("trials", "parallel"):
            refuse(name, "at least 1", unless=getattr(self, name) >= 1)
        for name in ("startup", "retries", "seed"):
            refuse(name, "at least 0", unless=getattr(self, name) >= 0)
        for name in ("timeout", "trial_timeout"):
            refuse(name, "null or above 0", unless=getattr(self, name) is None or getattr(self, name) > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A search: its settings, its objectives, and the range of each parameter by dotted path."""

    settings: Sweep
    objectives: tuple[Objective, ...]
    space: Mapping[str, Axis]

    @property
    def identity(self) -> dict[str, Any]:
        """What may not change within a study: with another the trials' figures would not compare."""
        axes = {path: asdict(axis) | {"choices": list(axis.choices)} for path, axis in self.space.items()}
        objectives = [asdict(objective) for objective in self.objectives]
        return {"space": axes, "objectives": objectives, "stages": list(self.settings.stages)}


def load(path: Path, **changes: Any) -> Spec:
    """Read sweep.yaml, with settings from the command line. Raises UsageFailure (exit 2) for whatever is wrong."""
    if not path.is_file():
        raise UsageFailure(f"{path} is missing", fix="write one: docs/how-to/sweep.md")
    tree = load_yaml(path)
    if not isinstance(tree, dict):
        raise UsageFailure("sweep.yaml holds no settings", where=path, fix="write them: docs/how-to/sweep.md")
    space, objectives = tree.pop("space", None), tree.pop("objectives", None)
    settings = section(Sweep, tree | {name: value for name, value in changes.items() if value is not None}, "", path)
    if settings.pruning.pruner != "none" and isinstance(objectives, list) and len(objectives) > 1:
        what = f"pruning.pruner is {settings.pruning.pruner}, and there are {len(objectives)} objectives"
        raise UsageFailure(what, where=path, why="a curve judges by one objective only", fix="pruning: {pruner: none}")
    return Spec(settings=settings, objectives=_objectives(objectives, path), space=_space(space, path))


def _objectives(listed: Any, path: Path) -> tuple[Objective, ...]:
    if not isinstance(listed, list) or not listed:
        raise UsageFailure("objectives is no list of figures", where=path, fix="- {metric: …, direction: minimize}")
    return tuple(section(Objective, each, f"objectives.{n}", path) for n, each in enumerate(listed))


def _space(space: Any, path: Path) -> dict[str, Axis]:
    if not isinstance(space, dict) or not space:
        raise UsageFailure("space names no parameter", where=path, fix="name at least one: dotted.path: {type: …}")
    return {str(name): _axis(tree, f"space.{name}", path) for name, tree in space.items()}


def _axis(tree: Any, dotted: str, path: Path) -> Axis:
    if not isinstance(tree, dict):
        raise UsageFailure(f"{dotted} is {tree!r}", where=path, fix="{type: float, low: 0.1, high: 0.5}")
    given = dict(tree)
    choices = given.pop("choices", [])
    axis: Axis = section(Axis, _DEFAULTS | given | {"choices": []}, dotted, path)  # of several types: judged below
    categorical = axis.type == "categorical"
    distinct = isinstance(choices, list) and len({(type(one), str(one)) for one in choices}) == len(choices)
    plain = isinstance(choices, list) and all(isinstance(one, float | int | str | None) for one in choices)
    if categorical and not (distinct and plain and choices):
        raise UsageFailure(f"{dotted}.choices is {choices!r}", where=path, why="expected different plain values")
    if not categorical and choices:
        raise UsageFailure(f"{dotted} has choices", where=path, why=f"its type is {axis.type}", fix="type: categorical")
    return replace(axis, choices=tuple(choices))
