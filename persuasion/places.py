"""Where work that is not finished lies: beside the project's files, out of git's and DVC's sight."""

import os
from pathlib import Path

PLACE = Path(".persuasion")


def place(name: str) -> Path:
    """The folder ``name``: here, or in the repository that DVC copied to here, for DVC deletes a killed run's copy."""
    return (Path(os.environ["DVC_ROOT"]) if is_copy() else Path()) / PLACE / name


def is_copy() -> bool:
    """Whether this folder is a temporary copy that DVC made for an experiment."""
    root = os.environ.get("DVC_ROOT")
    return bool(root) and Path(root or "").resolve() in Path.cwd().resolve().parents
