"""Whether a search fits the project: its parameters are there, tracked by what runs, and committed.

Everything here is refused (UsageFailure, exit 2; what the machine lacks: exit 4) before anything is asked or run.
"""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from persuasion.config import Params
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.findings import dig
from persuasion.lab import versions
from persuasion.lab.sweep.spec import FILE, Axis, Spec, Value
from persuasion.typed import section
from persuasion.yaml12 import load_yaml

_OURS = (FILE, "metrics/study.json", "metrics/study/")
_CODE = (".py", ".yaml", ".yml", ".json", ".toml", ".jinja")


def check(spec: Spec, root: Path) -> None:
    """Refuse what would go wrong, or mislead, later."""
    _require_sampler(spec, root)
    params = load_yaml(root / "params.yaml")
    tracked, made = _runs(spec, root)
    for path, axis in spec.space.items():
        _require_path(path, params)
        if not any(path == name or path.startswith(f"{name}.") for name in tracked):
            stages = ", ".join(spec.settings.stages)
            why = f"none of the stages that a trial runs ({stages} and those before) depends on it"
            raise UsageFailure(f"space.{path} would change nothing", where=root / FILE, why=why, fix="see `stages`")
        _require_values(path, axis, params, root)
    _require_objectives(spec, params, made, root)


def committed(root: Path) -> str:
    """The commit that trials start from. Raises UsageFailure with the list of what is not committed."""
    head = versions.git(root, "rev-parse", "--verify", "HEAD").strip()
    if not head:
        raise UsageFailure("there is no commit to start from", where=root, fix="git add --all && git commit")
    if versions.git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        why = "DVC saves no experiment in a shallow clone, and says nothing"
        raise SurroundingsFailure("this is a shallow clone", where=root, why=why, fix="git fetch --unshallow")
    changed = sorted(_changed(root))
    if changed:
        listed = ", ".join(changed[:10]) + ", …" * (len(changed) > 10)
        why = f"trials run the committed code and parameters, without: {listed}"
        raise UsageFailure(
            f"{len(changed)} files are not committed", where=root, why=why, fix="git add … && git commit"
        )
    return head


def _changed(root: Path) -> Iterator[str]:
    """Tracked files that differ, and new ones that could be code or settings, but for the search's own."""
    for entry in filter(None, versions.git(root, "status", "--porcelain", "-z", "--no-renames", "-uall").split("\0")):
        state, path = entry[:2], entry[3:]
        if not path.startswith(_OURS) and (state != "??" or path.endswith(_CODE)):
            yield path


def _runs(spec: Spec, root: Path) -> tuple[set[str], set[str]]:
    """The parameters that the stages of a trial depend on, and the files that they make."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    tracked: set[str] = set()
    made: set[str] = set()
    try:
        with Repo(str(root)) as repo:
            for target in spec.settings.stages:
                for stage in repo.stage.collect(target, with_deps=True):
                    for dep in stage.deps:
                        tracked |= set(getattr(dep, "params", ()))
                    made |= {str(out.def_path) for out in stage.outs}
    except DvcException as error:
        raise UsageFailure(f"stages is {list(spec.settings.stages)}", where=root / FILE, why=str(error)) from None
    return tracked, made


def _require_sampler(spec: Spec, root: Path) -> None:
    """Optuna says what a sampler cannot do only at its first trial."""
    if spec.settings.sampler == "cmaes" and len(spec.objectives) > 1:
        why = f"CMA-ES knows one objective, and there are {len(spec.objectives)}"
        raise UsageFailure("sampler is cmaes", where=root / FILE, why=why, fix="tpe, gp, nsgaii, qmc, grid or random")


def _require_path(path: str, params: Any) -> None:
    *sections, name = path.split(".")
    place = dig(params, ".".join(sections)) if sections else params
    if not isinstance(place, Mapping) or name not in place or isinstance(place[name], Mapping):
        raise UsageFailure(f"space.{path} is no parameter", where=FILE, fix="see params.yaml for the dotted paths")


def _require_values(path: str, axis: Axis, params: Any, root: Path) -> None:
    """Each choice, and both ends of a range, must be what params.yaml may hold there."""
    whole = {int: int} if axis.type == "int" else {}
    ends: tuple[Value, ...] = (axis.low, axis.high)
    for value in axis.choices or ends:
        tree = copy.deepcopy(params)
        *sections, name = path.split(".")
        place = dig(tree, ".".join(sections)) if sections else tree
        place[name] = int(value) if whole and value is not None else value
        try:
            section(Params, tree, "", root / FILE)
        except UsageFailure as error:
            raise UsageFailure(f"space.{path}: {error.what}", where=root / FILE, why=error.why, fix=error.fix) from None


def _require_objectives(spec: Spec, params: Any, made: set[str], root: Path) -> None:
    for objective in spec.objectives:
        if objective.file not in made:
            why = f"no stage of a trial writes {objective.file}"
            raise UsageFailure(f"{objective.metric} is no objective", where=root / FILE, why=why, fix="see `stages`")
        if objective.file == "metrics/evaluate.json" and (
            dig(params, "evaluate.split") != "validation" or "evaluate.split" in spec.space
        ):
            why = "evaluate.split is test, and what is chosen by test pairs cannot be judged by them"
            raise UsageFailure(f"{objective.metric} is no objective", where=root / FILE, why=why, fix="validation")
    curve = spec.settings.pruning.curve.partition(":")[0]
    if spec.settings.pruning.pruner != "none" and not any(curve.startswith(f"{path}/") for path in made):
        raise UsageFailure("pruning.curve is no output", where=root / FILE, why=f"no stage of a trial writes {curve}")
