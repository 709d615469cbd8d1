"""What a sweep refuses before anything is asked or run, what it believes, and its commands on a small project."""

import json
import shutil
from pathlib import Path

import pytest

from persuasion.errors import IntegrityFailure, UsageFailure
from persuasion.lab.sweep import curves, evidence, fitting, owners, proposing, reporting, spec, storage
from persuasion.lab.sweep.workshop import Workshop
from persuasion.yaml12 import load_yaml
from tests import sweeping
from tests.closures import ROOT
from tests.sweeping import do, steps, sweep, untouched

RATE = "train.learning_rate: {type: float, low: 1.0e-6, high: 1.0e-4, log: true}"
METRIC = "train.validation.nll_calibrated"


def written(folder, old="", new=""):
    text = (ROOT / "sweep.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "sweep.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return folder / "sweep.yaml"


def test_the_default_search_is_the_original_ones_space_and_fits_the_project():
    asked = spec.load(ROOT / "sweep.yaml")
    rate = asked.space["train.learning_rate"]
    assert (rate.type, rate.low, rate.high, rate.log) == ("float", 1e-6, 1e-4, True)
    assert asked.space["dpo.beta"].choices == (0.1, 0.15, 0.2, 0.25)
    assert asked.space["train.schedule"].choices == ("cosine", "linear")
    assert (asked.space["train.epochs"].low, asked.space["train.epochs"].high) == (2, 5)
    assert [one.name for one in asked.objectives] == [METRIC] and asked.settings.trials == 10
    fitting.check(asked, ROOT)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (RATE, "train.learning_rate: {type: float, low: 1.0e-4, high: 1.0e-6}", "range is empty"),
        (RATE, "train.learning_rate: {type: float, low: 0, high: 1.0e-4, log: true}", "above 0 on a log scale"),
        (RATE, "train.learning_rate: {type: float, low: small, high: 1.0e-4}", "space.train.learning_rate.low"),
        (RATE, "train.learning_rate: {type: real, low: 1, high: 2}", "float | int | categorical"),
        (RATE, "train.learning_rate: {type: categorical, choices: []}", "choices"),
        ("low: 2, high: 5", "low: 2.5, high: 5", "whole number"),
        ("study: sample ", "study: a--b ", "study"),
        ("trials: 10", "trials: none", "trials is 'none'"),
        ("parallel: 2", "paralel: 2", 'did you mean "parallel"'),
        ("runner: temp ", "runner: celery ", "temp | queue"),
        (METRIC, "train.loss", "means the same at every beta"),
        (METRIC, "train.validation.reward_margin", "means the same at every beta"),
        (METRIC, "evaluate.test_accuracy", "validation"),
    ],
)
def test_a_sweep_yaml_that_is_wrong_is_exit_2_and_says_where(tmp_path, old, new, said):
    with pytest.raises(UsageFailure) as refused:
        spec.load(written(tmp_path, old, new))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("train.learning_rate:", "train.learningrate:", "is no parameter"),
        ("train.learning_rate:", "train:", "is no parameter"),
        (RATE, "generate.temperature: {type: float, low: 0.1, high: 1}", "would change nothing"),
        ("[cosine, linear]", "[cosine, square]", "train.schedule is 'square'"),
        ("[0.1, 0.15, 0.2, 0.25]", "[0.1, -1]", "above 0"),
        ("epochs: {type: int, low: 2", "epochs: {type: float, low: 2", "whole number"),
        ("stages: [train]", "stages: [trane]", "stages"),
        ("train.json:train.validation.nll_calibrated", "evaluate.json:evaluate.nll_calibrated", "no stage of a trial"),
    ],
)
def test_a_search_that_does_not_fit_the_project_is_refused(tmp_path, old, new, said):
    with pytest.raises(UsageFailure) as refused:
        fitting.check(spec.load(written(tmp_path, old, new)), ROOT)
    assert said in str(refused.value)


@pytest.mark.parametrize("value", ["cosine", "0.1", "true", "a b", "q,k", 1e-05, 3, True, None, 0.30000000000000004])
def test_an_override_is_read_by_dvc_as_what_it_was(tmp_path, value):
    from dvc.utils.hydra import apply_overrides

    (tmp_path / "params.yaml").write_text("a:\n  b: x\n")
    apply_overrides(str(tmp_path / "params.yaml"), proposing.overrides({"a.b": value}))
    assert load_yaml(tmp_path / "params.yaml") == {"a": {"b": value}}


def test_no_two_trials_ask_for_the_same_because_a_sweep_began_anew(tmp_path):
    import optuna

    asked = spec.load(ROOT / "sweep.yaml", sampler="random")
    study = optuna.create_study()
    seen = [tuple(proposing.asked(study, asked).params.values()) for _ in range(8)]
    again = optuna.create_study()
    assert len(set(seen)) == 8 and tuple(proposing.asked(again, asked).params.values()) == seen[0]


def test_every_sampler_proposes_values_of_the_space():
    import optuna

    for name in ("tpe", "random", "grid", "qmc", "nsgaii"):
        asked = spec.load(ROOT / "sweep.yaml", sampler=name)
        study = optuna.create_study()
        with storage.quiet():
            params = proposing.asked(study, asked).params
        assert params["dpo.beta"] in (0.1, 0.15, 0.2, 0.25) and 1e-6 <= params["train.learning_rate"] <= 1e-4
        assert type(params["train.epochs"]) is int


def test_a_curve_is_read_as_far_as_whole_finite_lines_are_written():
    pruning = spec.load(ROOT / "sweep.yaml").settings.pruning
    text = "epoch\tloss\tnll_calibrated\n1\t1\t0.7\n2\t1\t\n3\t1\tnan\n4\t1\t0.6\n5\t1\t0."
    assert list(curves.points(text, pruning)) == [(1, 0.7), (4, 0.6)]


def test_an_owner_is_told_from_another_process_of_its_number():
    assert owners.gone(owners.me()) is False
    host, pid, since = owners.me().split()
    assert owners.gone(f"{host} {pid} {float(since) - 5:.2f}") is True
    assert owners.gone(f"elsewhere/pid {pid} {since}") is None


def test_a_journal_that_a_kill_cut_is_mended_and_one_that_is_corrupt_is_named(tmp_path):
    asked = spec.load(written(tmp_path))
    study = storage.opened(asked, tmp_path)
    study.ask()
    journal = storage.place(tmp_path, "sample") / "journal.log"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code": 4, "wor')
    assert len(storage.opened(asked, tmp_path).trials) == 1 and journal.read_bytes().startswith(whole)
    journal.write_bytes(b"\x00garbage\n" + whole)
    with pytest.raises(IntegrityFailure, match="corrupt"):
        storage.opened(asked, tmp_path)


def test_another_space_needs_another_name(tmp_path):
    storage.opened(spec.load(written(tmp_path)), tmp_path)
    with pytest.raises(UsageFailure, match="another search"):
        storage.opened(spec.load(written(tmp_path, "high: 5", "high: 6")), tmp_path)


def test_threads_of_trials_beside_each_other_sleep_while_they_wait(tmp_path, monkeypatch):
    given = (tmp_path, tmp_path, "0" * 40, "a")
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert "OMP_WAIT_POLICY" not in Workshop(*given).environment
    assert Workshop(*given, crowded=True).environment["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    assert Workshop(*given, crowded=True).environment["OMP_WAIT_POLICY"] == "active"


def test_what_a_trial_says_of_its_end_is_inert_on_the_page():
    trial = {
        "number": 0,
        "experiment": "a-0",
        "state": "fail",
        "params": {},
        "values": None,
        "why": "<script>x</script>",
    }
    told = {"study": "a", "objectives": [{"metric": "f.json:n", "direction": "minimize"}], "space": {"dpo.beta": {}}}
    told |= {"states": {"fail": 1}, "baseline": "0" * 40, "best": [], "trials": [trial]}
    page = reporting._page(told, {})
    assert "<script" not in page and "&lt;script&gt;" in page and "default-src 'none'" in page


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return sweeping.project(tmp_path_factory.mktemp("sweep") / "project", trials=3, parallel=2)


@pytest.fixture(scope="module")
def swept(project):
    """A search that has run to its end."""
    done = sweep(project, "run", "--json")
    return project, json.loads(done.stdout)


@pytest.mark.slow
def test_a_dry_run_says_what_would_run_and_makes_nothing(project):
    said = sweep(project, "run", "--dry-run", "--study", "dry").stdout
    assert "dvc exp run --temp --name dry-0 -S train.learning_rate=" in said and said.count("dvc exp run") == 2
    assert not (project / ".persuasion/sweep/dry").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["step.py", "params.yaml", "persuasion_extra.py"])
def test_what_is_not_committed_is_listed_and_exit_2(project, name):
    before = (project / name).read_bytes() if (project / name).exists() else None
    (project / name).write_bytes((before or b"") + b"\n# changed\n")
    done = sweep(project, "run", "--study", "dirty", ok=False)
    if before is None:
        (project / name).unlink()
    else:
        (project / name).write_bytes(before)
    assert done.returncode == 2 and name in done.stderr and "Traceback" not in done.stderr
    assert not (project / ".persuasion/sweep/dirty").exists()


@pytest.mark.slow
def test_every_trial_is_an_experiment_with_its_own_figures(swept):
    project, told = swept
    assert told["states"] == {"complete": 3} and len(told["best"]) == 1
    rows = json.loads(do(project, "dvc", "exp", "show", "--json").stdout)
    shown = {one["name"]: one["revs"][0] for row in rows for one in row["experiments"] or ()}
    for trial in told["trials"]:
        row = shown[trial["experiment"]]
        assert row["rev"] == trial["rev"]
        figures = row["data"]["metrics"]["metrics/train.json"]["data"]
        assert [figures["train"]["validation"]["nll_calibrated"]] == trial["values"]
        assert row["data"]["params"]["params.yaml"]["data"]["dpo"]["beta"] == trial["params"]["dpo.beta"]
        said = do(project, "git", "log", "-1", "--format=%s", trial["rev"]).stdout
        assert said.strip() == f"Trial {trial['number']} of the study sample"
    assert steps(project, "reference-begun") == ["-"]  # the base's part was cached for every trial
    assert sorted(steps(project, "train-begun")) == ["-", "sample-0", "sample-1", "sample-2"]
    assert not steps(project, "generate-begun")
    untouched(project)


@pytest.mark.slow
def test_a_search_that_is_done_does_nothing_more_and_goes_on_when_asked_for_more(swept):
    project, told = swept
    assert json.loads(sweep(project, "run", "--json").stdout)["trials"] == told["trials"]


@pytest.mark.slow
def test_ask_and_tell_by_hand_believe_only_the_trials_own_experiment(swept):
    project, _ = swept
    name = ("--study", "hand")
    asked = json.loads(sweep(project, "ask", "--json", *name).stdout)
    early = sweep(project, "tell", "0", *name, ok=False)
    assert early.returncode == 3 and "hand-0" in early.stderr
    do(project, *asked["command"])
    told = json.loads(sweep(project, "tell", "0", "--json", *name).stdout)
    assert told["state"] == "complete" and told["values"]
    again = json.loads(sweep(project, "tell", "0", "--json", *name).stdout)
    assert again == told
    # an experiment of the trial's name with other parameters is not the trial's
    other = json.loads(sweep(project, "ask", "--json", *name).stdout)
    do(project, "dvc", "exp", "run", "--temp", "--name", other["experiment"], "-S", "dpo.beta=0.7", "train")
    foreign = json.loads(sweep(project, "tell", "1", "--json", *name).stdout)
    assert foreign["state"] == "fail" and foreign["values"] is None and "dpo.beta" in foreign["why"]
    sweep(project, "ask", *name)
    failed = json.loads(sweep(project, "tell", "2", "--failed", "the job was lost", "--json", *name).stdout)
    assert failed["state"] == "fail" and failed["why"] == "the job was lost"
    assert sweep(project, "ask", *name, ok=False).returncode == 3


@pytest.mark.slow
def test_figures_that_dvc_lock_does_not_vouch_for_are_nobodys(swept, tmp_path):
    project, told = swept
    clone = tmp_path / "clone"
    shutil.copytree(project, clone, ignore=shutil.ignore_patterns(".persuasion"))
    trial, baseline = told["trials"][0], told["baseline"]
    asked = spec.load(clone / "sweep.yaml")
    known = evidence.read(clone, asked, baseline, trial["experiment"], trial["params"])
    assert known is not None and list(known.values) == trial["values"]
    do(clone, "git", "checkout", "-q", "--force", trial["rev"])
    text = (clone / "metrics/train.json").read_text()
    (clone / "metrics/train.json").write_text(text.replace("0.", "0.0"))
    do(clone, "git", "commit", "-qam", "better", "--amend")
    forged = do(clone, "git", "rev-parse", "HEAD").stdout.strip()
    do(clone, "git", "update-ref", evidence.ref(baseline, trial["experiment"]), forged)
    with pytest.raises(evidence.Foreign, match="vouch"):
        evidence.read(clone, asked, baseline, trial["experiment"], trial["params"])


@pytest.mark.slow
def test_the_best_is_put_into_params_and_its_model_comes_from_the_cache(swept):
    project, told = swept
    best = told["trials"][told["best"][0]]
    assert best["values"] == min(trial["values"] for trial in told["trials"])
    text = (project / "params.yaml").read_text()
    sweep(project, "best", "--apply")
    tree = load_yaml(project / "params.yaml")
    assert (
        tree["dpo"]["beta"] == best["params"]["dpo.beta"]
        and "# strength of the pull" in (project / "params.yaml").read_text()
    )
    assert "Stage 'train' is cached" in do(project, "dvc", "repro", "train").stdout
    (project / "params.yaml").write_text(text)
    do(project, "git", "checkout", "-q", ".")


@pytest.mark.slow
def test_the_report_holds_what_was_told_in_every_form(swept):
    project, told = swept
    names = sweep(project, "report", "--original").stdout.split()
    study = json.loads((project / "metrics/study.json").read_text(), parse_constant=pytest.fail)
    assert study["trials"] == [{k: v for k, v in trial.items() if k != "mlflow"} for trial in told["trials"]]
    assert set(study["importances"]) == set(told["space"])
    [form] = [name for name in names if "study_results_" in name]
    original = json.loads(Path(form).read_text(), parse_constant=pytest.fail)
    assert original["best_params"] == told["trials"][told["best"][0]]["params"] and original["n_trials"] == 3
    page = next(name for name in names if name.endswith("index.html"))
    pictures = sorted(path.stem for path in (project / page).parent.glob("*.svg"))
    assert pictures == ["beta", "history", "importances", "parallel", "slice"]
    text = Path(page).read_text()
    assert all(trial["experiment"] in text for trial in told["trials"]) and "<script" not in text
    drawn = do(project, "dvc", "plots", "show", "--json", "metrics/study/history.tsv").stdout
    assert "metrics/study/history.tsv" in json.loads(drawn)["data"]
    for name in names:
        (project / name).unlink()
    shutil.rmtree(project / "metrics/study")


@pytest.mark.slow
def test_a_second_sweep_of_a_study_here_is_exit_4(swept):
    from filelock import FileLock

    project, _ = swept
    with FileLock(project / ".persuasion/sweep/sample/lock"):
        done = sweep(project, "run", "--trials", "4", ok=False)
    assert done.returncode == 4 and "at work here" in done.stderr


@pytest.mark.slow
def test_a_shallow_clone_is_refused_for_dvc_would_lose_its_experiments(swept, tmp_path):
    project, _ = swept
    do(project, "git", "commit", "-q", "--allow-empty", "-m", "one more")
    do(project, "git", "clone", "-q", "--depth", "1", f"file://{project}", str(tmp_path / "shallow"))
    done = sweep(tmp_path / "shallow", "run", ok=False)
    assert done.returncode == 4 and "unshallow" in done.stderr
    do(project, "git", "reset", "-q", "--hard", "HEAD~1")


@pytest.mark.slow
def test_a_bad_trial_is_stopped_by_its_curve(tmp_path):
    curve = "metrics/train/validation.tsv:epoch:nll_calibrated"
    pruning = {"pruner": "median", "curve": curve, "startup": 2, "warmup": 0}
    project = sweeping.project(tmp_path / "project", trials=7, parallel=2, pruning=pruning, sampler="random")
    sweep(project, "run", EPOCH="1")
    sweeping.pruned_early(project)
