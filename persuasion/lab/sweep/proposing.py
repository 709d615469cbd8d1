"""What to try next: Optuna's samplers and pruners as sweep.yaml asks for them."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from persuasion.lab.sweep import grids
from persuasion.lab.sweep.spec import Axis, Spec


def asked(study: Any, spec: Spec, owned: Callable[[Any], None] = lambda _: None) -> Any:
    """A new trial with its parameters; ``owned`` is called with it before it has any.

    The trial is made first and the sampler for it then, for its number, which no other process has, is the seed.
    """
    from optuna.samplers import RandomSampler
    from optuna.trial import Trial

    grid = spec.settings.sampler == "grid"
    study.sampler = RandomSampler()  # of which nothing is asked
    made = study.ask()
    owned(made)
    study.sampler = grids.sampler(study, spec, made.number) if grid else sampler(spec, made.number)
    trial = Trial(study, made._trial_id)
    for path, axis in spec.space.items():
        _suggest(trial, path, axis)
    return trial


def _suggest(trial: Any, path: str, axis: Axis) -> None:
    low, high = axis.low or 0.0, axis.high or 0.0
    if axis.type == "categorical":
        trial.suggest_categorical(path, axis.choices)
    elif axis.type == "int":
        trial.suggest_int(path, int(low), int(high), log=axis.log, step=int(axis.step or 1))
    else:
        trial.suggest_float(path, low, high, log=axis.log, step=axis.step)


def sampler(spec: Spec, number: int) -> Any:
    """The sampler for one trial, but for a grid's.

    Anew for each, and seeded by its number: a sweep that starts again, or two at once, would otherwise ask for
    what was asked for before.
    """
    from optuna import samplers

    settings = spec.settings
    seed = settings.seed + number
    match settings.sampler:
        case "tpe":
            # constant_liar: trials that run beside each other should not all try the same
            return samplers.TPESampler(
                seed=seed, n_startup_trials=settings.startup, multivariate=True, constant_liar=True
            )
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "qmc":
            return samplers.QMCSampler(seed=settings.seed, scramble=True)
        case "gp":
            return samplers.GPSampler(seed=seed, n_startup_trials=settings.startup)
        case "cmaes":
            return samplers.CmaEsSampler(seed=seed, n_startup_trials=settings.startup)
        case _:
            return samplers.NSGAIISampler(seed=seed, population_size=max(2, settings.startup))


def pruner(spec: Spec) -> Any:
    """The pruner, or one that never prunes."""
    from optuna import pruners

    settings = spec.settings.pruning
    match settings.pruner:
        case "median":
            return pruners.MedianPruner(n_startup_trials=settings.startup, n_warmup_steps=settings.warmup)
        case "hyperband":
            return pruners.HyperbandPruner(min_resource=max(1, settings.warmup))
        case _:
            return pruners.NopPruner()


def experiment(
    name: str, params: Mapping[str, Any], stages: Sequence[str], *options: str, how: str = "--temp"
) -> list[str]:
    """What ``dvc`` is told to run a trial as the experiment ``name``, or, with ``--queue``, to put it there."""
    settings = [part for one in overrides(params) for part in ("-S", one)]
    return ["exp", "run", how, "--name", name, *options, *settings, *stages]


def overrides(params: Mapping[str, Any]) -> list[str]:
    """``path=value`` as ``dvc exp run -S`` reads it: YAML, so that a text stays a text and 1e-05 a number."""
    return [f"{path}={_said(value)}" for path, value in params.items()]


def _said(value: Any) -> str:
    return value if isinstance(value, str) and _plain(value) else json.dumps(value)


def _plain(text: str) -> bool:
    return text.replace("_", "").replace("-", "").isalpha() and text.lower() not in ("true", "false", "null", "none")
