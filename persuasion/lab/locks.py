"""dvc.lock itself: what it names, and where it contradicts itself, git or the files that it speaks of.

A lock edited by hand names hashes that nothing has, or speaks of inputs that neither the committed
files nor the outputs before them are. What was edited since the last run is no such thing, only a note.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion.errors import IntegrityFailure, SurroundingsFailure, UsageFailure
from persuasion.files import digest
from persuasion.findings import dig
from persuasion.lab import versions
from persuasion.lab.hashes import output_md5
from persuasion.lab.versions import LOCK
from persuasion.yaml12 import load_yaml

Tree = dict[str, Any]
KEY = "persuasion.json"
"""As ``models.KEY``, whose room imports torch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An output in dvc.lock, and the stage that made it."""

    stage: str
    path: str
    md5: str


def entries(root: Path) -> list[Entry]:
    """Every output that dvc.lock names by a hash, by path."""
    found = [
        Entry(stage=name, path=str(out["path"]), md5=str(out["md5"]))
        for name, stage in _stages(root).items()
        for out in stage.get("outs", ())
        if "md5" in out
    ]
    return sorted(found, key=lambda entry: entry.path)


def oddities(root: Path, sound: Collection[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """What cannot have come about by a run (path, why), and what was merely edited since the last one.

    ``sound``: the outputs that lie here with the hash that dvc.lock names; of the others their hash says enough.
    """
    stages = _stages(root)
    made = {str(out["path"]): out for stage in stages.values() for out in stage.get("outs", ())}
    committed, edited = _in_git(root)
    odd = [*_between(stages, made), *_sizes(root, {path: out for path, out in made.items() if path in sound})]
    notes = []
    for name, path, why in (*_inputs(root, stages, made), *_params(root, stages)):
        if _touches(path, committed) and not _touches(path, edited):
            odd.append((path, f"{why} of stage {name}, yet git has the file unchanged"))
        else:
            notes.append(f"{path} was edited since {name} ran: `dvc repro`")
    odd += _adapter(root, f"models/{serves(stages)}", sound)
    return sorted(set(odd)), sorted(set(notes))


def serves(stages: Tree) -> str:
    """The model that the adapter belongs to, by its folder's name under models."""
    params = stages.get("train", {}).get("params", {}).get("params.yaml", {})
    return str(params.get("base.serves", "base"))


def _stages(root: Path) -> Tree:
    if not (root / LOCK).is_file():
        raise SurroundingsFailure("there is no dvc.lock here: nothing was run yet", where=root, fix="dvc repro")
    try:
        stages: Tree = load_yaml(root / LOCK)["stages"]
        for stage in stages.values():
            for thing in (*stage.get("outs", ()), *stage.get("deps", ())):
                thing["path"]
        return stages
    except (UsageFailure, KeyError, TypeError, AttributeError) as error:
        why = error.why or error.what if isinstance(error, UsageFailure) else "it is not what DVC writes"
        raise IntegrityFailure(
            "dvc.lock cannot be read", where=root / LOCK, why=why, fix="git restore dvc.lock"
        ) from None


def _between(stages: Tree, made: Mapping[str, Tree]) -> Iterator[tuple[str, str]]:
    """An output and those who read it must agree on its hash."""
    for name, stage in stages.items():
        for dep in stage.get("deps", ()):
            out = made.get(dep["path"])
            if out and "md5" in out and dep.get("md5") != out["md5"]:
                yield dep["path"], f"stage {name} read another version than the one that dvc.lock names as made"


def _sizes(root: Path, made: Mapping[str, Tree]) -> Iterator[tuple[str, str]]:
    for path, out in made.items():
        place = root / path
        files = [file for file in (place, *place.rglob("*")) if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        if files and "size" in out and size != out["size"]:
            yield path, f"dvc.lock names {out['size']} bytes, here are {size}"


def _inputs(root: Path, stages: Tree, made: Mapping[str, Tree]) -> Iterator[tuple[str, str, str]]:
    """Files of no stage (code, sources) that are not those that a stage ran on."""
    hashes: dict[str, str | None] = {}
    for name, stage in stages.items():
        for dep in stage.get("deps", ()):
            path = dep["path"]
            if "md5" not in dep or any(path == out or path.startswith(f"{out}/") for out in made):
                continue
            if path not in hashes:
                hashes[path] = output_md5(root / path)
            if hashes[path] != dep["md5"]:
                yield name, path, "it is another than the input"


def _params(root: Path, stages: Tree) -> Iterator[tuple[str, str, str]]:
    trees: dict[str, Any] = {}
    for name, stage in stages.items():
        for file, values in stage.get("params", {}).items():
            if file not in trees:
                trees[file] = load_yaml(root / file) if (root / file).is_file() else {}
            wrong = [path for path, value in values.items() if dig(trees[file], path) != value]
            if wrong:
                yield name, file, f"{wrong[0]} is another than the parameter"


def _adapter(root: Path, base: str, sound: Collection[str]) -> Iterator[tuple[str, str]]:
    """An adapter says which base it belongs to; one from elsewhere may have brought its own lock."""
    key = root / "models/adapter" / KEY
    if not {"models/adapter", base} <= set(sound) or not key.is_file():
        return
    try:
        belongs = json.loads(key.read_text(encoding="utf-8")).get("base_sha256")
    except (ValueError, AttributeError):
        belongs = "nothing readable"
    if belongs is not None and belongs != digest(root / base):
        yield "models/adapter", f"it was trained on another base model than {base}"


def _in_git(root: Path) -> tuple[list[str], list[str]]:
    """The files under ``root`` that git has, and those of them that differ from its commit; none without a commit."""
    if not versions.git(root, "rev-parse", "HEAD"):
        return [], []
    committed = versions.git(root, "ls-files", "-z").split("\0")
    edited = versions.git(root, "diff", "--name-only", "--relative", "--no-renames", "-z", "HEAD", "--", ".").split(
        "\0"
    )
    return list(filter(None, committed)), list(filter(None, edited))


def _touches(path: str, others: Iterable[str]) -> bool:
    return any(versions.touch(path, other) for other in others)
