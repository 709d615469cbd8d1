"""Rows for `dvc plots` of what the report draws beyond curves and bins: judges side by side, and rewards.

The pictures of the page come from the same rows and figures.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from persuasion.comparisons import judges, rivals
from persuasion.files import write_text
from persuasion.findings import Tree
from persuasion.forest import Judge
from persuasion.records import Verdict
from persuasion.tables import write_tsv

BINS = 24
SIDES = ("chosen", "rejected")


def write_plots(folder: Path, evaluate: Tree, rewards: Sequence[Mapping[str, Any]]) -> None:
    """Write ``judges.tsv`` and ``rivals.tsv`` (name, value, low, high) and ``rewards.tsv`` (low, high, a side each)."""
    write_text(folder / "judges.tsv", _sheet(judges(evaluate)))
    write_text(folder / "rivals.tsv", _sheet(rivals(evaluate)))
    write_tsv(folder / "rewards.tsv", rewards)


def reward_bars(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Completions of each side by implicit reward, in about ``BINS`` bins of one round width; [] where not finite."""
    values = {side: np.array([getattr(v, f"{side}_reward") for v in verdicts], dtype=float) for side in SIDES}
    every = np.concatenate(list(values.values()))
    if not every.size or not np.isfinite(every).all():
        return []
    edges = np.asarray(MaxNLocator(nbins=BINS, steps=[1, 2, 5, 10]).tick_values(every.min(), every.max()))
    counts = {side: np.histogram(column, edges)[0] for side, column in values.items()}
    return [
        {"low": round(low, 9), "high": round(high, 9)} | {side: int(counts[side][place]) for side in SIDES}
        for place, (low, high) in enumerate(pairwise(edges.tolist()))
    ]


def _sheet(rows: Sequence[Judge]) -> str:
    """Rows that have a value; a name is ours, so it holds neither tab nor line end."""
    known = [row for row in rows if row.accuracy is not None]
    lines = [[row.name, *("" if v is None else repr(v) for v in (row.accuracy, row.low, row.high))] for row in known]
    return "".join("\t".join(line) + "\n" for line in [["name", "value", "low", "high"], *lines])
