"""Where work that is not finished lies: beside the project's files, out of git's and DVC's sight."""

import os
from pathlib import Path

PLACE = Path(".persuasion")


def place(name: str) -> Path:
    """Where ``name`` is kept from git and DVC: work that is not finished outlasts a copy, which DVC deletes."""
    return home() / PLACE / name


def home() -> Path:
    """Where what outlives an experiment lies: this folder, or the repository that DVC copied to here."""
    return Path(os.environ["DVC_ROOT"]) if is_copy() else Path()


def is_copy() -> bool:
    """Whether this folder is a temporary copy that DVC made for an experiment."""
    root = os.environ.get("DVC_ROOT")
    return bool(root) and Path(root or "").resolve() in Path.cwd().resolve().parents
