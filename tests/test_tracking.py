"""The mirror against real MLflow stores: what it shows, twice the same, and never in the way."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import fields
from hashlib import md5
from pathlib import Path

import pytest
import yaml
from filelock import FileLock

from persuasion.lab import workspace
from persuasion.records import EpochReply, EpochVerdict
from persuasion.tables import write_rows

ROOT = Path(__file__).parent.parent
PARAMS = {
    "source": {"pseudonym_key_file": "/home/someone/secret.key", "path": "s3://user:word@host/dump"},
    "dpo": {"beta": 0.1, "loss": "sigmoid"},
    "encoding": {"prefix": "", "suffix": "x" * 7000},
    "lora": {"targets": ["q_proj", "v_proj"]},
    "train": {"learning_rate": 1e-05},
}
METRICS = {
    "pair": {"pairs": {"train": 40}, "dropped_by": {"odd reason!": 2}},
    "train": {"loss": 0.6, "validation": {"reward_accuracy": 0.8, "nll_calibrated": None}},
    "evaluate": {"reward_accuracy": 0.75, "by_kind": {"style": {"accuracy": 0.9, "pairs": 10}}},
}
PATHS = {
    "pair": ["data/pairs"],
    "train": ["models/adapter", "data/samples"],
    "evaluate": [],
    "generate": ["data/replies.parquet"],
}


def build(root: Path, beta: float = 0.1) -> Path:
    """A workspace as DVC leaves it after `evaluate`, without running anything."""
    params = {**PARAMS, "dpo": {**PARAMS["dpo"], "beta": beta}}
    (root / "metrics/train").mkdir(parents=True)
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    for stage, figures in METRICS.items():
        (root / f"metrics/{stage}.json").write_text(json.dumps({stage: figures}))
    curve = [f"{step}\t{step / 10}\t{1 / step}\t" for step in range(1, 1201)]
    (root / "metrics/train/training.tsv").write_text("\n".join(["step\tepoch\tloss\tmargin", *curve]) + "\n")
    (root / "metrics/train/validation.tsv").write_text("epoch\treward_accuracy\n1\t0.7\n2\t0.8\n")
    numbers = {field.name: 1 for field in fields(EpochVerdict) if field.name not in ("epoch", "split", "pair_id")}
    verdicts = [EpochVerdict(epoch=e, split="validation", pair_id=p, **numbers) for e in (1, 2) for p in "ab"]
    write_rows(root / "data/samples/pairs.parquet", verdicts, EpochVerdict, ("epoch", "pair_id"))
    words = dict.fromkeys(list(EpochReply.__annotations__)[1:], "<script>alert(1)</script> é")
    write_rows(root / "data/samples/replies.parquet", [EpochReply(epoch=1, **words)], EpochReply, "epoch")
    lock(root, list(METRICS), beta)
    return root


def lock(root: Path, stages: list[str], beta: float) -> None:
    """dvc.lock for these stages."""
    entries = {}
    for stage in stages:
        paths = {path: md5(f"{path} {beta}".encode()).hexdigest() + ".dir" for path in PATHS.get(stage, [])}
        metrics = root / f"metrics/{stage}.json"
        if metrics.is_file():
            paths[f"metrics/{stage}.json"] = md5(metrics.read_bytes()).hexdigest()
        outs = [{"path": path, "hash": "md5", "md5": value, "size": 9} for path, value in paths.items()]
        entries[stage] = {"cmd": f"python -m stages.{stage}", "outs": outs}
    entries["train"]["params"] = {
        "params.yaml": {"dpo": {"beta": beta, "loss": "sigmoid"}, "train.learning_rate": 1e-5}
    }
    entries["train"]["deps"] = [{"path": "data/pairs", "hash": "md5", "md5": entries["pair"]["outs"][0]["md5"]}]
    (root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": entries}))


def surroundings(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def begin(root: Path, **extra: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "persuasion.lab.tracking"]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=root, env=surroundings(**extra), stdout=pipe, stderr=pipe, text=True)


def track(root: Path, **extra: str) -> tuple[str, str]:
    """Mirror; give stdout and stderr of a process that must exit 0."""
    process = begin(root, **extra)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out, err


def opened(uri: str):
    """The runs of the store, and a client for it."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name("persuasion")
    return client, client.search_runs([found.experiment_id])


def check(client, run) -> None:
    """The run shows everything of `build`."""
    assert run.info.status == "FINISHED"
    assert run.data.params["dpo.beta"] == "0.1" and run.data.params["train.learning_rate"] == "1e-05"
    assert run.data.params["lora.targets"] == '["q_proj", "v_proj"]'
    assert len(run.data.params["encoding.suffix"]) == 500
    assert run.data.metrics["evaluate.reward_accuracy"] == 0.75
    assert run.data.metrics["pair.dropped_by.odd reason_"] == 2
    assert "train.validation.nll_calibrated" not in run.data.metrics
    steps = client.get_metric_history(run.info.run_id, "training/loss")
    assert [point.step for point in sorted(steps, key=lambda point: point.step)] == list(range(1, 1201))
    curve = client.get_metric_history(run.info.run_id, "validation/reward_accuracy")
    assert sorted((point.step, point.value) for point in curve) == [(1, 0.7), (2, 0.8)]
    assert run.data.tags["adapter.md5"] == md5(b"models/adapter 0.1").hexdigest() + ".dir"
    assert run.data.tags["pairs.md5"] == md5(b"data/pairs 0.1").hexdigest() + ".dir"
    inputs = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs}
    assert inputs == {(name, run.data.tags[f"{name}.md5"]) for name in ("adapter", "pairs")}
    logged = {
        entry["path"] for entry in json.loads(run.data.tags["mlflow.loggedArtifacts"]) if entry["type"] == "table"
    }
    for name, rows in (("samples", 4), ("replies", 1)):
        assert f"tables/{name}.json" in logged and run.data.tags[f"tables.{name}"] == f"{rows} of {rows} rows"
        table = json.loads(artifact(client, run, f"tables/{name}.json"))  # load_table asks the default store alone
        assert len(table["data"]) == rows and "pair_id" in table["columns"]
    text = artifact(client, run, "params.yaml")
    assert "x" * 7000 in text and "secret.key" not in text and "word" not in text


def artifact(client, run, path: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(run.info.run_id, path, folder)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A workspace under an awkward path, mirrored once to the store that is used when none is named."""
    root = build(tmp_path_factory.mktemp("a b é#"))
    out, err = track(root)
    assert not err and out.startswith("track: run repro-") and "is now in sqlite:///" in out
    return root


@pytest.mark.slow
def test_a_run_shows_the_whole_experiment(place):
    client, runs = opened(f"sqlite:///{place}/mlflow.db")
    assert len(runs) == 1
    check(client, runs[0])
    assert Path(place / "mlartifacts").is_dir()


@pytest.mark.slow
def test_again_adds_nothing_but_what_is_new(place):
    client, before = opened(f"sqlite:///{place}/mlflow.db")
    out, err = track(place)
    assert "was in" in out and not err
    _, after = opened(f"sqlite:///{place}/mlflow.db")
    assert [run.to_dictionary() for run in after] == [run.to_dictionary() for run in before]

    (place / "report").mkdir()
    (place / "report/index.html").write_text("<p>page</p>")
    (place / "metrics/generate.json").write_text('{"generate": {"replies": 3}}')
    lock(place, [*METRICS, "generate", "report"], 0.1)
    track(place, DVC_EXP_NAME="bold-try")
    client, [run] = opened(f"sqlite:///{place}/mlflow.db")
    check(client, run)
    assert run.data.metrics["generate.replies"] == 3 and run.data.tags["dvc.exp"] == "bold-try"
    assert [file.path for file in client.list_artifacts(run.info.run_id, "report")] == ["report/index.html"]


@pytest.mark.slow
def test_a_run_that_a_crash_left_is_made_anew(place):
    client, [whole] = opened(f"sqlite:///{place}/mlflow.db")
    client.update_run(whole.info.run_id, status="RUNNING")
    track(place)
    client, [run] = opened(f"sqlite:///{place}/mlflow.db")
    assert run.info.run_id != whole.info.run_id
    check(client, run)


@pytest.mark.slow
def test_four_at_once_on_a_fresh_store_make_one_run_each(tmp_path):
    """Two of temporary workspaces of one project, two of other clones that name its store."""
    home = tmp_path / "home"
    home.mkdir()
    roots = [build(tmp_path / f"{index}", beta=index / 10) for index in (1, 2, 3, 4)]
    ways = [{"DVC_ROOT": str(home)}] * 2 + [{"MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db"}] * 2
    named = [(root, {"DVC_EXP_NAME": f"exp-{root.name}"} | way) for root, way in zip(roots, ways, strict=True)]
    processes = [begin(root, **extra) for root, extra in named]
    ended = [(*process.communicate(timeout=240), process.returncode) for process in processes]
    assert [(err, code) for _, err, code in ended] == [("", 0)] * 4
    _, runs = opened(f"sqlite:///{home}/mlflow.db")
    assert sorted((run.info.run_name, run.data.params["dpo.beta"]) for run in runs) == [
        (f"exp-{index}", str(index / 10)) for index in (1, 2, 3, 4)
    ]
    assert not any((root / "mlflow.db").exists() for root in roots)


@pytest.mark.slow
def test_a_store_whose_making_is_killed_is_made_anew(tmp_path):
    root = build(tmp_path)
    process, partial = begin(root), root / "mlflow.db.partial"
    until = time.monotonic() + 120
    while not (partial.exists() and partial.stat().st_size):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.communicate()
    out, err = track(root)
    assert "is now in" in out and not err and not partial.exists()


def snapshot(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in root.rglob("*") if path.is_file() and "mlflow" not in path.name}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["refused", "silent", "no database", "no driver or server"])
def test_trouble_is_one_warning_and_nothing_else(tmp_path, fault):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        uri = {
            "refused": "http://me:hidden@127.0.0.1:9",
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "no database": f"sqlite:///{tmp_path}/text",
            "no driver or server": "postgresql://me:hidden@127.0.0.1:9/runs",
        }[fault]
        root = build(tmp_path / "here")
        (tmp_path / "text").write_text("no: database\n" * 99)
        before, start = snapshot(root), time.monotonic()
        out, err = track(root, MLFLOW_TRACKING_URI=uri)
    assert time.monotonic() - start < 20
    assert err.startswith("warning: not mirrored to MLflow") and err.count("\n") == 1 and not out
    assert "hidden" not in err
    assert snapshot(root) == before


def test_stale_figures_are_refused_or_left_out(tmp_path):
    root = build(tmp_path)
    assert workspace.read(root).stale == ()
    (root / "metrics/pair.json").write_text('{"pair": {"pairs": {"train": 1}}}')
    assert workspace.read(root).stale == ("pair",)
    assert not any(point.name.startswith("pair.") for point in workspace.read(root).points)
    (root / "params.yaml").write_text(yaml.safe_dump({**PARAMS, "dpo": {"beta": 0.2, "loss": "sigmoid"}}))
    out, err = track(root)
    assert "train not up to date" in err and err.count("\n") == 1 and not out and not (root / "mlflow.db").exists()


def test_no_store_is_made_where_sqlite_would_miss_the_folder(tmp_path):
    out, err = track(build(tmp_path / "a?b"))
    assert "set MLFLOW_TRACKING_URI" in err and err.count("\n") == 1 and not out
    assert [path.name for path in tmp_path.iterdir()] == ["a?b"]


def test_the_key_is_the_experiments_alone(tmp_path):
    root = build(tmp_path)
    key = workspace.read(root).key
    lock(root, [*METRICS, "report"], 0.1)
    assert workspace.read(root).key == key
    assert workspace.read(build(tmp_path / "other", beta=0.2)).key != key


@pytest.mark.slow
def test_a_real_server_holds_the_same_run(tmp_path, mlflow_server, monkeypatch):
    root = build(tmp_path)
    out, err = track(root, MLFLOW_TRACKING_URI=mlflow_server)
    assert not err and mlflow_server in out
    assert "was in" in track(root, MLFLOW_TRACKING_URI=mlflow_server)[0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    client, runs = opened(mlflow_server)
    [run] = [run for run in runs if "persuasion.key" in run.data.tags]
    check(client, run)
    assert not (root / "mlflow.db").exists()


PIPELINE = """
stages:
  train:
    cmd: python step.py train
    params: [dpo, targets]
    outs: [models/adapter]
    metrics: [{metrics/train.json: {cache: false}}]
  evaluate:
    cmd: python step.py evaluate
    params: [dpo.beta, targets]
    deps: [models/adapter]
    metrics: [{metrics/evaluate.json: {cache: false}}]
  report:
    cmd: python -m persuasion.lab.tracking && mkdir report && date > report/index.html
    deps: [metrics/evaluate.json]
    outs: [report]
"""
STEP = """
import json, pathlib, sys
stage, beta = sys.argv[1], pathlib.Path("params.yaml").read_text()
pathlib.Path("metrics").mkdir(exist_ok=True)
if stage == "train":
    pathlib.Path("models/adapter").mkdir(parents=True)
    pathlib.Path("models/adapter/weights").write_text(beta)
pathlib.Path(f"metrics/{stage}.json").write_text(json.dumps({stage: {"loss": len(beta)}}))
"""


@pytest.mark.slow
def test_dvcs_own_files_make_one_run_for_each_experiment(tmp_path):
    files = {"dvc.yaml": PIPELINE, "step.py": STEP, "params.yaml": "dpo:\n  beta: 0.1\ntargets: [a, b]\n"}
    for name, content in {**files, ".gitignore": "/mlflow.db*\n/mlartifacts\n"}.items():
        (tmp_path / name).write_text(content)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    author = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}

    def do(command: str) -> None:
        env = surroundings(PATH=path, DVC_NO_ANALYTICS="1", **author)
        subprocess.run(command.split(), cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)

    for command in ("git init -q", "dvc init -q", "dvc repro", "git add -A", "git commit -qm made"):
        do(command)
    assert "was in" in track(tmp_path)[0]
    do("dvc exp run --temp --name other -S dpo.beta=1e-5")
    _, runs = opened(f"sqlite:///{tmp_path}/mlflow.db")
    assert sorted(run.data.params["dpo.beta"] for run in runs) == ["0.1", "1e-05"]
    [other] = [run for run in runs if run.data.tags.get("dvc.exp") == "other"]
    assert other.info.run_name == "other" and len(other.data.tags["dvc.baseline"]) == 40


def begun_live(root: Path, uri: str) -> subprocess.Popen[str]:
    command, pipe = [sys.executable, "-m", "persuasion.lab.live"], subprocess.PIPE
    env = surroundings(MLFLOW_TRACKING_URI=uri)
    return subprocess.Popen(command, cwd=root, env=env, stdin=pipe, stderr=pipe, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(("word", "status"), [("done\n", "FINISHED"), ("", "KILLED")])
def test_a_training_is_seen_while_it_runs_until_it_is_mirrored(tmp_path, word, status):
    root, uri = build(tmp_path / "project"), f"sqlite:///{tmp_path}/elsewhere.db"
    (root / "metrics/train/training.tsv").write_text("step\tepoch\tloss\tmargin\n5\t0.5\t0.7\t\n")
    live = begun_live(root, uri)
    until = time.monotonic() + 60
    while not (tmp_path / "elsewhere.db").exists() or not seen(root, uri):
        assert live.poll() is None and time.monotonic() < until
        time.sleep(0.5)
    with (root / "metrics/train/training.tsv").open("a") as stream:
        stream.write("10\t1.0\t0.4\t0.2\n")
    assert live.communicate(word, timeout=60)[1] == "" and live.returncode == 0
    client, (run,) = opened(uri)
    assert run.info.status == status and run.data.params["dpo.beta"] == "0.1"
    points = client.get_metric_history(run.info.run_id, "training/loss")
    assert [(point.step, point.value) for point in points] == [(5, 0.7), (10, 0.4)]
    (root / "metrics/train/training.tsv").write_text("step\tloss\n5\t0.7\n")
    track(root, MLFLOW_TRACKING_URI=uri)
    (mirrored,) = opened(uri)[1]
    assert "persuasion.live" not in mirrored.data.tags and mirrored.info.status == "FINISHED"
    assert mirrored.data.metrics["system/system_memory_usage_megabytes"] > 0


def seen(root: Path, uri: str) -> bool:
    """Whether the store has a point of the curve; two that make one store at once would break it."""
    with FileLock(f"{uri.removeprefix('sqlite:///')}.lock"):
        return any("training/loss" in run.data.metrics for run in opened(uri)[1])


def test_a_training_goes_on_where_no_server_answers(tmp_path, monkeypatch, capfd):
    from persuasion.showing import followed

    monkeypatch.chdir(build(tmp_path / "project"))
    for name, value in surroundings(MLFLOW_TRACKING_URI="http://127.0.0.1:9").items():
        monkeypatch.setenv(name, value)
    with followed():
        time.sleep(0.1)
    said = capfd.readouterr().err
    assert said.count("warning: not mirrored to MLflow") == 1 and "Traceback" not in said
