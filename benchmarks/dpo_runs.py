"""Whole runs of DPO, from a model in memory to a trained adapter: seconds, and memory above what imports took."""

import contextlib
import time
from typing import Any

import torch

from benchmarks import preferences, trl_dpo
from benchmarks.dpo_steps import TOKENS, ours
from benchmarks.forked import peak_mib
from benchmarks.preferences import SMALL
from persuasion import training
from persuasion.device import keep_freed_memory
from persuasion.encoding import EncodedPair
from persuasion.records import Reference
from persuasion.scoring import reference_rows

EPOCHS = 2


def run_trl(count: int, batch: int, shrink: int, folder: str, precompute: bool) -> dict[str, float]:
    """TRL from its construction (its reference pass included, if it makes one) to the end of the last epoch."""
    torch.set_num_threads(1)
    before, pairs = peak_mib(), preferences.pairs(count, 0, shrink)
    start = time.perf_counter()
    trainer = trl_dpo.build(SMALL, pairs, preferences.settings(batch, EPOCHS), folder, precompute=precompute)
    with contextlib.redirect_stdout(None):
        trainer.train()
    return {"seconds": time.perf_counter() - start, "mib": peak_mib() - before}


def run_ours(count: int, batch: int, shrink: int, cached: bool) -> dict[str, float]:
    """Ours, with the pass of the `reference` stage or with its rows already at hand, as in a search."""
    torch.set_num_threads(1)
    keep_freed_memory()
    before, pairs = peak_mib(), preferences.pairs(count, 0, shrink)
    reference = _reference(pairs) if cached else None
    start = time.perf_counter()
    trainer: Any = ours(SMALL, pairs, preferences.settings(batch, EPOCHS), reference)
    training.train(trainer, lambda epoch: None)
    return {"seconds": time.perf_counter() - start, "mib": peak_mib() - before}


def _reference(pairs: list[EncodedPair]) -> dict[str, Reference]:
    rows = reference_rows(preferences.model(SMALL, packing=True), pairs, TOKENS)
    return {row.pair_id: row for row in rows}
