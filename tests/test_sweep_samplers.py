"""Every sampler and pruner that sweep.yaml may name, on a study that is kept, and as a real search."""

import itertools
import json
from dataclasses import replace
from typing import get_args, get_type_hints

import pytest

from persuasion.errors import UsageFailure
from persuasion.lab.sweep import curves, fitting, proposing, spec, storage
from persuasion.lab.sweep.ledger import Ledger
from persuasion.lab.sweep.spec import Sweep
from persuasion.yaml12 import load_yaml
from tests import sweeping
from tests.closures import ROOT
from tests.sweeping import do, status, steps, sweep, untouched

SAMPLERS = get_args(get_type_hints(Sweep)["sampler"])
OBJECTIVES = [
    {"metric": "metrics/train.json:train.validation.nll_calibrated", "direction": "minimize"},
    {"metric": "metrics/train.json:train.validation.reward_accuracy", "direction": "maximize"},
]


def search(folder, **settings):
    """sweep.yaml with these settings, as a study with a journal of its own."""
    (folder / "sweep.yaml").write_text(json.dumps(load_yaml(ROOT / "sweep.yaml") | settings))
    asked = spec.load(folder / "sweep.yaml")
    study = storage.opened(asked, folder)
    study.pruner = proposing.pruner(asked)
    return Ledger(study=study, spec=asked, baseline="0" * 40, root=folder)


@pytest.mark.parametrize(
    "sampler", [pytest.param(name, marks=[pytest.mark.slow] * (name == "gp")) for name in SAMPLERS]
)
def test_every_sampler_asks_on_from_what_it_was_told(tmp_path, sampler):
    ledger = search(tmp_path, sampler=sampler, startup=3)
    for number in range(6):
        with storage.quiet():
            trial = ledger.ask("me")
        assert trial.number == number and set(trial.params) == set(ledger.spec.space)
        ledger.study.tell(number, abs(trial.params["train.learning_rate"] - 1e-5) + trial.params["dpo.beta"])
    assert len({tuple(trial.params.values()) for trial in ledger.trials()}) > 3  # nsgaii may cross two to one of them


def test_a_grid_gives_every_combination_once_and_then_ends(tmp_path):
    ledger = search(tmp_path, sampler="grid", trials=100)
    ledger = replace(
        ledger, spec=replace(ledger.spec, space={n: ledger.spec.space[n] for n in ("dpo.beta", "train.schedule")})
    )
    seen = []
    with storage.quiet():
        while trial := ledger.ask("me"):
            seen.append(tuple(trial.params.values()))
            if trial.number % 2:
                ledger.study.tell(trial.number, 1.0)
    assert sorted(seen) == sorted(itertools.product([0.1, 0.15, 0.2, 0.25], ["cosine", "linear"]))


def test_a_sampler_that_knows_one_objective_is_refused_for_two(tmp_path):
    asked = search(tmp_path, sampler="cmaes").spec
    fitting.check(asked, ROOT)
    with pytest.raises(UsageFailure, match="CMA-ES knows one objective"):
        fitting.check(replace(asked, objectives=asked.objectives * 2), ROOT)


@pytest.mark.parametrize("pruner", ["median", "hyperband"])
def test_a_pruner_stops_trials_that_are_worse_and_never_the_best(tmp_path, pruner):
    pruning = load_yaml(ROOT / "sweep.yaml")["pruning"] | {"pruner": pruner}
    ledger = search(tmp_path, pruning=pruning, sampler="random")
    file = tmp_path / "copy" / pruning["curve"].partition(":")[0]
    file.parent.mkdir(parents=True)
    stopped = []
    while trial := ledger.ask("me"):  # each is worse than the one before
        for epoch in range(1, 6):
            values = "".join(f"{step}\t{trial.number / 10 + 1 / step}\n" for step in range(1, epoch + 1))
            file.write_text("epoch\tnll_calibrated\n" + values)
            why = curves.watch(ledger, ledger.frozen(trial.number), [tmp_path / "copy"])
            if why:
                assert pruner in why
                ledger.prune(trial, why)
                stopped.append(trial.number)
                break
        else:
            ledger.study.tell(trial.number, trial.number / 10)
    assert stopped and not {0, 1} & set(stopped) and ledger.study.best_trial.number == 0


def test_pruning_with_several_objectives_is_refused_by_name(tmp_path):
    with pytest.raises(UsageFailure, match=r"pruning\.pruner is median, and there are 2 objectives"):
        search(tmp_path, objectives=OBJECTIVES)


@pytest.mark.slow
def test_a_search_with_two_objectives_has_a_front_and_says_what_applying_needs(tmp_path):
    space = {"dpo.beta": {"type": "categorical", "choices": [0.1, 0.25]}}
    settings = {"objectives": OBJECTIVES, "space": space, "sampler": "grid", "trials": 9, "parallel": 2}
    project = sweeping.project(tmp_path / "project", **settings)
    sweep(project, "run")
    assert len(steps(project, "train-done")) == 3  # the base's, and a grid of two
    told = status(project)
    assert told["best"] == [0, 1] and told["states"] == {"complete": 2} and told["wanted"] == 2
    front = json.loads(sweep(project, "best", "--json").stdout)
    assert sorted((one["params"]["dpo.beta"], one["values"][1]) for one in front) == [(0.1, 0.55), (0.25, 0.625)]
    refused = sweep(project, "best", "--apply", ok=False)
    assert refused.returncode == 2 and "--apply --trial 0" in refused.stderr
    untouched(project)
    names = sweep(project, "report").stdout.split()
    study = json.loads((project / "metrics/study.json").read_text(), parse_constant=pytest.fail)
    assert [one["values"] for one in study["trials"]] == [one["values"] for one in told["trials"]]
    assert len(study["objectives"]) == 2 and any("index.html" in name for name in names)
    sweep(project, "best", "--apply", "--trial", "1")
    assert load_yaml(project / "params.yaml")["dpo"]["beta"] == told["trials"][1]["params"]["dpo.beta"]
    assert sweep(project, "best", "--trial", "7", ok=False).returncode == 2


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_runs_a_search(tmp_path, sampler):
    project = sweeping.project(tmp_path / "project", sampler=sampler, startup=2, trials=4, parallel=2)
    sweep(project, "run")
    told = status(project)
    assert told["states"] == {"complete": 4}
    assert len({tuple(trial["params"].values()) for trial in told["trials"]}) == 4
    untouched(project)
    do(project, "git", "diff", "--exit-code")
