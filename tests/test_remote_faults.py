"""Real servers that die in the midst of a transfer, hang, refuse, fill up or are pushed to by two at once.

Each ends in one message and exit 5 (4 for the disk here), leaves nothing that passes for whole, and the same command
again completes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from persuasion.lab.hashes import stream_md5
from tests.servers.running import SECRET, small_disk, stored
from tests.test_remotes import Remote, env

pytestmark = pytest.mark.slow
MANY = """
import pathlib, random
word = open("word").read().strip()
pathlib.Path("report").mkdir()
noise = random.Random(word)
for n in range(40):
    pathlib.Path(f"report/{n}.bin").write_bytes(noise.randbytes(100_000))
pathlib.Path("weights").write_bytes(noise.randbytes(40_000_000))
"""
MAP = """
stages:
  make: {cmd: python made.py, deps: [made.py, word], outs: [report, weights]}
"""
OBJECTS = 42  # with the folder's list
MIDST = {"ssh": 5_000_000, "s3": 1_500_000}
"""Bytes there in the midst of a transfer: of the large file over SSH; Swift shows an object only when it is whole."""


class Big(Remote):
    """A project with one large file and many small ones, pushed once."""

    made, map = MANY, MAP


@pytest.fixture(scope="module", params=["ssh", "s3"])
def remote(request, tmp_path_factory):
    made = Big(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    made.server.wake()
    made.server.kill()


def fresh(remote: Remote, name: str, word: str) -> Path:
    """A clone with a run of its own in its cache."""
    clone = remote.clone(name)
    shutil.rmtree(clone / ".dvc/cache", ignore_errors=True)
    (clone / "word").write_text(word)
    remote("dvc", "repro", "--quiet", at=clone)
    return clone


def begun(remote: Remote, verb: str, clone: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "persuasion.lab.cli", verb], cwd=clone, env={**os.environ, **env(remote.folder)},
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def when(seen: Callable[[], bool], process: subprocess.Popen) -> None:
    """Wait for the midst of a transfer."""
    end = time.monotonic() + 100
    while not seen():
        assert process.poll() is None and time.monotonic() < end, "the transfer was over before its midst was seen"
        time.sleep(0.002)


def ended(process: subprocess.Popen, seconds: float = 240) -> str:
    """One message and exit 5."""
    _, said = process.communicate(timeout=seconds)
    assert process.returncode == 5, said
    assert (
        said.startswith("persuasion: ") and len(said.splitlines()) <= 4 and "fix: " in said and "Traceback" not in said
    )
    assert SECRET not in said.replace("test:tester", "")
    return said


def findings(remote: Remote, clone: Path) -> list[dict]:
    done = remote.persuasion("verify", "--remote", "store", "--json", at=clone, ok=False)
    return json.loads(done.stdout)["findings"]


def cached(clone: Path) -> list[Path]:
    place = clone / ".dvc/cache/files/md5"
    return [path for path in place.rglob("*") if path.is_file() and len(path.name.removesuffix(".dir")) == 30]


def test_a_server_killed_in_the_midst_of_a_push_leaves_nothing_that_passes_for_whole(remote):
    clone = fresh(remote, "pushing", "push")
    before = remote.server.bytes()
    process = begun(remote, "push", clone)
    when(lambda: remote.server.bytes() > before + MIDST[remote.kind], process)
    remote.server.kill()
    ended(process)
    remote.server.start()
    assert findings(remote, clone), "the server was killed too late"
    other = remote.clone("reading")
    shutil.copyfile(clone / "dvc.lock", other / "dvc.lock")
    (other / "word").write_text("push")
    done = remote.persuasion("pull", at=other, ok=False)  # what is half there is delivered to nobody
    assert done.returncode in (5, 7) and not (other / "weights").exists()
    remote.persuasion("push", at=clone)
    assert not findings(remote, clone)
    remote.persuasion("pull", at=other)
    assert (other / "weights").read_bytes() == (clone / "weights").read_bytes()


def test_a_server_killed_in_the_midst_of_a_pull_leaves_nothing_that_passes_for_whole(remote):
    clone = remote.clone("pulling")
    process = begun(remote, "pull", clone)
    when(lambda: stored(clone / ".dvc/cache") > MIDST[remote.kind], process)
    remote.server.kill()
    ended(process)
    remote.server.start()
    assert len(cached(clone)) < OBJECTS, "the server was killed too late"
    assert not (clone / "report").exists() or not (clone / "weights").exists()
    for path in cached(clone):
        with path.open("rb") as stream:
            assert path.parent.name + path.name.removesuffix(".dir") == stream_md5(stream)
    remote.persuasion("pull", at=clone)
    assert not findings(remote, clone)
    assert (clone / "weights").read_bytes() == (remote.project / "weights").read_bytes()


def test_a_client_killed_in_the_midst_of_a_push_costs_a_rerun(remote):
    clone = fresh(remote, "impatient", "impatient")
    before = remote.server.bytes()
    process = begun(remote, "push", clone)
    when(lambda: remote.server.bytes() > before + MIDST[remote.kind], process)
    for child in _children(process.pid):
        os.kill(child, signal.SIGKILL)
    process.kill()
    process.communicate()
    assert findings(remote, clone), "the client was killed too late"
    remote.persuasion("push", at=clone)
    assert not findings(remote, clone)


def test_two_who_push_the_same_and_more_at_once_both_arrive(remote):
    clones = [fresh(remote, f"pusher-{n}", "both") for n in range(2)]
    (clones[1] / "word").write_text("other")
    remote("dvc", "repro", "--quiet", at=clones[1])
    running = [begun(remote, "push", clone) for clone in clones]
    for process in running:
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
    assert not [one for clone in clones for one in findings(remote, clone)]


def test_a_server_that_hangs_is_a_time_out(remote):
    verb, options, seconds = {
        "ssh": ("pull", ["timeout"], "4"),
        "s3": ("push", ["read_timeout", "connect_timeout"], "1"),  # asked a dozen times over
    }[remote.kind]
    clone = fresh(remote, "hanging", "hanging") if verb == "push" else remote.clone("hanging")
    for option in options:
        remote("dvc", "remote", "modify", "--local", "store", option, seconds, at=clone)
    remote.server.freeze()
    try:
        assert "did not answer in time" in ended(begun(remote, verb, clone))
    finally:
        remote.server.wake()
    remote.persuasion(verb, at=clone)


def test_a_reader_who_pushes_is_told_that_he_may_not(remote):
    clone = fresh(remote, "reader", "reader")
    remote.allow(clone, as_reader=True)
    said = ended(begun(remote, "push", clone))
    assert "access was denied" in said
    remote.allow(clone)
    remote.persuasion("push", at=clone)


def test_nobody_without_credentials_gets_in_and_nobody_is_asked_for_a_password(remote):
    clone = remote.clone("stranger")
    (clone / ".dvc/config.local").unlink()
    said = ended(begun(remote, "pull", clone))
    assert "credentials" in said
    remote.allow(clone)
    remote.persuasion("pull", at=clone)


def test_a_disk_that_is_full_here_is_exit_4_and_nothing_half_written(remote, tmp_path):
    clone = remote.clone("full")
    remote.allow(clone)
    with small_disk(clone / ".dvc/cache"):
        done = remote.persuasion("pull", at=clone, ok=False)
        assert done.returncode == 4 and "disk is full" in done.stderr
        for path in cached(clone):
            with path.open("rb") as stream:
                assert path.parent.name + path.name.removesuffix(".dir") == stream_md5(stream)
    remote.persuasion("pull", at=clone)
    assert not findings(remote, clone)


def test_a_disk_that_is_full_there_is_exit_5_and_nothing_half_written(remote):
    clone = fresh(remote, "overflowing", "overflow")
    with remote.server.full():
        ended(begun(remote, "push", clone))
        assert {one["how"] for one in findings(remote, clone)} == {"missing"}
    remote.persuasion("push", at=clone)
    assert not findings(remote, clone)


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout.split()
    return [int(child) for child in found]
