"""Versions from real remotes: a folder, sshd with SFTP, Swift with S3. Pushed, got, corrupted, killed, mended."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from persuasion.lab.hashes import output_md5
from tests.closures import ROOT
from tests.project import run
from tests.servers.running import BUCKET, KEY, READER, SECRET, Sshd, Swift

MADE = """
import pathlib, sys
import pyarrow as pa, pyarrow.parquet as pq
folder = pathlib.Path("data/pairs")
folder.mkdir(parents=True)
word = open("word").read().strip()
for split in ("train", "validation", "test"):
    rows = [{"prompt": f"CMV {word} {split} {n}", "chosen": "yes", "rejected": "no"} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{split}.parquet")
pathlib.Path("report").mkdir()
for n in range(30):
    pathlib.Path(f"report/{n}.txt").write_text(f"{word} {n}" * 5000)
"""
MAP = """
stages:
  pair: {cmd: python made.py, deps: [made.py, word], outs: [data/pairs, report]}
artifacts:
  pairs: {path: data/pairs, type: dataset}
"""
KINDS = ("folder", "ssh", "s3")


class Remote:
    """A toy project whose outputs are pushed to one kind of remote, and the server behind it."""

    made, map = MADE, MAP

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.project = kind, folder, folder / "project"
        (folder / "server").mkdir()
        self.server = {"ssh": Sshd, "s3": Swift}.get(kind, lambda _: None)(folder / "server")
        self.project.mkdir()
        for name, text in (("made.py", self.made), ("dvc.yaml", self.map), ("word", "first")):
            (self.project / name).write_text(text)
        self("git", "init", "--quiet", "--initial-branch=main")
        self.identify(self.project)
        self("dvc", "init", "--quiet")
        self("dvc", "remote", "add", "--default", "store", self.url())
        self("dvc", "remote", "modify", "store", "verify", "true")
        for option, value in self.options().items():
            self("dvc", "remote", "modify", "store", option, value)
        self.allow(self.project)
        self.version("first", "pairs@v1.0.0")
        self("git", "tag", "--message", "in use", "pairs#prod#1")
        self.version("second", "pairs@v1.1.0")

    def identify(self, clone: Path) -> None:
        """Git wants to know who commits, and so does an experiment."""
        for name, value in (("user.name", "test"), ("user.email", "test@localhost")):
            self("git", "config", name, value, at=clone)

    def url(self) -> str:
        return {"ssh": lambda: self.server.url, "s3": lambda: f"s3://{BUCKET}/proj"}.get(
            self.kind, lambda: str(self.folder / "server/store")
        )()

    def options(self) -> dict[str, str]:
        if self.kind == "s3":
            return {"endpointurl": self.server.endpoint, "region": "us-east-1"}
        return {"allow_agent": "false"} if self.kind == "ssh" else {}

    def allow(self, clone: Path, *, rightly: bool = True, as_reader: bool = False) -> None:
        """Give a clone credentials in its own, uncommitted settings: right ones, wrong ones, or those of a reader."""
        given = {}
        if self.kind == "ssh":
            who = "reader" if as_reader else "user" if rightly else "wrong"
            given = {"keyfile": str(self.folder / f"server/{who}_key")}
        if self.kind == "s3":
            secret = SECRET if rightly else "hunter2-wrong"
            given = {"access_key_id": READER if as_reader else KEY, "secret_access_key": secret}
        for option, value in given.items():
            self("dvc", "remote", "modify", "--local", "store", option, value, at=clone)

    def version(self, word: str, tag: str) -> None:
        (self.project / "word").write_text(word)
        self("dvc", "repro", "--quiet")
        self("git", "add", "--all")
        self("git", "commit", "--quiet", "--message", word)
        self("git", "tag", tag)
        self("dvc", "push", "--quiet")

    def clone(self, name: str, *, rightly: bool = True) -> Path:
        target = self.folder / name
        self("git", "clone", "--quiet", str(self.project), str(target))
        self.identify(target)
        self.allow(target, rightly=rightly)
        return target

    def __call__(self, *command: str, at: Path | None = None, ok: bool = True):
        return run(at or self.project, *command, ok=ok, **env(self.folder))

    def persuasion(self, *arguments: str, at: Path, ok: bool = True):
        done = self(sys.executable, "-m", "persuasion.lab.cli", *arguments, at=at, ok=ok)
        assert "Traceback" not in done.stderr and "hunter2" not in done.stdout + done.stderr
        return done


def env(folder: Path) -> dict[str, str]:
    """Nothing of this user's: no keys, no settings, no shared state."""
    (folder / "empty").touch()
    places = {name: str(folder / name.lower()) for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SITE_CACHE_DIR", "HOME")}
    aws = {name: str(folder / "empty") for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")}
    more = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "2", "SSH_AUTH_SOCK": "", "PYTHONPATH": str(ROOT)}
    return {**places, **aws, **more}


@pytest.fixture(scope="module", params=KINDS)
def remote(request, tmp_path_factory):
    made = Remote(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    if made.server:
        made.server.kill()


@pytest.mark.slow
def test_a_fresh_clone_pulls_the_same_bytes_and_has_nothing_to_run(remote):
    clone = remote.clone("fresh")
    remote.persuasion("pull", at=clone)
    for name in ("data/pairs/train.parquet", "report/7.txt"):
        assert (clone / name).read_bytes() == (remote.project / name).read_bytes()
    assert "Data and pipelines are up to date" in remote("dvc", "repro", at=clone).stdout
    told = json.loads(remote.persuasion("verify", "--remote", "store", "--json", at=clone).stdout)
    assert told["checked"] == {"cache": 35, "remote store": 35, "workspace": 33} and not told["findings"]


@pytest.mark.slow
def test_versions_stages_and_commits_are_got_without_a_clone_and_without_a_cache(remote):
    clone = remote.clone("reader")
    texts = {}
    for rev in ("v1.0.0", "pairs@v1.0.0", "#prod", "v1.1.0", "main"):
        out = remote.folder / f"got-{rev}"
        got = json.loads(
            remote.persuasion("get", "pairs", "--rev", rev, "--repo", str(clone), "-o", str(out), "--json",
                              at=remote.folder).stdout
        )  # fmt: skip
        texts[rev] = (out / "train.parquet").read_bytes()
        assert got["files"] == 3 and got["fetched"]
    assert texts["v1.0.0"] == texts["pairs@v1.0.0"] == texts["#prod"] != texts["v1.1.0"] == texts["main"]


@pytest.mark.slow
def test_the_run_cache_spares_another_clone_the_run(remote):
    remote("dvc", "push", "--quiet", "--run-cache")
    clone = remote.clone("runner")
    (clone / "dvc.lock").unlink()
    remote("dvc", "fetch", "--quiet", "--run-cache", at=clone)
    said = remote("dvc", "repro", "--pull", at=clone).stdout
    assert "is cached" in said and "Running" not in said
    assert (clone / "report/7.txt").read_bytes() == (remote.project / "report/7.txt").read_bytes()


@pytest.mark.slow
def test_an_experiment_travels_with_its_outputs_and_is_got_by_its_name(remote):
    maker, taker = remote.clone("maker"), remote.clone("taker")
    (maker / "word").write_text("tried")
    remote("dvc", "exp", "run", "--quiet", "--name", "trial", at=maker)
    remote("dvc", "exp", "push", "--quiet", "origin", "trial", at=maker)
    remote("dvc", "exp", "pull", "--quiet", "origin", "trial", at=taker)
    remote("dvc", "exp", "apply", "--quiet", "trial", at=taker)
    assert (taker / "report/7.txt").read_text().startswith("tried 7")
    assert "Data and pipelines are up to date" in remote("dvc", "repro", at=taker).stdout
    out = remote.folder / "got-trial"
    remote.persuasion("get", "pairs", "--rev", "trial", "--repo", str(taker), "-o", str(out), at=remote.folder)
    assert (out / "train.parquet").read_bytes() == (maker / "data/pairs/train.parquet").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["push", "pull"])
def test_wrong_credentials_are_one_message_and_exit_5(remote, verb):
    if remote.kind == "folder":
        pytest.skip("a folder has no credentials")
    clone = remote.clone(f"wrong-{verb}", rightly=False)
    if verb == "push":
        shutil.copytree(remote.project / ".dvc/cache", clone / ".dvc/cache")
    done = remote.persuasion(verb, at=clone, ok=False)
    assert done.returncode == 5 and "credentials" in done.stderr and len(done.stderr.splitlines()) <= 4
    got = remote.persuasion("get", "report", "--repo", str(clone), "-o", "elsewhere", at=clone, ok=False)
    assert got.returncode == (0 if verb == "push" else 5) and (clone / "elsewhere").exists() == (verb == "push")
    doctor = remote.persuasion("doctor", at=clone, ok=False)
    assert doctor.returncode == 4 and "fail  remote store" in doctor.stdout


@pytest.mark.slow
def test_a_server_that_goes_away_costs_a_rerun(remote):
    if remote.kind == "folder":
        pytest.skip("a folder has no server")
    clone = remote.clone("killed")
    shutil.copytree(remote.project / ".dvc/cache", clone / ".dvc/cache")
    (clone / "word").write_text("third")
    remote("dvc", "repro", "--quiet", at=clone)
    command = [sys.executable, "-m", "persuasion.lab.cli"]
    settings = {**os.environ, **env(remote.folder)}
    for verb in ("push", "pull"):
        if verb == "pull":
            shutil.rmtree(clone / ".dvc/cache")
            shutil.rmtree(clone / "report")
        process = subprocess.Popen([*command, verb], cwd=clone, env=settings, stderr=subprocess.PIPE, text=True)
        time.sleep(0.2)  # the command is still starting, so what it finds does not hang on how fast a machine is
        remote.server.kill()
        _, said = process.communicate(timeout=200)
        assert process.returncode == 5 and "fix" in said and "Traceback" not in said
        remote.server.start()
        remote.persuasion(verb, at=clone)
    remote.persuasion("verify", "--remote", "store", at=clone)


@pytest.mark.slow
def test_doctor_finds_the_remote_well_and_leaves_nothing_there(remote):
    done = remote.persuasion("doctor", at=remote.project)
    assert "ok    remote store" in done.stdout and SECRET not in done.stdout.replace("test_", "")
    if remote.kind == "s3":
        names = [one["Key"] for one in remote.server.client().list_objects_v2(Bucket=BUCKET)["Contents"]]
    else:
        names = [path.name for path in remote.folder.rglob("*")]
    assert names and not [name for name in names if ".persuasion-probe-" in name]


@pytest.mark.slow
def test_a_rotten_and_a_missing_object_on_the_remote_are_told_and_mended(remote):
    clone = remote.clone("mender")
    remote.persuasion("pull", at=clone)
    first, second = (output_md5(remote.project / f"report/{n}.txt") for n in (1, 2))
    _replace(remote, first, b"x" * (remote.project / "report/1.txt").stat().st_size)
    _replace(remote, second, None)
    fresh = remote.clone("unlucky")
    done = remote.persuasion("pull", at=fresh, ok=False)
    assert done.returncode in (5, 7) and not (fresh / "report/2.txt").exists()
    got = remote.persuasion("get", "report", "--repo", str(fresh), "-o", "got", at=fresh, ok=False)
    assert got.returncode in (5, 7) and not (fresh / "got").exists()
    told = remote.persuasion("verify", "--remote", "store", "--json", "--repair", at=clone, ok=False)
    findings = {(one["how"], one["md5"]) for one in json.loads(told.stdout)["findings"]}
    assert told.returncode == 7 and findings == {("corrupt", first), ("missing", second)}
    for fix in {one["fix"] for one in json.loads(told.stdout)["findings"]}:
        remote("bash", "-c", fix.rpartition(";")[2], at=clone)
    remote.persuasion("verify", "--remote", "store", at=clone)
    remote.persuasion("pull", at=fresh)


def _replace(remote: Remote, md5: str, content: bytes | None) -> None:
    """Put other bytes under an object's name, or nothing."""
    key = f"files/md5/{md5[:2]}/{md5[2:]}"
    if remote.kind == "s3":
        client = remote.server.client()
        if content is None:
            client.delete_object(Bucket=BUCKET, Key=f"proj/{key}")
        else:
            client.put_object(Bucket=BUCKET, Key=f"proj/{key}", Body=content)
        return
    path = remote.folder / "server/store" / key
    path.chmod(0o644)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
