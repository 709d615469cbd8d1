"""The methods as TRL's trainers, all on the same rows: pairs that are already tokens and know their reference.

DPO takes a pair as it is; KTO its two completions apart, as desirable and undesirable; SFT the chosen
one alone. Losses, metrics and optimisation are TRL's; batches, tallies, checkpoints and log-probs are
ours, one code for all. Written for trl 1.16.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from torch import Tensor
from transformers.training_args import OptimizerNames
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, SFTConfig, SFTTrainer
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from persuasion.config import Params, Train
from persuasion.dpo import LN2
from persuasion.encoding import EncodedPair
from persuasion.errors import UsageFailure
from persuasion.filling import filled
from persuasion.lending import Row, lent
from persuasion.processes import world
from persuasion.records import Reference
from persuasion.snapshots import Resumable
from persuasion.watching import SIDES, Watched


class PairTrainer(Watched, Resumable):
    """What the methods have in common, and what of TRL's trainers is used here."""

    args: Any
    model: Any
    train_dataset: Any
    data_collator: Any
    precompute_ref_logps: bool
    _metrics: Any
    _prepare_inputs: Any
    train: Any
    add_callback: Any
    remove_callback: Any

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset

    def due(self, params: Params) -> float | None:
        """The loss of a policy equal to its reference, in nats; None where it is not one number."""
        return None

    def begin(self, params: Params) -> None:
        """Called once the start is checked."""


class DpoTrainer(PairTrainer, DPOTrainer):
    """Direct preference optimisation (Rafailov et al. 2023) and its kin: TRL's losses, weighed and added up."""

    def due(self, params: Params) -> float | None:
        """ln 2 for the sigmoid loss."""
        losses = params.dpo.losses
        return LN2 * losses["sigmoid"] if losses.keys() == {"sigmoid"} else None

    def begin(self, params: Params) -> None:
        """LD-DPO weighs tokens by the other completion's length, so whole sums do not do: TRL asks the reference."""
        if params.dpo.ld_alpha is not None:
            self.ld_alpha, self.precompute_ref_logps = params.dpo.ld_alpha, False


class KtoTrainer(PairTrainer, KTOTrainer):
    """Kahneman-Tversky optimisation (Ethayarajh et al. 2024): is this completion good, not which of two is better.

    The divergence that rewards stand against is estimated on the batch of all processes, as one would.
    """

    def supply(self, inputs: dict[str, Any]) -> None:
        """What the reference thinks of the mismatched completions: no stage has scored them."""
        with self.model.disable_adapter():
            inputs["ref_KL_logps"] = self._compute_kl_logps(self.model, inputs)

    def _collate(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """With the row that lends each its completions: another process may have it."""
        if self.shares:
            rows = lent(rows, [self.train_dataset[number] for number in self.shares.whole])
        return super()._collate(rows)

    def _compute_kl_logps(self, model: Any, batch: dict[str, Any]) -> Tensor:
        """Log-probs of the borrowed completions of all processes, so that TRL's mean over them is exact."""
        mine: Tensor = super()._compute_kl_logps(model, batch)
        return self._gather(mine) if world() > 1 else mine

    def due(self, params: Params) -> float | None:
        """1 - sigmoid(0) for completions of both kinds, by their weights."""
        return (params.kto.desirable_weight + params.kto.undesirable_weight) / 4


class SftTrainer(PairTrainer, SFTTrainer):
    """Supervised fine-tuning on the chosen completions; the loss is a mean over the tokens of a batch."""

    sides = SIDES[:1]
    room: int | None = None  # tokens of a part, where parts are filled with completions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = False  # batches are weighed here, and steps are means of their batches

    def parts(self) -> Sequence[Sequence[int]]:
        """Single rows, or parts of at most ``room`` tokens."""
        if self.room is None:
            return super().parts()
        rows: Any = self.train_dataset
        return filled([len(row["prompt_ids"]) + len(row["chosen_ids"]) for row in rows], self.room)

    def weight(self, rows: Sequence[Row]) -> int:
        """Tokens that are learnt."""
        return sum(len(row["chosen_ids"]) - (not row["prompt_ids"]) for row in rows)


class Unpaired(DataCollatorForUnpairedPreference):
    """Pairs to what KTO takes: all chosen completions, then all rejected ones; a row may bring its ``lender``."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch of twice as many rows as pairs."""
        rows = examples if "lender" in examples[0] else lent(examples, examples)
        unpaired = [
            {
                "prompt_ids": row["prompt_ids"],
                "completion_ids": row[f"{side}_ids"],
                "KL_completion_ids": row["lender"][f"{side}_ids"],
                "label": side == "chosen",
                "ref_logps": row[f"ref_{side}_logps"],
            }
            for side in SIDES
            for row in rows
        ]
        batch: dict[str, Any] = super().torch_call(unpaired)
        return batch


class Chosen(DataCollatorForLanguageModeling):
    """Pairs to what SFT takes: post and chosen completion, of which the completion is learnt."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """One batch of as many rows as pairs."""
        rows = [
            {
                "input_ids": row["prompt_ids"] + row["chosen_ids"],
                "labels": [-100] * len(row["prompt_ids"]) + row["chosen_ids"],
            }
            for row in examples
        ]
        batch: dict[str, Any] = super().torch_call(rows)
        return batch


def trainer_of(params: Params, given: Mapping[str, Any], device: str) -> PairTrainer:
    """The trainer of ``train.method`` with TRL's settings from ours; ``given``: its other arguments.

    Raises UsageFailure for an optimiser that transformers does not know.
    """
    dpo, kto, common = params.dpo, params.kto, _common(params.train, device)
    pad = given["processing_class"].pad_token_id
    if params.train.method == "sft":
        sft = SftTrainer(args=SFTConfig(**common), data_collator=Chosen(pad_token_id=pad), **given)
        sft.beta, sft.room = dpo.beta, params.encoding.total_tokens if params.sft.packed else None
        return sft
    # `encoding` has cut what had to be cut, and counted it; lora.dropout stays
    common |= {"beta": dpo.beta, "max_length": None, "disable_dropout": False}
    if params.train.method == "kto":
        weights: dict[str, Any] = {
            "desirable_weight": kto.desirable_weight,
            "undesirable_weight": kto.undesirable_weight,
        }
        # a borrowed completion behind a long post is cut to the budget
        unpaired = Unpaired(pad_token_id=pad, max_length=params.encoding.total_tokens)
        return KtoTrainer(args=KTOConfig(**common, **weights), data_collator=unpaired, **given)
    losses: dict[str, Any] = {"loss_type": list(dpo.losses), "loss_weights": list(dpo.losses.values())}
    return DpoTrainer(args=DPOConfig(**common, **losses, label_smoothing=dpo.label_smoothing), **given)


def rows_of(pairs: Sequence[EncodedPair], reference: Mapping[str, Reference] | None, params: Params) -> list[Row]:
    """The rows to train on; for SFT every chosen completion once, however many pairs it stands in."""
    if params.train.method == "sft":
        pairs = once(pairs)
        if not params.sft.completion_only:  # without a prompt all is completion; the reference has not scored that
            pairs, reference = [replace(pair, prompt=(), chosen=pair.prompt + pair.chosen) for pair in pairs], None
    return [_row(pair, reference[pair.pair_id] if reference else None) for pair in pairs]


def _row(pair: EncodedPair, reference: Reference | None) -> Row:
    row: dict[str, Any] = {
        "pair_id": pair.pair_id,
        "prompt_ids": list(pair.prompt),
        "chosen_ids": list(pair.chosen),
        "rejected_ids": list(pair.rejected),
    }
    if reference:
        row["ref_chosen_logps"] = reference.reference_chosen_logp
        row["ref_rejected_logps"] = reference.reference_rejected_logp
    return row


def once(pairs: Sequence[EncodedPair]) -> list[EncodedPair]:
    """Every chosen completion once, however many pairs it stands in."""
    first = {(pair.prompt, pair.chosen): pair for pair in reversed(pairs)}
    return [pair for pair in pairs if first[pair.prompt, pair.chosen] is pair]


def _common(train: Train, device: str) -> dict[str, Any]:
    """TRL's settings that do not depend on the method."""
    known = sorted(name.value for name in OptimizerNames)
    if train.optimizer not in known:
        close = get_close_matches(train.optimizer, known, n=1) or ["adamw_torch"]
        raise UsageFailure(f"train.optimizer is {train.optimizer!r}", fix=f"did you mean {close[0]}?")
    return {
        "output_dir": tempfile.gettempdir(),  # nothing is saved there
        "learning_rate": train.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if train.schedule == "constant" else train.schedule,
        "warmup_steps": train.warmup_ratio,  # below 1 it is a share of all steps
        "weight_decay": train.weight_decay,
        "num_train_epochs": train.epochs,
        "per_device_train_batch_size": train.batch_size,
        "gradient_accumulation_steps": train.accumulation,
        "max_grad_norm": train.max_grad_norm,
        "optim": train.optimizer,
        "gradient_checkpointing": train.gradient_checkpointing,
        "gradient_checkpointing_kwargs": {"use_reentrant": False},
        "bf16": False,  # no autocast: `compute.precision` is the base's dtype, the same for policy and reference
        "use_cpu": device == "cpu",
        "dataloader_pin_memory": device != "cpu",
        "logging_steps": train.log_every,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # `Keeper` keeps checkpoints
        "ddp_find_unused_parameters": False,
        "report_to": [],
        "seed": train.seed,
        "data_seed": train.seed,
    }
