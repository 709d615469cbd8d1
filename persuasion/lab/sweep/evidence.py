"""An experiment's own figures, and the proof that they are its own.

`dvc exp show` gives a failed, queued or running experiment the figures of the commit it started from.
So nothing is read from there: an experiment counts once its git ref exists, its parent is the study's commit,
its parameters are that commit's with the trial's overrides and nothing else, and dvc.lock says that what wrote
the figures ran with them.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from persuasion.findings import dig
from persuasion.lab import versions
from persuasion.lab.sweep.spec import Spec
from persuasion.lab.workspace import flat
from persuasion.yaml12 import Yaml12Loader


class Foreign(Exception):
    """An experiment of the trial's name that is not the trial's; says why."""


class Undefined(Exception):
    """The trial's own experiment has no finite figure there; says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """An experiment's commit, and its figures in the order of the objectives."""

    rev: str
    values: tuple[float, ...]


def ref(baseline: str, name: str) -> str:
    """Where git keeps the experiment."""
    return f"refs/exps/{baseline[:2]}/{baseline[2:]}/{name}"


def revision(repository: Path, baseline: str, name: str) -> str:
    """The experiment's commit, "" where there is none."""
    return versions.git(repository, "rev-parse", "--verify", "--quiet", f"{ref(baseline, name)}^{{commit}}").strip()


def read(repository: Path, spec: Spec, baseline: str, name: str, params: Mapping[str, Any]) -> Evidence | None:
    """The trial's figures; None while there is no experiment. Raises Foreign or Undefined."""
    rev = revision(repository, baseline, name)
    if not rev:
        return None
    if versions.git(repository, "rev-parse", f"{rev}^").strip() != baseline:
        raise Foreign(f"{name} starts from another commit than {baseline[:7]}")
    tree = at(repository, rev, "params.yaml")
    wanted = dict(flat(at(repository, baseline, "params.yaml"))) | dict(params)
    found = dict(flat(tree))
    odd = sorted(_unequal(wanted, found))
    if odd:
        raise Foreign(f"{name} ran with {odd[0]} = {found.get(odd[0])!r} and not {wanted.get(odd[0])!r}")
    lock = at(repository, rev, "dvc.lock")
    values = [_value(repository, rev, lock, tree, objective.file, objective.name) for objective in spec.objectives]
    return Evidence(rev=rev, values=tuple(values))


def _unequal(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    for path in {**one, **other}:
        if path not in one or path not in other or one[path] != other[path]:
            yield path


def _value(repository: Path, rev: str, lock: Any, params: Any, file: str, name: str) -> float:
    content = versions.git(repository, "cat-file", "blob", f"{rev}:{file}")
    stages = lock.get("stages") or {}
    makers = [stage for stage in stages.values() for out in stage.get("outs", ()) if out["path"] == file]
    hashes = [out["md5"] for stage in makers for out in stage["outs"] if out["path"] == file]
    if not content or hashes != [hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()]:
        raise Foreign(f"dvc.lock of {rev[:7]} does not vouch for {file}")
    recorded = makers[0].get("params", {}).get("params.yaml", {})
    odd = [path for path, value in recorded.items() if dig(params, path) != value]
    if odd:
        raise Foreign(f"{file} of {rev[:7]} was made with another {odd[0]}")
    value = dig(json.loads(content), name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise Undefined(f"{file} has {name} = {value!r}")
    return float(value)


def at(repository: Path, rev: str, path: str) -> Any:
    """A YAML file as of a commit."""
    return yaml.load(versions.git(repository, "cat-file", "blob", f"{rev}:{path}"), Loader=Yaml12Loader) or {}  # noqa: S506
