"""Presets: settings that belong together, written into params.yaml in one go.

A preset is a part of params.yaml in configs/presets/. DVC sees nothing but the changed parameters, so they stand in
``dvc params diff`` and ``dvc exp show`` like any others.
"""

from difflib import get_close_matches
from pathlib import Path

from persuasion.errors import UsageFailure
from persuasion.lab.editing import Change, put
from persuasion.lab.workspace import flat
from persuasion.yaml12 import load_yaml

FOLDER = Path("configs/presets")


def names(root: Path) -> list[str]:
    """The presets there are."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def about(root: Path, name: str) -> str:
    """What a preset says of itself in its first line."""
    return path_of(root, name).read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def path_of(root: Path, name: str) -> Path:
    """A preset's file. Raises UsageFailure where there is none of that name."""
    known = names(root)
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f'did you mean "{close[0]}"?' if close else f"there are: {', '.join(known) or 'none'}"
        raise UsageFailure(f"no preset {name}", where=root / FOLDER, fix=hint)
    return root / FOLDER / f"{name}.yaml"


def apply(root: Path, name: str, *, dry_run: bool = False) -> list[Change]:
    """Set a preset's parameters in params.yaml, and tell what changed.

    Raises UsageFailure, and changes nothing, where the outcome would not be the valid parameters it should be.
    """
    path = path_of(root, name)
    return put(root, dict(flat(load_yaml(path))), path, dry_run=dry_run)
