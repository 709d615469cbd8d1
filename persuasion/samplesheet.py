"""The per-sample table of a training: each judged pair after each epoch, its run, step and texts beside the figures.

One row says all, so that a spreadsheet or SQL needs no join. Knows nothing of models.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from persuasion.records import EpochReply, EpochSample, EpochVerdict, Pair
from persuasion.tables import plain, write_rows

ELSEWHERE = ("code", "packages", "python", "machine")
"""What a run's identity says of where it ran; the same training there and here has one name."""


def run_name(identity: Mapping[str, str]) -> str:
    """Twelve hex digits that tell a training from every other: of its parameters, its data and its reference."""
    own = {name: value for name, value in identity.items() if name not in ELSEWHERE}
    return sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:12]


def samples(verdicts: Iterable[EpochVerdict], pairs: Sequence[Pair], run: str, steps: int) -> list[EpochSample]:
    """A row for each verdict; ``steps`` optimiser steps are an epoch. ``pairs`` hold every judged pair."""
    by_id = {pair.pair_id: pair for pair in pairs}
    rows = []
    for verdict in verdicts:
        pair = by_id[verdict.pair_id]
        texts = {name: getattr(pair, name) for name in ("thread_id", "prompt", "chosen", "rejected")}
        rows.append(EpochSample(run=run, step=verdict.epoch * steps, **texts, **plain(verdict)))
    return rows


def write_tables(
    folder: Path, rows: Sequence[EpochSample], verdicts: Sequence[EpochVerdict], replies: Sequence[EpochReply]
) -> None:
    """Write the tables of ``data/samples``."""
    key = ("epoch", "pair_id")
    write_rows(folder / "samples.parquet", rows, EpochSample, key)
    write_rows(folder / "pairs.parquet", verdicts, EpochVerdict, key)
    write_rows(folder / "replies.parquet", replies, EpochReply, key)
