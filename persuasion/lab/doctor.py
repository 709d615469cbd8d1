"""``persuasion doctor``: one line for each thing that a run leans on: ok, warn or fail, with the fix. No secrets."""

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from persuasion.errors import Failure
from persuasion.lab import versions
from persuasion.lab.refusing import clean, refusal, shortened
from persuasion.running import SECRET

OK, WARN, FAIL = "ok", "warn", "fail"
PATIENCE = 60
"""Seconds that a remote may take for all of list, put, get and delete."""
_NEEDED = ("dvc", "torch", "transformers", "peft", "trl", "mlflow", "optuna", "datasets", "pyarrow")
_LOW, _EMPTY = 5, 1  # GiB free
_CREDENTIAL = (
    "access_key_id",
    "secret_access_key",
    "session_token",
    "password",
    "passphrase",
    "sas_token",
    "account_key",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What was looked at, how it is (ok, warn, fail), what was seen, and what to do about it."""

    name: str
    state: str
    seen: str
    fix: str = ""


def examine(root: Path) -> list[Line]:
    """Look at everything; whatever goes wrong with one look is that look's line."""
    looks: list[tuple[str, Callable[[Path], Iterator[Line]]]] = [
        ("environment", _environment), ("git", _git), ("dvc", _dvc), ("mlflow", _mlflow),
        ("optuna", _optuna), ("gpu", _gpu), ("disk", _disk),
    ]  # fmt: skip
    lines: list[Line] = []
    for name, look in looks:
        try:
            lines += look(root)
        except Exception as error:  # a doctor must not fall ill of what it finds
            lines.append(Line(name=name, state=FAIL, seen=shortened(error), fix="see the message"))
    return lines


def text(lines: list[Line]) -> str:
    """One line each."""
    return "\n".join(f"{one.state:5} {one.name:16} {one.seen}{f' – fix: {one.fix}' * bool(one.fix)}" for one in lines)


def _environment(root: Path) -> Iterator[Line]:
    missing, found = [], {}
    for name in _NEEDED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            missing.append(name)
    yield Line(name="python", state=OK, seen=".".join(map(str, sys.version_info[:3])))
    if missing:
        yield Line(name="packages", state=FAIL, seen=f"{', '.join(missing)} missing", fix="make env")
    else:
        yield Line(name="packages", state=OK, seen=", ".join(f"{name} {number}" for name, number in found.items()))


def _git(root: Path) -> Iterator[Line]:
    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)  # noqa: S603
        return done.stdout.strip()

    head = git("rev-parse", "--short", "HEAD")
    if not head:
        yield Line(name="git", state=FAIL, seen="no commit here", fix="git init && git add --all && git commit")
        return
    dirty = len(git("status", "--porcelain").splitlines())
    if git("rev-parse", "--is-shallow-repository") == "true":
        yield Line(
            name="git", state=FAIL, seen=f"{head}, a shallow clone: experiments are lost", fix="git fetch --unshallow"
        )
    elif dirty:
        yield Line(
            name="git",
            state=WARN,
            seen=f"{head}, {dirty} files changed",
            fix="git commit before an experiment",
        )
    else:
        yield Line(name="git", state=OK, seen=f"{head}, clean")
    if not git("config", "user.email"):
        yield Line(name="git identity", state=WARN, seen="none", fix="git config user.name … user.email …")


def _dvc(root: Path) -> Iterator[Line]:
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        repo = Repo(str(root))
    except DvcException as error:
        yield Line(name="dvc", state=FAIL, seen=shortened(error), fix="run from the project, or `dvc init`")
        return
    with repo:
        yield Line(name="dvc", state=OK, seen=f"cache {repo.cache.local.path}")
        if not repo.config["remote"]:
            yield Line(name="dvc remote", state=WARN, seen="none", fix="dvc remote add (docs/how-to/remotes.md)")
        committed = repo.config.load_one("repo").get("remote", {})
        for name, settings in sorted(repo.config["remote"].items()):
            yield _probed(repo, name)
            exposed = sorted(set(_CREDENTIAL) & set(committed.get(name, {})))
            if exposed:
                fix = f"dvc remote modify --unset {name} {exposed[0]}, use --local, and change the credential"
                yield Line(name=f"remote {name}", state=FAIL, seen=f"{exposed[0]} stands in .dvc/config", fix=fix)
            if not settings.get("verify"):
                fix = f"dvc remote modify {name} verify true"
                yield Line(name=f"remote {name}", state=WARN, seen="pulls are not checked against their hash", fix=fix)


def _probed(repo: Any, name: str) -> Line:
    """Put, list, get and delete one small object; in a thread, for a client may wait longer than a person."""
    ended: list[Failure | None] = []

    def probe() -> None:
        try:
            _probe(versions.remote_database(repo, name))
            ended.append(None)
        except Exception as error:  # every kind of remote has its own errors
            ended.append(refusal(f"remote {name}", error))

    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    url = clean(repo.config["remote"][name]["url"])
    if not ended:
        return Line(
            name=f"remote {name}", state=FAIL, seen=f"{url}: no answer in {PATIENCE} s", fix="check the network"
        )
    if ended[0]:
        return Line(name=f"remote {name}", state=FAIL, seen=f"{url}: {ended[0].why}", fix=ended[0].fix)
    return Line(name=f"remote {name}", state=OK, seen=f"{url}: put, list, get, delete")


def _probe(database: Any) -> None:
    fs, name = database.fs, f".persuasion-probe-{secrets.token_hex(8)}"
    path, content = fs.join(database.path, name), secrets.token_bytes(16)
    fs.makedirs(database.path, exist_ok=True)
    with fs.open(path, "wb") as stream:
        stream.write(content)
    try:
        fs.fs.invalidate_cache()
        if name not in {entry.rstrip("/").rpartition("/")[2] for entry in fs.ls(database.path, detail=False)}:
            raise OSError("an object that was put is not listed")
        with fs.open(path, "rb") as stream:
            if stream.read() != content:
                raise OSError("an object came back with other bytes")
    finally:
        fs.remove(path)
    if fs.exists(path):
        raise OSError("an object that was deleted is still there")


def _mlflow(root: Path) -> Iterator[Line]:
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    if uri.startswith("http"):
        import urllib.request

        address = SECRET.sub("", uri)  # who asks for /health need not say who they are
        try:
            with urllib.request.urlopen(address.rstrip("/") + "/health", timeout=10) as answer:  # noqa: S310
                state = OK if answer.status == 200 else FAIL
                yield Line(name="mlflow", state=state, seen=f"{clean(uri)} answers {answer.status}")
        except OSError as error:
            seen = f"{clean(uri)}: {shortened(error)}"
            yield Line(
                name="mlflow", state=WARN, seen=seen, fix="start it; runs go on, and `persuasion track sync` catches up"
            )
        return
    store = root / "mlflow.db"
    seen = f"{clean(uri) or 'sqlite:///mlflow.db'}{'' if store.exists() or uri else ' (made at the first run)'}"
    yield Line(name="mlflow", state=OK, seen=seen)


def _optuna(root: Path) -> Iterator[Line]:
    """The storage that sweep.yaml or PERSUASION_SWEEP_STORAGE names: a journal here, or a database that must answer."""
    from persuasion.lab.sweep.spec import FILE, load
    from persuasion.lab.sweep.storage import VARIABLE

    url = os.environ.get(VARIABLE) or (load(root / FILE).settings.storage if (root / FILE).is_file() else None)
    if not url:
        place = root / ".persuasion/sweep"
        seen = "journal in .persuasion/sweep" + ("" if place.exists() else " (made at the first sweep)")
        yield Line(name="optuna", state=OK, seen=seen)
        return
    from sqlalchemy import create_engine

    try:
        with create_engine(url).connect():
            yield Line(name="optuna", state=OK, seen=f"{clean(url)} answers")
    except Exception as error:  # every database has errors of its own
        fix = f"start it, or correct `storage` in {FILE} or {VARIABLE}"
        yield Line(name="optuna", state=FAIL, seen=f"{clean(url)}: {shortened(error)}", fix=fix)


def _gpu(root: Path) -> Iterator[Line]:
    import torch

    if not torch.cuda.is_available():
        yield Line(name="gpu", state=OK, seen="none: everything runs on the CPU")
        return
    free, total = torch.cuda.mem_get_info()
    seen = f"{torch.cuda.get_device_name()}, {free >> 30} of {total >> 30} GiB free"
    yield Line(name="gpu", state=OK, seen=seen)


def _disk(root: Path) -> Iterator[Line]:
    free = shutil.disk_usage(root).free >> 30
    state = FAIL if free < _EMPTY else WARN if free < _LOW else OK
    fix = "" if state == OK else "make room: `dvc gc --workspace --dry` tells what the cache could give up"
    yield Line(name="disk", state=state, seen=f"{free} GiB free", fix=fix)
