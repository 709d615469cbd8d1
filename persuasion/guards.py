"""What stops a training that went wrong, and says which pairs were in it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from persuasion.checkpoints import PLACE
from persuasion.errors import IntegrityFailure, TrainingFailure, UsageFailure
from persuasion.files import write_json

DIVERGED = PLACE / "diverged.json"
MORE_STEPS = "train more steps (train.epochs, smaller train.batch_size), or set train.warmup_ratio: 0"
SLOWER = "lower train.learning_rate or raise dpo.beta"
NAMED = 8  # pairs named in a message; the file has them all


def check_trainable(model: Any) -> None:
    """Raise UsageFailure where nothing would be trained."""
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageFailure(
            "no parameter would be trained",
            where="lora",
            why="the adapter adds none, or all are frozen",
            fix="set lora.targets to all-linear",
        )


def check_effect(weights: Mapping[str, torch.Tensor], fix: str = MORE_STEPS) -> None:
    """Raise IntegrityFailure when the trained adapter changes nothing: every LoRA product B·A is still zero."""
    second = [tensor for name, tensor in weights.items() if "lora_B" in name]
    if second and not any(tensor.any() for tensor in second):
        raise IntegrityFailure(
            "the trained adapter has no effect",
            why="all its B matrices are zero, so no step changed the policy",
            fix=fix,
        )


def diverged(what: str, value: float, step: int, pairs: Sequence[str], advice: str = SLOWER) -> TrainingFailure:
    """The failure of a loss or gradient that is not finite; ``pairs`` are written down, and named if few."""
    facts = {"step": step, what: str(value), "pairs": sorted(pairs)}
    write_json(DIVERGED, facts)
    named = ", ".join(sorted(pairs)[:NAMED]) + (f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else "")
    return TrainingFailure(
        f"the {what} is {value} at step {step}",
        where=f"pairs {named} ({DIVERGED} lists them)" if pairs else "",
        why="training diverged",
        fix=f"{advice}; look at these pairs. Earlier checkpoints are kept",
    )


def offenders(pairs: Sequence[str], logps: Sequence[float]) -> list[str]:
    """The pairs with a log-prob that is not finite; all of them where each is and only the loss is not.

    ``logps``: one of every pair, then again one of every pair, as often as there are.
    """
    at_fault = {pairs[number % len(pairs)] for number, logp in enumerate(logps) if pairs and not math.isfinite(logp)}
    return sorted(at_fault or pairs)
