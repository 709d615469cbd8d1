"""Rows for `dvc plots` of what the report draws beyond curves and bins: judges side by side.

The pictures of the page come from the same rows and figures.
"""

from collections.abc import Sequence
from pathlib import Path

from persuasion.comparisons import judges, rivals
from persuasion.files import write_text
from persuasion.findings import Tree
from persuasion.forest import Judge


def write_plots(folder: Path, evaluate: Tree) -> None:
    """Write ``judges.tsv`` and ``rivals.tsv`` (name, value, low, high)."""
    write_text(folder / "judges.tsv", _sheet(judges(evaluate)))
    write_text(folder / "rivals.tsv", _sheet(rivals(evaluate)))


def _sheet(rows: Sequence[Judge]) -> str:
    """Rows that have a value; a name is ours, so it holds neither tab nor line end."""
    known = [row for row in rows if row.accuracy is not None]
    lines = [[row.name, *("" if v is None else repr(v) for v in (row.accuracy, row.low, row.high))] for row in known]
    return "".join("\t".join(line) + "\n" for line in [["name", "value", "low", "high"], *lines])
