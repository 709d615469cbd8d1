"""DPO with LoRA: the one module around TRL, so that its churn touches one file.

TRL keeps its losses, optimiser loop and distribution. Three things behind its seams are ours:
the data comes tokenised, the reference log-probs come from the `reference` stage, and the
fused head that TRL calls scores a packed row instead of padded ones. Written for trl 1.16.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

# before trl and peft are imported: training needs nothing from the hub, and trl's trainer phones home
os.environ.update({"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"})

import datasets
import torch
from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback, ProgressCallback
from transformers.training_args import OptimizerNames
from trl import DPOConfig, DPOTrainer

from persuasion.config import Dpo, Params, Train
from persuasion.curves import Curve, Row
from persuasion.dpo import LN2
from persuasion.encoding import EncodedPair
from persuasion.errors import IntegrityFailure, SurroundingsFailure, UsageFailure
from persuasion.guards import check_trainable
from persuasion.interruptions import Interruption
from persuasion.lora import adapter_config
from persuasion.processes import rank, total
from persuasion.progress import bar
from persuasion.records import Reference
from persuasion.seam import install
from persuasion.snapshots import Keeper, Resumable
from persuasion.watching import Watched

TOLERANCE = {"float32": 1e-4, "bfloat16": 1e-2}  # nats per token between policy and reference before step 1

datasets.disable_progress_bars()


class PairTrainer(Watched, Resumable, DPOTrainer):
    """TRL's trainer on pairs that are already tokens and already know their reference."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


def build(
    lm: Any, tokenizer: Any, pairs: Sequence[EncodedPair], reference: dict[str, Reference], params: Params
) -> PairTrainer:
    """A trainer with a fresh adapter on ``lm``, checked to start at the reference.

    Raises UsageFailure when lora.targets do not fit, IntegrityFailure (exit 7) when the
    policy before its first step is not the reference.
    """
    rows = [_row(pair, reference[pair.pair_id]) for pair in pairs]
    arguments = _arguments(params.train, params.dpo, lm.device.type)
    trainer = PairTrainer(
        model=lm,
        args=arguments,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=adapter_config(params.lora, lm),
    )
    check_trainable(trainer.model)
    trainer.precompute_ref_logps = True  # only now: at construction it would make TRL compute its own
    for callback in (ProgressCallback, PrinterCallback):
        trainer.remove_callback(callback)
    install(lm)
    check_start(trainer, params)
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
        print(f"train: continues from {newest.name}", file=sys.stderr)
    try:
        with Interruption() if keeper else contextlib.nullcontext() as interruption:
            trainer.add_callback(_Notes(trainer, after_epoch, curve, interruption))
            with contextlib.redirect_stdout(None):
                outcome = trainer.train(resume_from_checkpoint=str(newest) if newest else None)
    except ImportError as error:  # some optimisers live in packages of their own
        raise SurroundingsFailure(
            f"train.optimizer {trainer.args.optim} cannot be used here", why=str(error), fix="choose adamw_torch"
        ) from None
    return trainer.losses / max(outcome.global_step, 1), outcome.global_step, curve.rows


def check_start(trainer: PairTrainer, params: Params) -> None:
    """Before the first step policy = reference, so margins are 0 and the sigmoid loss is ln 2; else exit 7."""
    dataset: Any = trainer.train_dataset
    model: Any = trainer.model
    rows = [dataset[at] for at in range(min(params.train.batch_size, len(dataset)))]
    inputs = trainer._prepare_inputs(trainer.data_collator(rows))
    model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(model, inputs).item()
    margin = trainer._metrics["eval"]["rewards/margins"][-1]
    trainer._metrics["eval"].clear()
    tokens = sum(len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows) / len(rows)
    allowed = TOLERANCE[params.compute.precision] * tokens * params.dpo.beta
    off = abs(loss - LN2) if params.dpo.loss == "sigmoid" else abs(margin)
    if not (off <= allowed and abs(margin) <= allowed):
        raise IntegrityFailure(
            f"before the first step the loss is {loss:.6f} and the mean margin {margin:.6f}",
            where="data/reference against models/base",
            why=f"a fresh adapter must give ln 2 = {LN2:.6f} and 0 (within {allowed:.6f})",
            fix="run `dvc repro --force reference` and try again",
        )


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
        self.bar = bar(state.max_steps, "dpo", "step", initial=state.global_step)

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
            self.curve.add(row | self.trainer.tally.drain() | learning)
            self.bar.set_postfix(loss=f"{self.curve.rows[-1]['loss']:.4f}", refresh=False)

    def on_epoch_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
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


def _row(pair: EncodedPair, reference: Reference) -> dict[str, Any]:
    return {
        "pair_id": pair.pair_id,
        "prompt_ids": list(pair.prompt),
        "chosen_ids": list(pair.chosen),
        "rejected_ids": list(pair.rejected),
        "ref_chosen_logps": reference.reference_chosen_logp,
        "ref_rejected_logps": reference.reference_rejected_logp,
    }


def _arguments(train: Train, dpo: Dpo, device: str) -> DPOConfig:
    """TRL's settings from ours. Raises UsageFailure for an optimiser that transformers does not know."""
    known = sorted(name.value for name in OptimizerNames)
    if train.optimizer not in known:
        close = get_close_matches(train.optimizer, known, n=1) or ["adamw_torch"]
        raise UsageFailure(f"train.optimizer is {train.optimizer!r}", fix=f"did you mean {close[0]}?")
    return DPOConfig(
        output_dir=tempfile.gettempdir(),  # nothing is saved there
        learning_rate=train.learning_rate,
        lr_scheduler_type="constant_with_warmup" if train.schedule == "constant" else train.schedule,
        warmup_steps=train.warmup_ratio,  # below 1 it is a share of all steps
        weight_decay=train.weight_decay,
        num_train_epochs=train.epochs,
        per_device_train_batch_size=train.batch_size,
        gradient_accumulation_steps=train.accumulation,
        max_grad_norm=train.max_grad_norm,
        optim=train.optimizer,
        gradient_checkpointing=train.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        beta=dpo.beta,
        loss_type=[dpo.loss],
        label_smoothing=dpo.label_smoothing,
        max_length=None,  # `encoding` has cut what had to be cut, and counted it
        disable_dropout=False,
        bf16=False,  # no autocast: `compute.precision` is the base's dtype, the same for policy and reference
        use_cpu=device == "cpu",
        dataloader_pin_memory=device != "cpu",
        logging_steps=train.log_every,
        logging_nan_inf_filter=False,
        save_strategy="no",  # `Keeper` keeps checkpoints
        ddp_find_unused_parameters=False,
        report_to=[],
        seed=train.seed,
        data_seed=train.seed,
    )
