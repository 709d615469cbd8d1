"""An experiment of DVC's as git has it, laid out in a folder of its own: what it is, without its data."""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from persuasion.errors import DataFailure
from persuasion.lab import versions, workspace
from persuasion.lab.workspace import Experiment

_SPACE = "refs/exps/"
_PASSING = ("refs/exps/exec/", "refs/exps/celery/")


def names(root: Path) -> dict[str, str]:
    """The commits of the experiments that are here, by their refs."""
    found = {}
    for line in versions.git(root, "for-each-ref", "--format=%(objectname) %(refname)", _SPACE).splitlines():
        commit, ref = line.split(" ", 1)
        if not ref.startswith(_PASSING) and ref.count("/") == 4:  # refs/exps/ab/cdef…/NAME; others are DVC's own
            found[ref] = commit
    return found


def read(root: Path, rev: str, required: Sequence[str], where: Mapping[str, str]) -> Experiment:
    """The experiment of a commit, as ``workspace.read`` does it. Raises DataFailure where it is none."""
    with _laid_out(root, rev) as folder:
        return workspace.read(folder, required, where)


@contextmanager
def _laid_out(root: Path, rev: str) -> Iterator[Path]:
    command = ["git", "--no-optional-locks", "-C", str(root), "archive", rev]
    kept = versions.git(root, "ls-tree", "--name-only", rev, "params.yaml", "dvc.lock", "metrics").split()
    done = subprocess.run([*command, *kept], capture_output=True) if kept else None  # noqa: S603
    if done is None or done.returncode:
        raise DataFailure(f"{rev[:7]} holds no experiment", where=root, fix="git fetch")
    with tempfile.TemporaryDirectory(prefix="persuasion-") as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)
