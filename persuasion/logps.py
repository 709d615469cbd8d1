"""The one door for log-probabilities: reference, training and evaluation all pass through it.

Two paths lead to the same numbers. A model that ``models`` has prepared for packing runs a
``PackedRow`` through its backbone once; any other runs one plain row per completion. Both
read the LM head at scored positions only.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from persuasion.batching import Group, PackedRow, batches, pack
from persuasion.progress import bar

PACKS = "persuasion_packs"  # attribute that `models` sets on a causal LM whose attention understands a row


def packs(lm: Any) -> bool:
    """Whether the causal LM (unwrapped from any adapter) takes packed rows."""
    return getattr(lm, PACKS, False)


@torch.no_grad()
def score(lm: Any, groups: Sequence[Group], batch_tokens: int) -> list[list[float]]:
    """Return, for each group, the summed log-prob (nats) of each completion given its prompt."""
    lm.eval()
    sums: list[float] = []
    with bar(len(groups), "log-probs", "post") as shown:
        for batch in batches(groups, batch_tokens):
            sums += completion_logps(lm, batch).tolist()
            shown.update(len(batch))
    flat = iter(sums)
    return [[next(flat) for _ in group.completions] for group in groups]


def completion_logps(lm: Any, groups: Sequence[Group]) -> Tensor:
    """Return [C] summed log-probs of all completions of ``groups``, in order; differentiable, float32 or wider."""
    if packs(lm):
        row = pack(groups, lm.device)
        return torch.stack([part.sum() for part in token_logps(lm, row).split(row.lengths)])
    rows = [(group.prompt, completion) for group in groups for completion in group.completions]
    return torch.stack([_plain(lm, prompt, completion) for prompt, completion in rows])


def token_logps(lm: Any, row: PackedRow) -> Tensor:
    """Return [N] log-probs of the row's targets."""
    return head_logps(hidden(lm, row), lm.get_output_embeddings().weight, row.targets)[0]


def hidden(lm: Any, row: PackedRow) -> Tensor:
    """Return [N, width], the hidden states that predict the row's targets."""
    # a 4-D mask is passed through untouched, so that no mask over the whole row is built
    mask = torch.empty(1, 1, 1, 1, device=row.ids.device)
    out = lm.base_model(
        input_ids=row.ids, position_ids=row.positions, attention_mask=mask, use_cache=False, packed_row=row
    )
    states: Tensor = out.last_hidden_state[0].index_select(0, row.sources)
    return states


def head_logps(states: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return ([N] log-probs, [N] entropies, [N] is-most-likely) of ``targets`` under softmax(states @ weight.T).

    A frozen head takes the chunked path that never holds [N, V]; a head being trained takes
    autograd's.
    """
    if weight.requires_grad:
        logits = torch.log_softmax((states @ weight.T).to(_wide(states)), -1)
        picked = logits.gather(1, targets[:, None])[:, 0]
        return picked, -(logits.exp() * logits).sum(-1).detach(), logits.detach().argmax(-1) == targets
    logp, entropy, top = _FrozenHead.apply(states, weight, targets)
    return logp, entropy, top


class _FrozenHead(torch.autograd.Function):
    """log softmax at the targets; rows are independent, so d logp/d state is formed in the forward pass."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count, wants = len(states), ctx.needs_input_grad[0]
        wide = _wide(states)
        logp, entropy = (torch.empty(count, dtype=wide, device=states.device) for _ in range(2))
        top = torch.empty(count, dtype=torch.bool, device=states.device)
        gradient = torch.empty_like(states) if wants else None
        step = max(128, (1 << 21) // len(weight))
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            logits = (states[part] @ weight.T).to(wide)
            peak = logits.amax(-1, keepdim=True)
            at = logits.gather(1, targets[part, None])
            logits -= peak
            weights = logits.exp()
            total = weights.sum(-1, keepdim=True)
            log_total = total.log()
            logp[part] = (at - peak - log_total)[:, 0]
            entropy[part] = log_total[:, 0] - (weights * logits).sum(-1) / total[:, 0]
            top[part] = (at >= peak)[:, 0]
            if gradient is not None:
                # d logp_t / d h = W_t - sum_v p_v W_v
                expected = (weights / total).to(weight.dtype) @ weight
                gradient[part] = weight[targets[part]] - expected
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(entropy, top)
        return logp, entropy, top

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None].to(gradient.dtype), None, None


def _plain(lm: Any, prompt: tuple[int, ...], completion: tuple[int, ...]) -> Tensor:
    """One row, no packing: for architectures whose attention does not take a packed row."""
    ids = torch.tensor([prompt + completion], device=lm.device)
    logits = lm(input_ids=ids, use_cache=False).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits.to(_wide(logits)), -1).gather(1, ids[0, len(prompt) :, None]).sum()


def _wide(tensor: Tensor) -> torch.dtype:
    """At least float32: a sum over a vocabulary in bfloat16 is worth little."""
    return torch.promote_types(tensor.dtype, torch.float32)
