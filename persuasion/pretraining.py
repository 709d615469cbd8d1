"""Train the small base model as a language model on threads: the post, then each comment behind it."""

import math
import random
from collections.abc import Sequence
from typing import Any

import torch

from persuasion.batching import Group, batches, pack
from persuasion.config import Small
from persuasion.errors import TrainingFailure
from persuasion.logps import token_logps
from persuasion.progress import bar

BETAS, CLIP, FLOOR = (0.9, 0.95), 1.0, 0.02  # AdamW momenta, gradient norm, last share of the learning rate


def pretrain(lm: Any, groups: Sequence[Group], settings: Small) -> int:
    """Minimise the mean token NLL of ``groups`` with AdamW and a cosine schedule; return the steps taken.

    Raises TrainingFailure when the loss is not finite.
    """
    steps = math.ceil(len(groups) / settings.batch_threads) * settings.epochs
    optimizer = torch.optim.AdamW(_decayed(lm, settings.weight_decay), lr=settings.learning_rate, betas=BETAS)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, steps, settings.warmup_ratio))
    lm.train()
    order = random.Random(settings.seed)
    with bar(steps, "base", "step") as shown:
        for _ in range(settings.epochs):
            for batch in _shuffled(groups, settings.batch_threads, order):
                loss = -token_logps(lm, pack(batch, lm.device, score_prompts=True)).mean()
                if not torch.isfinite(loss):
                    raise TrainingFailure(
                        f"the base model's loss is {loss.item()}", fix="lower model.small.learning_rate"
                    )
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(lm.parameters(), CLIP)
                optimizer.step()
                schedule.step()
                shown.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
                shown.update()
    return steps


@torch.no_grad()
def perplexity(lm: Any, groups: Sequence[Group], batch_tokens: int) -> float:
    """exp of the mean NLL per token over all prompts and completions of ``groups``."""
    lm.eval()
    total, count = 0.0, 0
    for batch in batches(groups, batch_tokens):
        logps = token_logps(lm, pack(batch, lm.device, score_prompts=True))
        total, count = total - logps.double().sum().item(), count + len(logps)
    return math.exp(total / count)


def _shuffled(groups: Sequence[Group], size: int, order: random.Random) -> list[list[Group]]:
    places = list(range(len(groups)))
    order.shuffle(places)
    return [[groups[place] for place in places[at : at + size]] for at in range(0, len(places), size)]


def _share(step: int, steps: int, warmup_ratio: float) -> float:
    """Linear warm-up, then half a cosine down to ``FLOOR``."""
    warm = (step + 1) / (warmup_ratio * steps + 1)
    return min(warm, max(FLOOR, 0.5 * (1 + math.cos(math.pi * step / steps))))


def _decayed(lm: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Matrices decay, norms and biases do not."""
    matrices = [parameter for parameter in lm.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in lm.parameters() if parameter.ndim < 2]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
