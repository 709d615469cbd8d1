"""Watch every step of a trainer: which pairs were in it, what they were worth on average, and whether it diverged.

``Watched`` stands before TRL's trainer among the parents. It hands out the batches, so that each
pair is seen once an epoch by one of all processes, and makes means exact where a batch is shared
out unevenly.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from persuasion.curves import Tally
from persuasion.guards import SLOWER, diverged, offenders
from persuasion.processes import Shares, gathered, total, world

SIDES = ("chosen", "rejected")
MEANS = ("loss", "reward_margin", "reward_accuracy", *(f"rewards_{side}" for side in SIDES))  # over the pairs of a step


class Watched:
    """Before one of TRL's trainers among the parents. ``tally``: sums since the last point of the curve."""

    sides: Sequence[str] = SIDES  # what of its pairs a batch holds: all chosen completions, then all rejected ones
    beta: float = 1.0
    advice: str = SLOWER  # for a run that diverges

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tally = Tally()
        self.losses = 0.0  # the sum of all steps' losses
        self.logps: list[float] = []  # of the policy on the last batch, in the order of its rows
        self._pairs: list[str] = []  # of the step at work
        self._batch: tuple[list[str], Mapping[str, Any]] = ([], {})  # its last batch: pairs, and what is known of them
        self.shares: Shares | None = None
        self._holds = False  # this process has no pair of its own in the batch
        self.model.register_forward_hook(self._hear)  # type: ignore[attr-defined]
        if world() > 1:
            self.accelerator.gather = self._gather  # type: ignore[attr-defined]

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Batches of ours, the same pairs in the same order whatever the number of processes."""
        arguments, rows = self.args, self.train_dataset  # type: ignore[attr-defined]
        self.shares = Shares(self.parts(), arguments.per_device_train_batch_size, arguments.data_seed)
        return DataLoader(
            _Rows(rows),
            batch_sampler=self.shares,
            collate_fn=self._collate,
            pin_memory=arguments.dataloader_pin_memory,
        )

    def parts(self) -> Sequence[Sequence[int]]:
        """The rows, by number, that a batch is made up of: one by one, or several that belong together."""
        return [[number] for number in range(len(self.train_dataset))]  # type: ignore[attr-defined]

    def weight(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """How much of a batch's mean loss ``rows`` are: as many parts as there are pairs."""
        return len(rows)

    def supply(self, inputs: dict[str, Any]) -> None:
        """Add to ``inputs`` what TRL's loss needs and the collator does not know."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """TRL's loss, weighed so that the mean over processes is the mean over pairs."""
        pairs, known = inputs.pop("pair_ids", None), inputs.pop("known", {})
        self._holds, self._batch = pairs == [], (pairs or [], known)
        self.supply(inputs)
        loss: Tensor = super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[misc]
        if pairs is None:
            return loss
        self._pairs += pairs
        return loss * self._note(loss.item(), len(pairs), known)

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """One step of TRL's; a loss that is not finite stops the run instead of being averaged away."""
        loss: Tensor = super().training_step(model, inputs, *args, **kwargs)  # type: ignore[misc]
        if not torch.isfinite(loss):
            pairs, known = self._batch
            values = self.logps + [value for side in self.sides for value in known[f"reference_{side}"]]
            raise diverged("loss", loss.item(), self._step, offenders(pairs, values), self.advice)
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[misc]
        pairs, self._pairs = self._pairs, []
        if not math.isfinite(float(norm)):  # one such step would spoil the weights, and a checkpoint after it
            raise diverged("gradient norm", float(norm), self._step, pairs, self.advice)
        return norm

    @property
    def _step(self) -> int:
        step: int = self.state.global_step  # type: ignore[attr-defined]
        return step + 1

    def _hear(self, model: Any, given: Any, output: Any) -> None:
        """Keep the log-probs that the loss is made of; other forward passes of a step run without gradient."""
        if hasattr(output, "log_probs") and (torch.is_grad_enabled() or not model.training):
            self.logps = output.log_probs.detach().double().sum(1).tolist()

    def _note(self, loss: float, mine: int, known: Mapping[str, Any]) -> float:
        """Take a batch into the tally and return how much this process's loss weighs in it."""
        weight = known["weight"]
        sums = self._sums(mine, known)
        device = self.args.device  # type: ignore[attr-defined]
        pairs, weights, losses, *found = total([mine, weight, loss * weight if mine else 0.0, *sums.values()], device)
        mean = losses / weights
        self.tally.add(pairs, {"loss": mean}, dict(zip(sums, found, strict=True)))
        self.losses += mean / self.current_gradient_accumulation_steps  # type: ignore[attr-defined]
        return weight * world() / weights

    def _sums(self, mine: int, known: Mapping[str, Any]) -> dict[str, float]:
        """What adds up over the pairs of this process: rewards, log-probs and tokens; a tie is half of a success."""
        logps, rewards = {}, {}
        for number, side in enumerate(self.sides):
            logps[side] = self.logps[number * mine : (number + 1) * mine]
            if known["referenced"]:
                pairs = zip(logps[side], known[f"reference_{side}"], strict=True)
                rewards[side] = [self.beta * (policy - reference) for policy, reference in pairs]
        sums = {f"rewards_{side}": sum(values) for side, values in rewards.items()}
        if rewards.keys() == set(SIDES):
            margins = [chosen - rejected for chosen, rejected in zip(*rewards.values(), strict=True)]
            won = sum((margin > 0) + 0.5 * (margin == 0) for margin in margins)
            sums |= {"reward_margin": sum(margins), "reward_accuracy": won}
        for side in self.sides:
            sums |= {f"logp_{side}": sum(logps[side]), f"tokens_{side}": known[f"tokens_{side}"]}
        return sums

    def _collate(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self.data_collator(rows)  # type: ignore[attr-defined]
        mine = [row for row in rows if row["counts"]]
        known: dict[str, Any] = {"weight": self.weight(mine), "referenced": "ref_chosen_logps" in rows[0]}
        for side in self.sides:
            known[f"tokens_{side}"] = sum(len(row[f"{side}_ids"]) - (not row["prompt_ids"]) for row in mine)
            known[f"reference_{side}"] = [row[f"ref_{side}_logps"] for row in mine] if known["referenced"] else []
        return batch | {"pair_ids": [row["pair_id"] for row in mine], "known": known}

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
