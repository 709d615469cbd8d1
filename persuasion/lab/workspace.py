"""The present state of the workspace as one experiment, read from DVC's own files.

Only what ``dvc.lock`` vouches for is believed: a stage whose recorded parameters, inputs or figures
differ from what lies here is stale, and its figures belong to another experiment.
"""

import csv
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure
from persuasion.findings import dig
from persuasion.lab.hashes import output_md5
from persuasion.running import SECRET
from persuasion.yaml12 import load_yaml

Tree = dict[str, Any]
REQUIRED = ("train", "evaluate")
"""Their outputs, with the parameters, say which experiment this is."""
CURVES = {"training": "step", "validation": "epoch"}
"""Tables of metrics/train, each with the column that counts."""
TABLES = {
    "samples": ("data/samples/samples.parquet", "data/samples/pairs.parquet"),
    "replies": ("data/samples/replies.parquet",),
    "generated": ("data/replies.parquet",),
}
"""Tables to show, each with the files that may hold it, the fullest first: the pairs judged after each epoch, the
replies written after each epoch, and those of the finished policy beside the base's."""
DATA = {"adapter": "models/adapter", "base": "models/base", "pairs": "data/pairs", "threads": "data/threads"}
KEY_FILE = "pseudonym_key_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a metric; ``step`` is 0 for a final figure; ``at``: milliseconds since 1970, where known."""

    name: str
    value: float
    step: int
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What a tracker may show. ``key`` is equal for equal parameters and results."""

    name: str
    key: str
    params: dict[str, str]
    points: tuple[Point, ...]
    tags: dict[str, str]
    texts: dict[str, Tree]
    tables: dict[str, Path]
    report: Path | None
    stale: tuple[str, ...]


def top(folder: Path) -> Path:
    """The project's root: the nearest folder upward with DVC's or git's mark, else ``folder`` itself."""
    marks = ("dvc.lock", ".dvc", ".git")
    return next((here for here in (folder, *folder.parents) if any((here / m).exists() for m in marks)), folder)


def read(root: Path, required: Sequence[str] = REQUIRED, where: Mapping[str, str] | None = None) -> Experiment:
    """Read the workspace at ``root``. Raises DataFailure when what is ``required`` is not up to date there.

    ``where``: tags that say which commit and experiment this is, if git and the environment here do not.
    """
    if not (root / "dvc.lock").is_file():
        raise DataFailure("nothing was run yet: dvc.lock is missing", where=root, fix="make repro")
    params: Tree = load_yaml(root / "params.yaml")
    lock: Tree = load_yaml(root / "dvc.lock")
    stages: Tree = lock.get("stages") or {}
    stale = tuple(name for name in sorted(stages) if name != "report" and not _current(root, name, stages, params))
    lacking = [name for name in required if name not in stages or name in stale]
    if lacking:
        raise DataFailure(f"{' and '.join(lacking)} not up to date", where=root / "dvc.lock", fix="make repro")
    shown = redacted(params)
    key = _key(shown, stages, required)
    where = {**_git_tags(root), **_dvc_tags()} if where is None else where
    report = root / "report"
    made = {out["path"] for name in stages if name not in stale for out in stages[name].get("outs", ())}
    return Experiment(
        name=where.get("dvc.exp") or f"repro-{key[:8]}",
        key=key,
        params=texts(shown),
        points=(*_figures(root, set(stages) - set(stale)), *curves(root)),
        tags={"persuasion.key": key, **_data_tags(stages), **where},
        texts={"params.yaml": shown, "dvc.lock": redacted(lock)},
        tables=_tables(root, made),
        report=report if report.is_dir() else None,
        stale=stale,
    )


def redacted(value: Any, name: str = "") -> Any:
    """``value`` without credentials, and of the pseudonyms' key file only whether there is one."""
    if isinstance(value, dict):
        return {key: redacted(item, str(key).rpartition(".")[2]) for key, item in value.items()}
    if name == KEY_FILE:
        return value is not None
    if isinstance(value, list):
        return [redacted(item) for item in value]
    return SECRET.sub("", value) if isinstance(value, str) else value


def flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of a tree by dotted path; a list is one leaf."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _current(root: Path, name: str, stages: Tree, params: Tree) -> bool:
    """Whether the stage ran with these parameters, on these outputs of other stages, and its figures still lie here."""
    stage = stages[name]
    made = {out["path"]: out.get("md5") for other in stages.values() for out in other.get("outs", ())}
    settled = all(dig(params, path) == value for path, value in stage.get("params", {}).get("params.yaml", {}).items())
    fed = all(made.get(dep["path"], dep.get("md5")) == dep.get("md5") for dep in stage.get("deps", ()))
    return (
        settled and fed and all(output_md5(root / path) == md5 for path, md5 in made.items() if path == _metrics(name))
    )


def texts(params: Tree) -> dict[str, str]:
    """Parameters by dotted name as a tracker shows them."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in flat(params)}


def _metrics(stage: str) -> str:
    return f"metrics/{stage}.json"


def _key(params: Tree, stages: Tree, required: Sequence[str]) -> str:
    """Without the stage `report`, whose entry is not written yet while it runs."""
    outs = {out["path"]: out.get("md5") for name in required for out in stages[name].get("outs", ())}
    return hashlib.sha256(json.dumps([params, outs], sort_keys=True).encode()).hexdigest()


def _figures(root: Path, stages: set[str]) -> Iterator[Point]:
    """Every number of the stages' metrics, named as in ``dvc metrics show``; an undefined one is left out."""
    for stage in sorted(stages):
        path = root / _metrics(stage)
        for name, value in flat(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else ():
            if isinstance(value, int | float):
                yield Point(name=name, value=float(value), step=0)


def curves(root: Path) -> Iterator[Point]:
    """Every point of the curves, so far as they are written."""
    for table, counter in CURVES.items():
        path = root / "metrics/train" / f"{table}.tsv"
        if not path.is_file():
            continue
        whole = path.read_text(encoding="utf-8").rpartition("\n")[0]  # a full disk cuts a line
        for row in csv.DictReader(whole.splitlines(), delimiter="\t"):
            for name, value in row.items():
                if value and name not in CURVES.values():
                    yield Point(name=f"{table}/{name}", value=float(value), step=round(float(row[counter])))


def _tables(root: Path, made: set[str]) -> dict[str, Path]:
    """Those whose file is there, and is or lies in an output of a stage that is up to date."""
    found = {}
    for name, places in TABLES.items():
        held = [place for place in places if (root / place).is_file() and {place, str(Path(place).parent)} & made]
        if held:
            found[name] = root / held[0]
    return found


def _data_tags(stages: Tree) -> dict[str, str]:
    made = {out["path"]: out.get("md5") for stage in stages.values() for out in stage.get("outs", ())}
    return {f"{name}.md5": made[path] for name, path in DATA.items() if made.get(path)}


def _git_tags(root: Path) -> dict[str, str]:
    revision = _git(root, "rev-parse", "HEAD")
    if not revision:
        return {}
    changed = bool(_git(root, "status", "--porcelain", "--", "persuasion", "stages"))
    return {
        "mlflow.source.git.commit": revision,
        "git.rev": revision,
        "git.code_changed": "true" if changed else "false",
    }


def _git(root: Path, *arguments: str) -> str:
    """What git prints, or nothing where there is no git or no repository."""
    try:
        command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _dvc_tags() -> dict[str, str]:
    named = {"dvc.exp": "DVC_EXP_NAME", "dvc.baseline": "DVC_EXP_BASELINE_REV"}
    return {tag: os.environ[name] for tag, name in named.items() if os.environ.get(name)}
