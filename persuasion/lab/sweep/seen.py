"""What was seen of trials while they ran, kept on the disk: their curves, and what the machine was at.

A trial that fails or is stopped leaves no experiment, and while MLflow does not answer nobody else keeps it.
Knows nothing of MLflow or Optuna.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from persuasion.files import write_text
from persuasion.lab import versions, workspace
from persuasion.lab.sweep import storage
from persuasion.lab.workspace import CURVES, Point

_CURVES = Path("metrics/train")
_MACHINE = "machine.tsv"
_COLUMNS = ("name", "value", "step", "at")


class Seen:
    """The folder of a study's trials; ``baseline``: the commit whose curves are no trial's."""

    def __init__(self, root: Path, study: str, baseline: str) -> None:
        self.folder = storage.place(root, study) / "seen"
        files = [(_CURVES / f"{table}.tsv").as_posix() for table in CURVES]
        self._stale = {file: versions.git(root, "cat-file", "blob", f"{baseline}:{file}") for file in files}

    def take(self, name: str, copies: Sequence[Path]) -> None:
        """Keep the curves of a trial as far as they have got, where it runs."""
        for copy in copies:
            for file in self._stale:
                self._copy(copy / file, name, file)

    def note(self, name: str, readings: Sequence[Point]) -> None:
        """Keep what the machine was at, as the next reading of the trial."""
        step = 1 + max((point.step for point in self._machine(name)), default=-1)
        file = self.folder / name / _MACHINE
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.writelines(f"{one.name}\t{one.value!r}\t{step}\t{one.at}\n" for one in readings)

    def points(self, name: str) -> list[Point]:
        """All that was seen of a trial."""
        return [*workspace.curves(self.folder / name), *self._machine(name)]

    def _copy(self, source: Path, name: str, file: str) -> None:
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return
        # a copy is made with the curves of the commit, which are another's until the training removes them
        if text == self._stale[file]:
            return
        whole, kept = text[: text.rfind("\n") + 1], self.folder / name / file
        if whole and not (kept.is_file() and kept.read_text(encoding="utf-8") == whole):
            write_text(kept, whole)

    def _machine(self, name: str) -> Iterator[Point]:
        file = self.folder / name / _MACHINE
        if file.is_file():
            whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
            for row in csv.DictReader(whole.splitlines(), fieldnames=_COLUMNS, delimiter="\t"):
                yield Point(name=row["name"], value=float(row["value"]), step=int(row["step"]), at=int(row["at"]))
