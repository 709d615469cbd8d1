"""A grid: every combination of the axes' values once, whoever asks, in an order that the seed shuffles.

Optuna's own GridSampler refuses a trial that was enqueued, as each of ours is for its owner's sake, and after the
last combination it asks a loop to stop that is not Optuna's here.
"""

import itertools
import math
import random
from typing import Any

from persuasion.lab.sweep.spec import Axis, Spec


def wanted(spec: Spec) -> int:
    """How many trials the search is for: a grid has no more of them than combinations."""
    settings = spec.settings
    if settings.sampler != "grid":
        return settings.trials
    return min(settings.trials, math.prod(len(one) for one in values(spec).values()))


def values(spec: Spec) -> dict[str, list[Any]]:
    """Every value of every axis; a range without steps gives its ends and three between."""
    return {path: list(axis.choices) if axis.choices else _points(axis) for path, axis in spec.space.items()}


def sampler(study: Any, spec: Spec, number: int) -> Any:
    """A sampler of the next combination that no trial has, for the trial ``number``.

    Trials that are being asked for just now, and came before, are taken to get those before it.
    """
    from optuna.samplers import PartialFixedSampler, RandomSampler

    axes = values(spec)
    every = [dict(zip(axes, one, strict=True)) for one in itertools.product(*axes.values())]
    random.Random(spec.settings.seed).shuffle(every)
    others = [trial for trial in study.get_trials(deepcopy=False) if trial.number != number]
    taken = [trial.params for trial in others]
    left = [one for one in every if one not in taken]
    before = [
        trial
        for trial in others
        if trial.number < number and trial.state.name == "RUNNING" and len(trial.params) < len(axes)
    ]
    mine = left[len(before)] if len(before) < len(left) else every[number % len(every)]
    return PartialFixedSampler(mine, RandomSampler(seed=spec.settings.seed))


def _points(axis: Axis) -> list[float]:
    low, high = axis.low or 0.0, axis.high or 0.0
    step = axis.step or (1 if axis.type == "int" else None)
    if step and not axis.log:
        values = [low + step * number for number in range(int((high - low) / step + 1e-9) + 1)]
    elif axis.log:
        values = [min(high, low * (high / low) ** (part / 4)) for part in range(5)]
    else:
        values = [low + (high - low) * part / 4 for part in range(5)]
    return sorted({round(value) for value in values}) if axis.type == "int" else values
