"""Training with LoRA by one of TRL's trainers: built, checked to start at the reference, run, and watched.

TRL keeps its losses, optimiser loop and distribution. Three things behind its seams are ours:
the data comes tokenised, the reference log-probs come from the `reference` stage, and the
fused head that TRL calls scores a packed row instead of padded ones.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# before trl and peft are imported: training needs nothing from the hub, and trl's trainers phone home
os.environ.update({"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"})

import datasets
import torch
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from persuasion.config import Params
from persuasion.curves import Curve, Row
from persuasion.encoding import EncodedPair
from persuasion.errors import IntegrityFailure, SurroundingsFailure, UsageFailure
from persuasion.guards import check_trainable
from persuasion.interruptions import Interruption
from persuasion.lora import adapter_config
from persuasion.methods import PairTrainer, rows_of, trainer_of
from persuasion.processes import rank, total
from persuasion.progress import bar
from persuasion.records import Reference
from persuasion.seam import install
from persuasion.snapshots import Keeper
from persuasion.watching import MEANS
from persuasion.whole import gather, whole

TOLERANCE = {"float32": 1e-4, "bfloat16": 1e-2}  # nats per token between policy and reference before step 1

datasets.disable_progress_bars()


def build(
    lm: Any, tokenizer: Any, pairs: Sequence[EncodedPair], reference: Mapping[str, Reference] | None, params: Params
) -> PairTrainer:
    """A trainer with a fresh adapter on ``lm``, checked to start at the reference (where there is one).

    Raises UsageFailure when lora.targets do not fit, IntegrityFailure (exit 7) when the
    policy before its first step is not the reference.
    """
    rows = rows_of(pairs, reference, params)
    if lm.config.is_encoder_decoder and not all(row["prompt_ids"] for row in rows):
        raise UsageFailure(
            "an encoder-decoder learns completions only", fix="set sft.completion_only: true, base.prepare.lm: []"
        )
    given = {
        "model": lm,
        "train_dataset": datasets.Dataset.from_list(rows),
        "processing_class": tokenizer,
        "peft_config": adapter_config(params.lora, lm),
    }
    trainer = trainer_of(params, given, lm.device.type)
    check_trainable(trainer.model)
    trainer.precompute_ref_logps = True  # only now: at construction it would make TRL compute its own
    for callback in (ProgressCallback, PrinterCallback):
        trainer.remove_callback(callback)
    install(lm)
    if "ref_chosen_logps" in rows[0]:
        check_start(trainer, params)
    trainer.begin(params)
    return trainer


def train(
    trainer: PairTrainer,
    after_epoch: Callable[[int], bool | None],
    curve: Curve | None = None,
    keeper: Keeper | None = None,
) -> tuple[float, int, list[Row]]:
    """Train to the end, or from where ``keeper`` has a checkpoint; return (mean loss, steps, curve rows).

    Calls ``after_epoch`` with 1, 2, ...; True stops. Raises Terminated or KeyboardInterrupt, after a
    checkpoint, when a signal asks for it.
    """
    trainer.keeper, curve = keeper, curve or Curve("training")
    newest = keeper.newest() if keeper else None
    if newest and rank() == 0:
        print(f"training: continues from {newest.name}", file=sys.stderr)
    try:
        with Interruption() if keeper else contextlib.nullcontext() as interruption:
            trainer.add_callback(_Notes(trainer, after_epoch, curve, interruption))
            with contextlib.redirect_stdout(None):
                outcome = trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    except ImportError as error:  # some optimisers live in packages of their own
        raise SurroundingsFailure(
            f"train.optimizer {trainer.args.optim} cannot be used here", why=str(error), fix="choose adamw_torch"
        ) from None
    gather(trainer.model)
    return trainer.losses / max(outcome.global_step, 1), outcome.global_step, curve.rows


def check_start(trainer: PairTrainer, params: Params) -> None:
    """Before the first step policy = reference: the sigmoid loss is ln 2, and margins are 0; else exit 7."""
    dataset: Any = trainer.train_dataset
    model: Any = trainer.model
    rows = [dataset[at] for at in range(min(params.train.batch_size, len(dataset)))]
    inputs = trainer._prepare_inputs(trainer.data_collator(rows))
    model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(model, inputs).item()
    trainer._metrics["eval"].clear()
    margin, tokens = _apart(trainer, rows, params.dpo.beta)
    allowed = TOLERANCE[params.compute.precision] * tokens * params.dpo.beta
    due = trainer.due(params)
    if not (abs(margin) <= allowed and (due is None or abs(loss - due) <= allowed * max(1.0, due))):
        told = "" if due is None else f"a loss of {due:.6f} and "
        raise IntegrityFailure(
            f"before the first step the loss is {loss:.6f} and the mean margin {margin:.6f}",
            where="data/reference against the base",
            why=f"a fresh adapter must give {told}a margin of 0 (within {allowed:.6f})",
            fix="run `dvc repro --force reference` and try again",
        )


def _apart(trainer: PairTrainer, rows: Sequence[Mapping[str, Any]], beta: float) -> tuple[float, float]:
    """The mean margin of ``rows``, on which the trainer has just computed its loss, and their mean tokens.

    Of a method that sees one side only, that side's mean reward.
    """
    logps = iter(trainer.logps)
    margin, tokens = 0.0, 0
    for side, sign in zip(trainer.sides, (1, -1), strict=False):
        margin += sign * beta * sum(next(logps) - row[f"ref_{side}_logps"] for row in rows)
        tokens += sum(len(row[f"{side}_ids"]) for row in rows)
    return margin / len(rows), tokens / len(rows)


class _Notes(TrainerCallback):
    """Keep the curve, show progress, call back after each epoch, and say when to keep a checkpoint or stop."""

    def __init__(
        self,
        trainer: PairTrainer,
        after_epoch: Callable[[int], bool | None],
        curve: Curve,
        interruption: Interruption | None,
    ) -> None:
        self.trainer, self.after_epoch, self.curve, self.interruption = trainer, after_epoch, curve, interruption
        self.every = trainer.keeper.every if trainer.keeper else 0
        self.asked = False
        self.bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if rank() > 0:  # the seed is the same in all; what dropout leaves out must not be
            torch.manual_seed(args.seed + rank())
        self.trainer.take_up()
        self.bar = bar(state.max_steps, "training", "step", initial=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.update()
        self._listen(args)
        # the last step of an epoch is kept with what follows it
        if self.every and not float(state.epoch).is_integer():
            control.should_save = self.asked or state.global_step % self.every == 0

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            learning = {name: logs[name] for name in ("learning_rate", "grad_norm") if name in logs}
            row = {"step": state.global_step, "epoch": round(state.epoch or 0.0, 4)}
            self.curve.add(row | dict.fromkeys(MEANS) | self.trainer.tally.drain() | learning)
            self.bar.set_postfix(loss=f"{self.curve.rows[-1]['loss']:.4f}", refresh=False)

    def on_epoch_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        with whole(self.trainer.model):
            control.should_training_stop |= bool(self.after_epoch(round(state.epoch or 0.0)))
        self._listen(args)
        control.should_save = self.every > 0
        model.train()

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.interruption and self.asked:
            self.interruption.stop()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.bar.close()

    def _listen(self, args: Any) -> None:
        """Whether any process was asked to stop."""
        if self.interruption:
            self.asked = total([self.interruption.asked is not None], args.device)[0] > 0
