"""Interleaved optimiser steps of TRL's trainer and ours on the same batches, in one process."""

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch

from benchmarks import preferences, trl_dpo
from benchmarks.allocator import keep_freed_memory, return_freed_memory
from benchmarks.preferences import Shape
from persuasion import training
from persuasion.encoding import EncodedPair
from persuasion.errors import IntegrityFailure
from persuasion.records import Reference
from persuasion.scoring import reference_rows, score_pairs

TRL, TRL_KEPT = "TRL", "TRL, our allocator settings"
TRL_PRE, TRL_PRE_KEPT = "TRL, precomputed reference", "TRL, precomputed, our allocator"
OURS, OURS_AS_IT_COMES = "ours", "ours, allocator as it comes"
VARIANTS = (TRL, TRL_KEPT, TRL_PRE, TRL_PRE_KEPT, OURS_AS_IT_COMES, OURS)
KEPT = {TRL_KEPT, TRL_PRE_KEPT, OURS}
ALIKE = 1e-3  # losses may differ by so much in float32
TOKENS = preferences.settings(1, 1).compute.batch_tokens  # scored at once, as the stages do


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What to time: ``rounds`` steps of each variant, the first to warm up; none begins after ``within`` seconds."""

    shape: Shape
    threads: int
    batch: int
    rounds: int
    shrink: int
    within: float


@dataclass(slots=True, kw_only=True)
class Steps:
    """Seconds (wall and CPU) of each variant's steps and scorings, and what the steps needed and the machine can do."""

    wall: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in VARIANTS})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in VARIANTS})
    scoring: dict[str, list[float]] = field(default_factory=lambda: {TRL: [], OURS: []})
    flops: list[float] = field(default_factory=list)
    peak: float = 0.0
    difference: float = 0.0
    rounds: int = 0


def steps(setting: Setting) -> dict[str, Any]:
    """Time a setting. Raises IntegrityFailure when the losses or the log-probs are not the same: that is no race."""
    torch.set_num_threads(setting.threads)
    pairs = preferences.pairs(setting.batch * setting.rounds, 0, setting.shrink)
    with tempfile.TemporaryDirectory(prefix="persuasion-benchmark-") as folder:
        trainers = _trainers(setting, pairs, folder)
        found, order, start = Steps(peak=_peak()), random.Random(0), time.perf_counter()
        for number, batch in enumerate(_batches(pairs, setting.batch)):
            if number > 1 and time.perf_counter() - start > setting.within:
                break
            _round(trainers, batch, order, found, warm=number == 0)
            if number:
                found.flops.append(preferences.needed_flops(setting.shape, batch))
                found.rounds = number
        _scoring(trainers, _batches(pairs, setting.batch)[: found.rounds], found)
    return asdict(found)


def _trainers(setting: Setting, pairs: list[EncodedPair], folder: str) -> dict[str, Any]:
    params = preferences.settings(setting.batch, 1)
    own = ours(setting.shape, pairs, params)
    plain, precomputed = (
        trl_dpo.build(setting.shape, pairs, params, folder, precompute=precompute) for precompute in (False, True)
    )
    found = {TRL: plain, TRL_KEPT: plain, TRL_PRE: precomputed, TRL_PRE_KEPT: precomputed}
    found |= {OURS: own, OURS_AS_IT_COMES: own}
    for trainer in (plain, precomputed, own):
        trainer.create_optimizer()
        trainer.current_gradient_accumulation_steps = 1
        trainer.start = {name: tensor.clone() for name, tensor in _trained(trainer).items()}
    return found


def ours(shape: Shape, pairs: Sequence[EncodedPair], params: Any, reference: dict[str, Reference] | None = None) -> Any:
    """Our trainer, as the stage builds it; the reference pass included unless ``reference`` is given."""
    lm = preferences.model(shape, packing=True)
    rows = reference or {row.pair_id: row for row in reference_rows(lm, pairs, TOKENS)}
    return training.build(lm, preferences.tokenizer(), pairs, rows, params)


def _round(
    trainers: dict[str, Any], batch: list[EncodedPair], order: random.Random, found: Steps, *, warm: bool
) -> None:
    """One step of each variant from the adapter's start, in random order."""
    losses = {}
    for name in order.sample(VARIANTS, len(VARIANTS)):
        trainer = trainers[name]
        rows = _rows(trainer, batch)
        (keep_freed_memory if name in KEPT else return_freed_memory)()
        _restart(trainer)
        wall, cpu, losses[name] = _timed(partial(_step, trainer, rows))
        if not warm:
            found.wall[name].append(wall)
            found.cpu[name].append(cpu)
    found.difference = max(found.difference, max(losses.values()) - min(losses.values()))
    if found.difference > ALIKE:
        raise IntegrityFailure("the losses differ, so this is no race", why=str(losses))


def _step(trainer: Any, rows: dict[str, Any]) -> float:
    trainer.optimizer.zero_grad()
    loss = trainer.training_step(trainer.model, dict(rows))
    torch.nn.utils.clip_grad_norm_(list(_trained(trainer).values()), 1.0)
    trainer.optimizer.step()
    return float(loss)


def _scoring(trainers: dict[str, Any], batches: list[list[EncodedPair]], found: Steps) -> None:
    """Score the pairs of each round under the policy: TRL's evaluation forward, and our door."""
    own = trainers[OURS]
    lm = own.accelerator.unwrap_model(own.model).get_base_model()
    for trainer in (own, trainers[TRL]):
        _restart(trainer)
    for batch in batches:
        rows = [trainers[TRL]._prepare_inputs(_rows(trainers[TRL], batch))]
        return_freed_memory()
        wall, _, theirs = _timed(partial(trl_dpo.scored, trainers[TRL], rows))
        found.scoring[TRL].append(wall)
        keep_freed_memory()
        wall, _, scored = _timed(partial(score_pairs, lm, batch, TOKENS))
        found.scoring[OURS].append(wall)
        flat = [chosen for chosen, _ in scored] + [rejected for _, rejected in scored]
        if max(abs(a - b) for a, b in zip(theirs, flat, strict=True)) > 0.05:
            raise IntegrityFailure("the log-probs differ, so this is no race", why=f"{theirs} against {flat}")


def _rows(trainer: Any, batch: list[EncodedPair]) -> dict[str, Any]:
    """The batch as the trainer's own loader would hand it over: found in its data by what it says."""
    known = getattr(trainer, "known", None)
    if known is None:
        trainer.known = known = {tuple(row["chosen_ids"]): row for row in trainer.train_dataset}
    collated: dict[str, Any] = trainer.data_collator([known[pair.chosen] for pair in batch])
    return collated


def _trained(trainer: Any) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in trainer.model.named_parameters() if tensor.requires_grad}


def _restart(trainer: Any) -> None:
    with torch.no_grad():
        for name, tensor in _trained(trainer).items():
            tensor.copy_(trainer.start[name])


def _timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU seconds, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - cpu, result


def _batches(pairs: list[EncodedPair], size: int) -> list[list[EncodedPair]]:
    return [pairs[at : at + size] for at in range(0, len(pairs), size)]


def _peak() -> float:
    """GFLOP/s of a large float32 matrix product, the best of some."""
    size = 2048
    left, right = torch.randn(size, size), torch.randn(size, size)
    return max(2 * size**3 / 1e9 / _timed(lambda: left @ right)[0] for _ in range(6))
