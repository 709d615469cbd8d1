"""Curves that can be watched: a table of numbers that grows row by row while the stage runs, and exact means.

``dvc plots`` and editors read the file at any time; a row appears whole, in one write.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from persuasion.tables import tsv_row, write_tsv

Row = dict[str, Any]


class Curve:
    """Rows with the same columns, kept and, where ``folder`` is given, appended to ``<folder>/<name>.tsv``."""

    def __init__(self, name: str, folder: Path | None = None) -> None:
        self.name = name
        self.file = folder / f"{name}.tsv" if folder else None
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        """Keep ``row`` and show it."""
        self.rows.append(row)
        if self.file is None:
            return
        if len(self.rows) == 1:
            write_tsv(self.file, self.rows)
            return
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, tsv_row(row, list(self.rows[0])).encode())
        finally:
            os.close(handle)

    def finish(self) -> None:
        """Leave a file also where no row came."""
        if self.file is not None and not self.rows:
            write_tsv(self.file, [])

    def write(self, folder: Path) -> None:
        """Write the rows into a checkpoint."""
        (folder / f"curve-{self.name}.json").write_text(json.dumps(self.rows), encoding="utf-8")

    def read(self, folder: Path) -> None:
        """Take the rows of a checkpoint, and show no others."""
        self.rows = json.loads((folder / f"curve-{self.name}.json").read_text(encoding="utf-8"))
        if self.file is not None and self.rows:
            write_tsv(self.file, self.rows)


class Tally:
    """Sums over the pairs seen since the last point of a curve: means weigh every pair the same, whatever its batch."""

    def __init__(self, sums: Mapping[str, float] | None = None) -> None:
        self.sums: dict[str, float] = dict(sums or {})

    def add(self, pairs: float, means: Mapping[str, float], sums: Mapping[str, float]) -> None:
        """Take a batch of ``pairs`` pairs with its ``means``, and quantities that add up (log-probs, tokens)."""
        for name, value in {"pairs": pairs, **{name: mean * pairs for name, mean in means.items()}, **sums}.items():
            self.sums[name] = self.sums.get(name, 0.0) + value

    def drain(self) -> Row:
        """Means over pairs and perplexities exp(−Σ logp / Σ tokens) of both sides; then start anew."""
        sums, self.sums = self.sums, {}
        pairs = sums.pop("pairs", 0.0)
        row: Row = {}
        for side in ("chosen", "rejected"):
            logp, tokens = sums.pop(f"logp_{side}", 0.0), sums.pop(f"tokens_{side}", 0.0)
            row[f"perplexity_{side}"] = _exp(-logp / tokens) if tokens else None
        return {name: value / pairs for name, value in sums.items()} | row if pairs else row


def _exp(value: float) -> float | None:
    """None where a float cannot hold it."""
    try:
        return math.exp(value)
    except OverflowError:
        return None
