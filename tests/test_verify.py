"""``persuasion verify`` on real DVC: each way in which bytes and dvc.lock can part is found, and mended as it says."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from persuasion.errors import IntegrityFailure
from persuasion.files import digest
from persuasion.lab import doctor
from persuasion.lab.hashes import output_md5
from persuasion.lab.locks import oddities
from persuasion.lab.refusing import refusal
from persuasion.lab.transfers import pull
from tests.closures import ROOT
from tests.project import run

MADE = """
import pathlib
for n in range(3):
    pathlib.Path("models/adapter").mkdir(parents=True, exist_ok=True)
    pathlib.Path(f"models/adapter/{n}.bin").write_text(f"weights {n}" * 100)
pathlib.Path("metrics.json").write_text("{}")
"""
MAP = """
stages:
  train: {cmd: python made.py, deps: [made.py], outs: [models/adapter, metrics.json: {cache: false}]}
  use: {cmd: cp models/adapter/0.bin used, deps: [models/adapter], outs: [used]}
"""
FILE = "models/adapter/1.bin"


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    """A project whose run is committed and pushed to a folder."""
    project = tmp_path_factory.mktemp("verify") / "project"
    project.mkdir()
    (project / "made.py").write_text(MADE)
    (project / "dvc.yaml").write_text(MAP)
    store = project.parent / "store"
    for command in (
        "git init --quiet", "git config user.name test", "git config user.email test@localhost", "dvc init --quiet",
        f"dvc remote add --default store {store}", "dvc config cache.type copy", "dvc repro --quiet",
        "dvc push --quiet", "git add --all", "git commit --quiet --message run",
    ):  # fmt: skip
        run(project, *command.split())
    return project


@pytest.fixture
def project(ran, tmp_path) -> Path:
    """A copy of ``ran`` to spoil, with its own remote."""
    shutil.copytree(ran.parent, tmp_path / "copy", symlinks=True)
    run(tmp_path / "copy/project", "dvc", "remote", "modify", "store", "url", str(tmp_path / "copy/store"))
    return tmp_path / "copy/project"


def verify(project: Path, *arguments: str) -> dict:
    done = run(project, sys.executable, "-m", "persuasion.lab.cli", "verify", "--json", *arguments, ok=False,
               PYTHONPATH=str(ROOT))  # fmt: skip
    told = json.loads(done.stdout) if done.stdout else {}
    assert done.returncode == (7 if not told or told["findings"] else 0) and "Traceback" not in done.stderr
    return told


def found(told: dict) -> set[tuple[str, str, str]]:
    return {(one["how"], one["place"], one["path"]) for one in told["findings"]}


def spoil(path: Path, how: str) -> None:
    """Flip a bit without a trace in size or time, cut, or remove."""
    before, content = path.stat(), path.read_bytes()
    path.chmod(0o644)
    if how == "missing":
        path.unlink()
        return
    path.write_bytes(content[:-7] if how == "cut" else bytes([content[0] ^ 1]) + content[1:])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.slow
def test_a_sound_project_is_said_to_be_so(project):
    told = verify(project, "--remote", "store")
    assert told["checked"] == {"cache": 4, "remote store": 4, "workspace": 5} and not told["notes"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
@pytest.mark.parametrize("place", ["workspace", "cache", "remote store"])
def test_a_flipped_bit_a_cut_and_a_loss_are_found_and_the_named_commands_mend_them(project, how, place):
    md5 = output_md5(project / FILE)
    stored = f"files/md5/{md5[:2]}/{md5[2:]}"
    spoil({"workspace": project / FILE, "cache": project / ".dvc/cache" / stored,
           "remote store": project.parent / "store" / stored}[place], how)  # fmt: skip
    told = verify(project, "--remote", "store")
    expected = {("missing" if how == "missing" else "corrupt", place)}
    assert {one[:2] for one in found(told)} == expected
    for fix in dict.fromkeys(one["fix"] for one in told["findings"]):
        command = fix.replace("persuasion", f"{sys.executable} -m persuasion.lab.cli")
        run(project, "bash", "-c", command, ok=False, PYTHONPATH=str(ROOT))
    assert not verify(project, "--remote", "store")["findings"]


@pytest.mark.slow
def test_another_adapter_a_file_too_many_and_other_figures_are_found(project):
    for number in range(3):
        (project / f"models/adapter/{number}.bin").write_text("weights of another run")
    (project / "models/adapter/more.bin").touch()
    (project / "metrics.json").write_text('{"accuracy": 1.0}')
    told = found(verify(project))
    assert {("corrupt", "workspace", f"models/adapter/{n}.bin") for n in range(3)} <= told
    assert {("extra", "workspace", "models/adapter/more.bin"), ("corrupt", "workspace", "metrics.json")} <= told


@pytest.mark.slow
def test_a_lock_edited_by_hand_is_found_wherever_it_was_edited(project):
    lock = (project / "dvc.lock").read_text()
    for before in (
        output_md5(project / "models/adapter"),
        output_md5(project / "made.py"),
        output_md5(project / "used"),
    ):
        at = lock.rindex(before)  # an output that another stage reads is named twice
        (project / "dvc.lock").write_text(lock[:at] + "0" * 32 + lock[at + 32 :])
        assert verify(project)["findings"], before
    for text in ("stages: [", lock + lock, "stages: {train: {outs: [1]}}"):
        (project / "dvc.lock").write_text(text)
        assert verify(project) == {}
    (project / "dvc.lock").write_text(lock)
    (project / "made.py").write_text(MADE + "# edited\n")
    told = verify(project)
    assert not told["findings"] and told["notes"] == ["made.py was edited since train ran: `dvc repro`"]


def test_an_adapter_belongs_to_the_base_that_was_served(tmp_path):
    for name in ("base", "sft"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "weights").write_text(name)
    (tmp_path / "models/adapter").mkdir()
    key = {"base_sha256": digest(tmp_path / "models/sft")}
    (tmp_path / "models/adapter/persuasion.json").write_text(json.dumps(key))
    sound = {"models/adapter", "models/base", "models/sft"}
    for serves, odd in (("sft", False), ("base", True)):
        train = {"params": {"params.yaml": {"base.serves": serves}}, "outs": [{"path": "models/adapter"}]}
        (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"train": train}}))
        assert bool(oddities(tmp_path, sound)[0]) == odd
    assert not oddities(tmp_path, sound - {"models/base"})[0]


@pytest.mark.slow
def test_what_git_does_not_have_is_edited_and_contradicts_nothing(project):
    (project / "made.py").write_text(MADE + "# edited\n")
    run(project, "git", "rm", "--quiet", "--cached", "made.py")
    run(project, "git", "commit", "--quiet", "--message", "not ours")
    assert verify(project)["notes"] == ["made.py was edited since train ran: `dvc repro`"]


@pytest.mark.slow
@pytest.mark.parametrize("target", ["train", "dvc.yaml:train", "./models/adapter", FILE])
def test_a_pull_of_a_stage_a_path_or_all_of_it_is_checked(project, target):
    md5 = output_md5(project / FILE)
    (project / FILE).unlink()
    (project / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    spoil(project.parent / "store/files/md5" / md5[:2] / md5[2:], "flipped")
    with pytest.raises(IntegrityFailure):
        pull(project, [target], None)
    shutil.rmtree(project / "models")
    assert pull(project, ["use"], None)


def test_a_tracking_address_with_a_password_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@127.0.0.1/")
    assert "hunter2" not in str(list(doctor._mlflow(tmp_path)))


def test_optunas_storage_is_looked_at_and_its_password_not_repeated(tmp_path, monkeypatch):
    def line() -> doctor.Line:
        (one,) = doctor._optuna(tmp_path)
        return one

    assert line().state == doctor.OK and "journal" in line().seen
    search = (ROOT / "sweep.yaml").read_text()
    assert "storage: null" in search
    (tmp_path / "sweep.yaml").write_text(search.replace("storage: null", f"storage: sqlite:///{tmp_path}/study.db"))
    assert line().state == doctor.OK and "answers" in line().seen
    monkeypatch.setenv("PERSUASION_SWEEP_STORAGE", "postgresql+nodriver://me:hunter2@127.0.0.1:1/studies")
    assert line().state == doctor.FAIL and line().fix and "hunter2" not in str(line())


@pytest.mark.parametrize(
    ("said", "code", "why"),
    [
        ("failed to connect to s3 (b/p) - Forbidden: An error occurred (403) when calling the HeadObject", 5, "denied"),
        ("Unable to locate credentials", 5, "no credentials"),
        (
            "failed to connect to ssh (x) - Permission denied for user root on host 127.0.0.1",
            5,
            "credentials are wrong",
        ),
        ("unexpected error - [Errno 111] Connect call failed ('127.0.0.1', 22)", 5, "connection failed"),
        ("Read timeout on endpoint URL", 5, "did not answer in time"),
        (
            "failed to connect to ssh (/srv) - : :  | failed to pull data",
            5,
            "did not answer in time",
        ),
        ("unexpected error - The specified bucket does not exist.", 5, "bucket does not exist"),
        ("Checkout failed for following targets:\ndata/pairs", 5, "objects are missing"),
        ("unexpected error - [Errno 28] No space left on device", 4, "disk is full"),
        ("failed to push data to the cloud - Unable to acquire lock. Most likely another DVC", 4, "is running in this"),
        ("something new", 5, "something new"),
    ],
)
def test_what_a_remote_says_is_told_in_words_and_without_secrets(said, code, why):
    failure = refusal("pull", f"{said} at s3://me:hunter2@host secret_access_key=hunter2")
    assert failure.exit_code == code and why in str(failure) and "hunter2" not in str(failure) and failure.fix
