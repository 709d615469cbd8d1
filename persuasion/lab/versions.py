"""Every version of the outputs that git knows of, and the stores that may keep them.

Read from dvc.lock at each revision (branches, tags, experiments, all their commits), which is quick
and needs no dvc.yaml that can still be parsed. Knows nothing of what is in the outputs.
"""

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, BinaryIO

import yaml

from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.running import SECRET
from persuasion.yaml12 import Yaml12Loader, load_yaml

LOCK = "dvc.lock"
WORKSPACE = "workspace"
CACHE, REMOTE = "cache", "remote "
EXPERIMENT = "experiment "
_EXPERIMENTS, _PASSING = "refs/exps/", ("refs/exps/exec/", "refs/exps/stash", "refs/exps/celery/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A stage's output: its path, its hash, and the paths that the stage read."""

    path: str
    md5: str
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The outputs that one dvc.lock names, in an order that puts what is read before what is made of it."""

    revisions: tuple[str, ...]
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """DVC's cache or a remote: the objects (md5, folders with ``.dir``) that it holds now."""

    name: str
    database: Any
    objects: frozenset[str]

    def open(self, md5: str) -> BinaryIO:
        """Open an object for reading, wherever the store is."""
        stream: BinaryIO = self.database.fs.open(self.database.oid_to_path(md5), "rb")
        return stream


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All versions, the hashes of data that .dvc files name (raw sources), and what could not be read or seen."""

    versions: tuple[Version, ...]
    imported: frozenset[str]
    notes: tuple[str, ...]


def history(root: Path) -> History:
    """Read dvc.lock of the workspace and of every revision; equal ones are one version.

    Raises SurroundingsFailure where git is not installed; a project without git has its workspace.
    """
    texts: dict[str, list[str]] = defaultdict(list)
    if (root / LOCK).is_file():
        texts[(root / LOCK).read_text(encoding="utf-8", errors="replace")].append(WORKSPACE)
    names = _names(root)
    for text, commits in _locks(root).items():
        texts[text] += sorted(label for commit in commits for label in names.get(commit, ()))
        texts[text] += sorted(commit[:7] for commit in commits if commit not in names)
    notes, versions = [], []
    for text, revisions in texts.items():
        try:
            versions.append(Version(revisions=tuple(revisions), outputs=_outputs(text)))
        except (yaml.YAMLError, CycleError, KeyError, TypeError, AttributeError, RecursionError):
            notes.append(f"dvc.lock of {', '.join(revisions)} cannot be read")
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        notes.append("this is a shallow clone, without its older revisions: `git fetch --unshallow` first")
    return History(versions=tuple(versions), imported=_imported(root), notes=tuple(notes))


def stores(root: Path) -> tuple[list[Store], dict[str, str]]:
    """Open DVC's cache and every configured remote; of a remote that cannot be listed, return why, by name.

    Raises SurroundingsFailure where there is no DVC repository.
    """
    with repository(root) as repo:
        found, failed = [cache(repo)], {}
        for name in sorted(repo.config["remote"]):
            try:
                found.append(remote(repo, name))
            except Exception as error:  # every kind of remote has its own errors
                failed[name] = SECRET.sub("", " ".join(str(error).split()))[:200] or type(error).__name__
    return found, failed


def repository(root: Path) -> Any:
    """DVC's repository at ``root``, to be used in a ``with``. Raises SurroundingsFailure where there is none."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        return Repo(str(root))
    except DvcException as error:
        raise SurroundingsFailure(
            "there is no DVC repository here to look into", where=root, why=str(error), fix="run from the project"
        ) from None


def cache(repo: Any) -> Store:
    """DVC's cache."""
    return Store(name=CACHE, database=repo.cache.local, objects=frozenset(repo.cache.local.all()))


def remote(repo: Any, name: str) -> Store:
    """A configured remote, listed. Raises whatever its kind raises."""
    database = remote_database(repo, name)
    return Store(name=REMOTE + name, database=database, objects=frozenset(database.all()))


def remote_database(repo: Any, name: str) -> Any:
    """Where a remote's objects are. Raises FileNotFoundError for a folder that is not there, which DVC would make."""
    database = repo.cloud.get_remote_odb(name)
    if database.fs.protocol == "local" and not Path(repo.cloud.get_remote(name).path).is_dir():
        raise FileNotFoundError("its folder is not there: nothing was pushed yet, or a disk is not mounted")
    return database


def folder(md5: str, places: Sequence[Store]) -> dict[str, str] | None:
    """The hashes of an output's files by relative path; None when no store has the folder's list."""
    if not md5.endswith(".dir"):
        return {"": md5} if any(md5 in store.objects for store in places) else None
    for store in places:
        if md5 in store.objects:
            with suppress(Exception), store.open(md5) as stream:  # remotes have errors of all kinds; try the next
                return {file["relpath"]: file["md5"] for file in json.load(stream)}
    return None


def tracked(root: Path) -> list[str]:
    """The paths of data that the workspace's .dvc files name."""
    listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc").split("\0")
    found = []
    for name in sorted(filter(None, listed)):
        if (root / name).is_file():
            outs = _outs((root / name).read_text(encoding="utf-8", errors="replace"))
            found += [(Path(name).parent / out["path"]).as_posix() for out in outs if "path" in out]
    return found


def in_git(root: Path) -> frozenset[str]:
    """The outputs that dvc.yaml keeps out of the cache (figures): git has them."""
    try:
        stages = load_yaml(root / "dvc.yaml").get("stages") or {}
    except (OSError, UsageFailure, AttributeError):
        return frozenset()
    kinds = [stage.get(kind) or [] for stage in stages.values() for kind in ("outs", "metrics", "plots")]
    listed = [out for outs in kinds for out in outs if isinstance(out, dict)]
    return frozenset(p for out in listed for p, how in out.items() if (how or {}).get("cache") is False)


def _locks(root: Path) -> dict[str, list[str]]:
    """The distinct texts of dvc.lock in all of git's revisions, each with its commits."""
    commits = git(root, "rev-list", "--all").split()
    prefix = git(root, "rev-parse", "--show-prefix").strip()
    asked = "".join(f"{commit}:{prefix}{LOCK}\n" for commit in commits)
    blobs: dict[str, list[str]] = defaultdict(list)
    for commit, line in zip(commits, git(root, "cat-file", "--batch-check", given=asked).splitlines(), strict=True):
        blob, kind, *_ = line.split()
        if kind == "blob":
            blobs[blob].append(commit)
    return {git(root, "cat-file", "blob", blob): found for blob, found in blobs.items()}


def _imported(root: Path) -> frozenset[str]:
    raw = git(root, "log", "--all", "-m", "--format=", "--raw", "--no-abbrev", "--", "*.dvc").splitlines()
    blobs = sorted({line.split()[3] for line in raw if line.startswith(":")})
    return frozenset(out["md5"] for blob in blobs for out in _outs(git(root, "cat-file", "blob", blob)) if "md5" in out)


def _outs(text: str) -> list[dict[str, Any]]:
    """The outs of a .dvc file; none of one that cannot be read."""
    with suppress(yaml.YAMLError, AttributeError, RecursionError):
        outs = yaml.load(text, Loader=Yaml12Loader).get("outs") or []  # noqa: S506
        return [out for out in outs if isinstance(out, dict)]
    return []


def _names(root: Path) -> dict[str, list[str]]:
    """Branches, tags and experiments by the commit they point at."""
    names: dict[str, list[str]] = defaultdict(list)
    for line in git(root, "for-each-ref", "--format=%(objectname) %(*objectname) %(refname)").splitlines():
        commit, peeled, ref = line.split(" ", 2)
        if not ref.startswith(_PASSING):
            names[peeled or commit].append(_label(ref))
    return names


def _label(ref: str) -> str:
    if ref.startswith(_EXPERIMENTS):
        return EXPERIMENT + ref.rpartition("/")[2]
    for kind, words in (("refs/heads/", ""), ("refs/tags/", "tag "), ("refs/remotes/", "")):
        if ref.startswith(kind):
            return words + ref.removeprefix(kind)
    return ref


def _outputs(text: str) -> tuple[Output, ...]:
    stages = (yaml.load(text, Loader=Yaml12Loader) or {}).get("stages") or {}  # noqa: S506
    read = {name: tuple(dep["path"] for dep in stage.get("deps", ())) for name, stage in stages.items()}
    made = {out["path"]: name for name, stage in stages.items() for out in stage.get("outs", ())}
    order = TopologicalSorter({name: {made[path] for path in made if _touches(path, read[name])} for name in stages})
    return tuple(_listed(order.static_order(), stages, read))


def _listed(order: Any, stages: dict[str, Any], read: dict[str, tuple[str, ...]]) -> Iterator[Output]:
    for name in order:
        for out in stages[name].get("outs", ()):
            if "md5" in out:
                yield Output(path=out["path"], md5=out["md5"], read=read[name])


def _touches(path: str, others: Sequence[str]) -> bool:
    return any(touch(path, other) for other in others)


def touch(path: str, other: str) -> bool:
    """Whether two paths are one, or one lies in the other."""
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def git(root: Path, *arguments: str, given: str | None = None) -> str:
    """What git prints, or nothing where there is no repository."""
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", errors="replace")  # noqa: S603
    except FileNotFoundError:
        raise SurroundingsFailure("git is not installed", fix="install git") from None
    return done.stdout if done.returncode == 0 else ""
