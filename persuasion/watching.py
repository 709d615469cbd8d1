"""Watch every step of a trainer: which pairs were in it, what they were worth on average, and whether it diverged.

``Watched`` stands before TRL's trainer among the parents. It hands out the batches, so that each
pair is seen once an epoch by one of all processes, and makes means exact where a batch is shared
out unevenly.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from persuasion.curves import Tally
from persuasion.guards import diverged, offenders
from persuasion.processes import Shares, gathered, total, world

MEANS = {  # TRL's names for means over the pairs of a step in all processes
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
    "rewards/chosen": "rewards_chosen",
    "rewards/rejected": "rewards_rejected",
}
SIDES = ("chosen", "rejected")


class Watched:
    """Before TRL's DPOTrainer among the parents. ``tally``: sums since the last point of the curve."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tally = Tally()
        self.losses = 0.0  # the sum of all steps' losses
        self._pairs: list[str] = []  # of the step at work
        self._holds = False  # this process has no pair of its own in the batch
        if world() > 1:
            self.accelerator.gather = self._gather  # type: ignore[attr-defined]

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of ours, the same pairs in the same order whatever the number of processes."""
        arguments, rows = self.args, self.train_dataset  # type: ignore[attr-defined]
        return DataLoader(
            _Rows(rows),
            batch_sampler=Shares(len(rows), arguments.per_device_train_batch_size, arguments.data_seed),
            collate_fn=self._collate,
            pin_memory=arguments.dataloader_pin_memory,
        )

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """TRL's loss, weighed so that the mean over processes is the mean over pairs."""
        pairs = inputs.pop("pair_ids", None)
        self._holds = pairs == []
        loss: Tensor = super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[misc]
        if pairs is None:
            return loss
        self._pairs += pairs
        return loss * self._note(loss.item(), inputs, len(pairs))

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """One step of TRL's; a loss that is not finite stops the run instead of being averaged away."""
        loss: Tensor = super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
        if not torch.isfinite(loss):
            raise diverged("loss", loss.item(), self._step, offenders(self.model, self._prepare_inputs(inputs)))  # type: ignore[attr-defined]
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[misc]
        pairs, self._pairs = self._pairs, []
        if not math.isfinite(float(norm)):  # one such step would spoil the weights, and a checkpoint after it
            raise diverged("gradient norm", float(norm), self._step, pairs)
        return norm

    @property
    def _step(self) -> int:
        step: int = self.state.global_step  # type: ignore[attr-defined]
        return step + 1

    def _note(self, loss: float, inputs: Mapping[str, Tensor], mine: int) -> float:
        """Take a batch into the tally and return how much this process's loss weighs in it."""
        sides = zip(SIDES, inputs["completion_mask"].chunk(2), strict=True)
        tokens = {f"tokens_{side}": mask.sum().item() if mine else 0 for side, mask in sides}
        values = [mine, loss * mine if mine else 0.0, *tokens.values()]
        pairs, losses, *counts = total(values, inputs["input_ids"].device)
        metrics = self._metrics["train"]  # type: ignore[attr-defined]
        means = {"loss": losses / pairs} | {ours: metrics[theirs][-1] for theirs, ours in MEANS.items()}
        sums = dict(zip(tokens, counts, strict=True)) | {
            f"logp_{side}": metrics[f"logps/{side}"][-1] * pairs for side in SIDES
        }
        self.tally.add(pairs, means, sums)
        self.losses += means["loss"] / self.current_gradient_accumulation_steps  # type: ignore[attr-defined]
        return mine * world() / pairs

    def _collate(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self.data_collator(rows)  # type: ignore[attr-defined]
        return batch | {"pair_ids": [row["pair_id"] for row in rows if row["counts"]]}

    def _gather(self, values: Tensor) -> Tensor:
        """What TRL gathers for its metrics, without what is only held."""
        flat = values.detach().reshape(-1)
        return gathered(flat[:0] if self._holds else flat)


class _Rows(Dataset[dict[str, Any]]):
    """Rows by number; number -1 - n is row n, only held."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.rows[max(number, -1 - number)] | {"counts": number >= 0}
