"""The one door for log-probabilities: reference, training and evaluation all pass through it.

Two paths lead to the same numbers. A model that ``packing`` has prepared runs a ``PackedRow``
through its layers once and its LM head where something is scored; any other runs one plain row
per completion.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from persuasion import backbone
from persuasion.batching import Group, PackedRow, batches, pack
from persuasion.products import product
from persuasion.progress import bar

PACKS = "persuasion_packs"  # attribute that `packing` sets on a causal LM whose attention understands a row
CHUNK = 1 << 21  # logits held at once, twice


def packs(lm: Any) -> bool:
    """Whether the causal LM (unwrapped from any adapter) takes packed rows."""
    # a head that is sharded over processes is gathered by TRL's own path
    return getattr(lm, PACKS, False) and not hasattr(lm.get_output_embeddings().weight, "full_tensor")


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
    logits = (plain_logits(lm, prompt, completion) for prompt, completion in rows)
    targets = (completion if prompt else completion[1:] for prompt, completion in rows)
    return torch.stack([_picked(*both).sum() for both in zip(logits, targets, strict=True)])


def token_logps(lm: Any, row: PackedRow) -> Tensor:
    """Return [N] log-probs of the row's targets."""
    return head_logps(hidden(lm, row), lm.get_output_embeddings().weight, row.targets)


def hidden(lm: Any, row: PackedRow) -> Tensor:
    """Return [N, width], the hidden states that predict the row's targets."""
    if backbone.serves(lm):
        return backbone.run(lm, row)
    # a 4-D mask is passed through untouched, so that no mask over the whole row is built
    mask = torch.empty(1, 1, 1, 1, device=row.ids.device)
    out = lm.base_model(
        input_ids=row.ids, position_ids=row.positions, attention_mask=mask, use_cache=False, packed_row=row
    )
    states: Tensor = out.last_hidden_state[0].index_select(0, row.sources)
    return states


def plain_logits(lm: Any, prompt: tuple[int, ...], completion: tuple[int, ...]) -> Tensor:
    """Return [n, V] logits of the completion's tokens (but the first where there is no prompt), from a row of its own.

    An encoder-decoder reads the prompt in its encoder.
    """
    if lm.config.is_encoder_decoder:
        ids, labels = (torch.tensor([part], device=lm.device) for part in (prompt, completion))
        read: Tensor = lm(input_ids=ids, labels=labels, use_cache=False).logits[0]
        return read
    ids = torch.tensor([prompt + completion], device=lm.device)
    logits: Tensor = lm(input_ids=ids, use_cache=False).logits[0, max(len(prompt) - 1, 0) : -1]
    return logits


def head_logps(states: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Return [N] log-probs of ``targets`` under softmax(states @ weight.T).

    A frozen head takes the chunked path that never holds [N, V]; a head being trained takes autograd's.
    """
    if weight.requires_grad:
        logits = torch.log_softmax((states @ weight.T).to(_wide(states)), -1)
        return logits.gather(1, targets[:, None])[:, 0]
    logp: Tensor = _FrozenHead.apply(states, weight, targets, False)[0]
    return logp


def head_scores(states: Tensor, weight: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """With a frozen head, also the [N] entropies and whether each target is the most likely."""
    logp, entropy, top = _FrozenHead.apply(states, weight, targets, True)
    return logp, entropy, top


class _FrozenHead(torch.autograd.Function):
    """log softmax at the targets; rows are independent, so d logp/d state is formed in the forward pass."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, targets: Tensor, statistics: bool
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        count, wants = len(states), ctx.needs_input_grad[0]
        logp = states.new_empty(count, dtype=_wide(states))
        entropy = torch.empty_like(logp) if statistics else None
        top = torch.empty(count, dtype=torch.bool, device=states.device) if statistics else None
        gradient = torch.empty_like(states) if wants else None
        step = max(128, CHUNK // len(weight))
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            logits = product(states[part], weight).to(logp.dtype)
            at, peak, shares = logits.gather(1, targets[part, None])[:, 0], logits.amax(-1), logits.softmax(-1)
            del logits
            total = peak - shares.amax(-1).log_()  # the log-sum-exp, by the largest share, which never underflows
            torch.sub(at, total, out=logp[part])
            if gradient is None and entropy is None:
                continue
            expected = product(shares.to(weight.dtype), weight.T)  # sum_v p_v W_v
            if gradient is not None:
                torch.sub(weight[targets[part]], expected, out=gradient[part])  # d logp_t / d h
            if entropy is not None and top is not None:
                torch.sub(total, torch.linalg.vecdot(states[part], expected), out=entropy[part])
                torch.ge(at, peak, out=top[part])
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(*filter(lambda given: given is not None, (entropy, top)))
        return logp, entropy, top

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None].to(gradient.dtype), None, None, None


def _picked(logits: Tensor, targets: tuple[int, ...]) -> Tensor:
    """[n] log-probs of ``targets`` under [n, V] logits."""
    at = torch.tensor(targets, device=logits.device, dtype=torch.long)[:, None]
    return torch.log_softmax(logits.to(_wide(logits)), -1).gather(1, at)[:, 0]


def _wide(tensor: Tensor) -> torch.dtype:
    """At least float32: a sum over a vocabulary in bfloat16 is worth little."""
    return torch.promote_types(tensor.dtype, torch.float32)
