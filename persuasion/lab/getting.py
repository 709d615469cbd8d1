"""``persuasion get``: one output of any version of any clone or address, whole and checked, without cloning.

Through DVC's file system, which reads git and the remote; what arrives is hashed against that version's
dvc.lock before it gets its name, so neither a broken connection nor a rotten object can pass for it.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from persuasion.errors import DataFailure, Failure, IntegrityFailure, RemoteFailure, UsageFailure
from persuasion.files import replaced
from persuasion.lab.hashes import output_md5
from persuasion.lab.locks import serves
from persuasion.lab.refusing import clean, refusal
from persuasion.lab.workspace import DATA, top
from persuasion.yaml12 import Yaml12Loader

OUTPUTS = {**DATA, "report": "report"}
_STAGED = re.compile(r"(?P<name>[A-Za-z0-9_-]*)#(?P<stage>[A-Za-z0-9_-]+)")
_VERSION = re.compile(r"v?\d+(?:\.\d+)*[\w.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Got:
    """What was fetched: which output, of which revision (as resolved), its hash, files and bytes, and where it is."""

    what: str
    rev: str
    md5: str
    files: int
    bytes: int
    out: str
    fetched: bool


def get(what: str, *, rev: str | None, repo: str | None, out: str | None) -> Got:
    """Put the output ``what`` of revision ``rev`` of ``repo`` at ``out`` (default: its own name, here).

    Raises UsageFailure for a revision that is not there or a place that is taken, DataFailure when that
    version has no such output, RemoteFailure, and IntegrityFailure for bytes that are not those of dvc.lock.
    """
    url = source(repo)
    target = Path(out) if out else Path(what)
    with opened(url, rev, what) as (fs, commit):
        path, md5 = locked(fs, what, f"{clean(url)} at {rev or commit}")
        there = target.exists() and (not target.is_dir() or any(target.iterdir()))
        if there and output_md5(target) != md5:
            raise UsageFailure(f"{target} holds something else", why=f"{what} would replace it", fix="name another -o")
        if not there:
            with replaced(target) as partial:
                download(fs, path, md5, partial)
    files = [path for path in (target, *target.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    return Got(what=what, rev=commit, md5=md5, files=len(files), bytes=size, out=str(target), fetched=not there)


def source(repo: str | None) -> str:
    """The repository asked for; without one, the project that we stand in."""
    return repo or str(top(Path.cwd()))


@contextmanager
def opened(url: str, rev: str | None, what: str) -> Iterator[tuple[Any, str]]:
    """DVC's file system of one revision, and that revision's name; its errors become ours."""
    from dvc.api import DVCFileSystem

    asked = resolved(what, rev, url)
    try:
        fs = DVCFileSystem(url, rev=asked, subrepos=True, config={"core": {"autostage": False}})
        commit = fs.repo.get_rev()
    except Exception as error:  # git, DVC and every transport have errors of their own
        raise _unopened(error, url, rev) from None
    with fs.repo:
        yield fs, str(commit)


def resolved(what: str, rev: str | None, url: str) -> str | None:
    """A revision that git or DVC knows, from the registry's names: ``#prod``, ``adapter#prod``, ``v1.0.0``."""
    local = Path(url).is_dir()
    if rev is None:
        return "HEAD" if local and (Path(url) / ".git").exists() else None
    if not rev or rev.startswith("-"):
        raise UsageFailure(f"{rev!a} is no revision", fix="name a tag, branch, commit or experiment")
    staged = _STAGED.fullmatch(rev)
    if staged:
        return _staged(staged["name"] or what, staged["stage"], url)
    tag = f"{what}@{rev}"
    if _VERSION.fullmatch(rev):
        tags = _tags(url)
        return tag if tag in tags and rev not in tags else rev
    return rev


def locked(fs: Any, what: str, where: str) -> tuple[str, str]:
    """The path of an output, and the hash that this revision's dvc.lock has for it."""
    try:
        stages = yaml.load(fs.read_text("dvc.lock", encoding="utf-8"), Loader=Yaml12Loader)["stages"]  # noqa: S506
        outs = [out for stage in stages.values() for out in stage.get("outs", ())]
        path = f"models/{serves(stages)}" if what == "base" else OUTPUTS[what]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise DataFailure("that version has no readable dvc.lock", where=where, fix="choose another --rev") from None
    for out in outs:
        if out.get("path") == path and out.get("md5"):
            return path, str(out["md5"])
    raise DataFailure(f"that version has no {path}", where=where, fix="choose another --rev, or run `dvc repro` there")


def download(fs: Any, path: str, md5: str, target: Path) -> None:
    """Fetch an output to ``target`` and hash it. Raises RemoteFailure, or IntegrityFailure when a byte differs."""
    try:
        fs.get(path, str(target), recursive=True)
    except Exception as error:  # stores have errors of all kinds
        raise refusal(f"{path} could not be fetched", error) from None
    got = output_md5(target)
    if got == md5:
        return
    if got is None or (target.is_dir() and not any(target.iterdir())):
        raise RemoteFailure(
            f"{path} could not be fetched", why="objects are missing there", fix="`dvc push` where made"
        )
    raise IntegrityFailure(
        f"{path} arrived with other bytes than dvc.lock names",
        why=f"{got} instead of {md5}: an object is corrupt in the cache or on the remote",
        fix="`persuasion verify --remote NAME --repair` where it was pushed from, then `dvc push`",
    )


@contextmanager
def together(names: tuple[str, ...], *, rev: str | None, repo: str | None) -> Iterator[dict[str, Path]]:
    """Several outputs of one revision by name, in a folder that lasts as long as the block."""
    url = source(repo)
    with tempfile.TemporaryDirectory(prefix="persuasion-") as place, opened(url, rev, names[0]) as (fs, commit):
        found = {name: Path(place) / name for name in names}
        for name, target in found.items():
            path, md5 = locked(fs, name, f"{clean(url)} at {rev or commit}")
            download(fs, path, md5, target)
        yield found


def _staged(name: str, stage: str, url: str) -> str:
    from dvc.api import artifacts_show
    from dvc.exceptions import ArtifactNotFoundError

    try:
        return str(artifacts_show(name, stage=stage, repo=url)["rev"])
    except ArtifactNotFoundError:
        raise UsageFailure(
            f"no version of {name} is in the stage {stage}",
            where=clean(url),
            fix=f"assign one, annotated: git tag -m {stage} '{name}#{stage}#1' COMMIT && git push --tags",
        ) from None
    except Exception as error:
        raise _unopened(error, url, f"{name}#{stage}") from None


def _tags(url: str) -> frozenset[str]:
    command = ["git", "ls-remote", "--tags", "--refs", "--", url]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise refusal("git's tags could not be listed", error, where=url) from None
    return frozenset(line.partition("refs/tags/")[2] for line in done.stdout.splitlines())


def _unopened(error: Exception, url: str, rev: str | None) -> Failure:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "RevError" in kinds:
        return UsageFailure(
            f"{rev} is no tag, branch, commit or experiment there",
            where=clean(url),
            fix="`git ls-remote URL` and `dvc exp list URL` list them; a local clone may want `git fetch --tags` first",
        )
    if "NotDvcRepoError" in kinds or (Path(url).is_dir() and "SCMError" in kinds):
        return UsageFailure("there is no DVC repository there", where=clean(url), fix="name one with --repo")
    return refusal("the repository could not be opened", error, where=url)
