"""The command line as a user meets it: real processes, exit codes, plain text."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
METRICS = {
    "extract": {"submissions": 700, "deltas": 812},
    "pair": {"pairs": {"train": 1234, "validation": 402, "test": 398}},
    "base": {"perplexity": 7.25, "parameters": 532480},
    "reference": {"dropped": 0},
    "train": {"loss": 0.41, "steps": 120},
    "evaluate": {
        "pairs": 402, "reward_accuracy": 0.812, "reward_accuracy_low": 0.771, "reward_accuracy_high": 0.85,
        "reference_accuracy": 0.503, "test_split": 0,
        "baseline": {"length": {"accuracy": 0.512}, "tfidf": {"accuracy": 0.64}, "interplay": {"accuracy": None}},
        "by_kind": {"style": {"accuracy": 0.9, "pairs": 210}},
    },
    "generate": {"replies": 24, "eos_rate": 0.9583},
}  # fmt: skip


@pytest.fixture
def made(tmp_path) -> Path:
    """A workspace whose pipeline has run."""
    (tmp_path / "dvc.lock").touch()
    (tmp_path / "metrics").mkdir()
    for stage, figures in METRICS.items():
        (tmp_path / f"metrics/{stage}.json").write_text(json.dumps({stage: figures}))
    return tmp_path


def persuasion(folder: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
    command = [sys.executable, "-m", "persuasion.lab.cli", *arguments]
    environment = {**kept, "PYTHONPATH": str(ROOT), **extra}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)


def test_summary_says_what_was_made_and_where_to_look(made):
    (made / "data").mkdir()
    for folder in (made, made / "data"):
        done = persuasion(folder, "summary")
        assert done.returncode == 0 and not done.stderr
    said = ("1,234 train", "402 validation pairs", "81.2%  [77.1%, 85.0%]", "50.3%", "51.2%", "64.0%", "–", "95.8%")
    places = ("report/index.html", "dvc exp show", "mlflow ui --backend-store-uri sqlite:///mlflow.db", "7.25")
    for words in (*said, *places, "cue: style", "models/adapter"):
        assert words in done.stdout
    assert "\x1b" not in done.stdout and len(done.stdout.splitlines()) < 24


def test_summary_as_json_holds_every_metric(made):
    told = json.loads(persuasion(made, "summary", "--json").stdout)
    assert told["metrics"] == METRICS and told["places"]["adapter"] == "models/adapter"


def test_a_tracking_servers_address_is_shown_without_its_password(made):
    out = persuasion(made, "summary", MLFLOW_TRACKING_URI="https://me:hidden@runs.example").stdout
    assert "https://runs.example" in out and "hidden" not in out


@pytest.mark.parametrize("content", [None, "{", '{"generate": 1}', "[]"])
def test_missing_or_broken_figures_exit_3_and_say_what_to_do(made, content):
    (made / "metrics/evaluate.json").unlink()
    if content is not None:
        (made / "metrics/evaluate.json").write_text(content)
    for arguments in (["summary"], ["summary", "--json"]):
        done = persuasion(made, *arguments)
        assert done.returncode == 3 and not done.stdout and "Traceback" not in done.stderr
        assert "metrics/evaluate.json" in done.stderr and "make repro" in done.stderr
    assert "Traceback" in persuasion(made, "--debug", "summary").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["sumary"], 2, "Did you mean 'summary'"),
        (["summary", "--jsn"], 2, "--json"),
        (["--help"], 0, "Example: persuasion"),
        (["summary", "--help"], 0, "Example: persuasion"),
        (["track", "--help"], 0, "persuasion track"),
    ],
)
def test_usage(made, arguments, code, words):
    done = persuasion(made, *arguments, FORCE_COLOR="1", NO_COLOR="1")
    assert done.returncode == code and words in (done.stderr if code else done.stdout)
    assert "Traceback" not in done.stderr and "\x1b" not in done.stdout + done.stderr


def test_track_without_a_run_is_one_warning(tmp_path):
    done = persuasion(tmp_path, "track")
    assert done.returncode == 0 and done.stderr.count("\n") == 1 and "make repro" not in done.stdout


@pytest.mark.parametrize("arguments", ["summary --json", "--help"])
def test_a_closed_pipe_is_no_traceback(made, arguments):
    script = f'"{sys.executable}" -m persuasion.lab.cli {arguments} | true'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", script], cwd=made, env=environment, capture_output=True, text=True)
    assert not done.stderr


def test_importing_the_command_line_loads_nothing_heavy():
    heavy = ("mlflow", "dvc", "optuna", "torch", "pandas", "pyarrow", "numpy", "rich")
    code = f"import sys, persuasion.lab.cli; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
