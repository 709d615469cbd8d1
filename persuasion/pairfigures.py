"""The figures of finished pairs: how many, how long, what can be had without reading, who stands in two splits."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from persuasion.leakage import TEXTS, copied
from persuasion.records import SPLITS
from persuasion.surface import COLUMNS, surface_accuracy

BINS, WIDTH = 20, 25  # of the histogram: bins on either side of zero, words in one


def counts(folder: Path) -> dict[str, dict[str, int]]:
    """Pairs and threads with pairs, by split."""
    threads = {split: _column(folder, split, "thread_id") for split in SPLITS}
    return {
        "pairs": {split: len(rows) for split, rows in threads.items()},
        "threads": {split: len(set(rows)) for split, rows in threads.items()},
    }


def words(folder: Path) -> dict[str, float | None]:
    """Mean words of prompts and completions, per pair; None without pairs."""
    found = {name: _mean([len(text.split()) for text in _every(folder, name)]) for name in TEXTS}
    both = None if found["chosen"] is None or found["rejected"] is None else (found["chosen"] + found["rejected"]) / 2
    return {"prompt_mean": found["prompt"], "completion_mean": both, "chosen_mean": found["chosen"],
            "rejected_mean": found["rejected"]}  # fmt: skip


def audit(folder: Path, commenters: Mapping[str, int]) -> dict[str, Any]:
    """What a reader should know beside the leaks.

    ``surface_accuracy`` as in ``surface``; ``shared_runs``: the share of validation and test texts with any
    13-word run that stands in another split; ``longer_wins``: the share of pairs whose chosen text has more words,
    ties half; ``commenters`` as in ``settling``.
    """
    rows = [
        row for split in SPLITS for row in pq.read_table(folder / f"{split}.parquet", columns=list(COLUMNS)).to_pylist()
    ]
    shares = copied({name: {split: _column(folder, split, name) for split in SPLITS} for name in TEXTS})
    held_out = np.concatenate([shares[split] for split in SPLITS[1:]])
    margins = np.array([len(row["chosen"].split()) - len(row["rejected"].split()) for row in rows])
    return {
        "surface_accuracy": surface_accuracy(rows),
        "longer_wins": _mean(((np.sign(margins) + 1) / 2).tolist()),
        "shared_runs": _mean((held_out > 0).tolist()),
        "commenters_in_two_splits": commenters["in_two_splits"],
        "pairs_to_part_commenters": commenters["pairs_to_part_them"],
    }


def lengths(folder: Path) -> list[dict[str, int]]:
    """Pairs by chosen − rejected words, in bins of ``WIDTH``; the outermost hold all that lies beyond."""
    texts = zip(_every(folder, "chosen"), _every(folder, "rejected"), strict=True)
    margins = np.array([len(chosen.split()) - len(rejected.split()) for chosen, rejected in texts], np.int64)
    place = np.clip(margins // WIDTH, -BINS, BINS - 1) + BINS
    found = np.bincount(place, minlength=2 * BINS).tolist()
    return [
        {"low": (bin_ - BINS) * WIDTH, "high": (bin_ - BINS + 1) * WIDTH, "pairs": count}
        for bin_, count in enumerate(found)
    ]


def prompts(folder: Path) -> list[str]:
    """The distinct prompts, in the order of their threads."""
    return list(dict.fromkeys(_every(folder, "prompt")))


def _column(folder: Path, split: str, name: str) -> list[str]:
    found: list[str] = pq.read_table(folder / f"{split}.parquet", columns=[name])[name].to_pylist()
    return found


def _every(folder: Path, name: str) -> Iterator[str]:
    for split in SPLITS:
        yield from _column(folder, split, name)


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
