"""Attention over a packed row: each completion sees its own prompt and itself, nothing else.

No mask is built and nothing is padded. Causal attention within every segment, and full attention
of a group's completions to their prompt, are calls on slices of the row; where a completion has
both, their softmaxes are merged by their log-sum-exps. That merged log-sum-exp makes each call's
own backward kernel exact, as in ring attention (Liu et al. 2023, arXiv:2310.01889).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from persuasion.batching import PackedRow

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def packed_attention(
    query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float, *, last: bool = False
) -> Tensor:
    """Return [Q, heads, d] for query [heads, Q, d] and key/value [kv_heads, T, d].

    ``last``: the queries are those at ``row.kept`` (all that the last layer of a model needs) instead
    of the whole row.
    """
    if query.is_cuda:
        return _on_gpu(query, key, value, row, scale, last)
    mixed: Tensor = _Packed.apply(query, key, value, row, scale, last)
    return mixed


def visible(row: PackedRow, *, last: bool = False) -> Callable[..., Tensor]:
    """The rule itself: does query q see key k? In the form that FlexAttention takes (``mask_mod``)."""
    device = row.ids.device
    sizes = torch.tensor(row.segments, device=device)
    segment = torch.repeat_interleave(torch.arange(len(sizes), device=device), sizes)
    widths = torch.tensor([1 + completions for completions in row.fanout], device=device)
    group = torch.repeat_interleave(torch.arange(len(widths), device=device), widths)[segment]
    first = (widths.cumsum(0) - widths)[group]  # the segment number of the own prompt
    places = row.kept if last else torch.arange(len(segment), device=device)

    def sees(batch: Tensor, head: Tensor, q: Tensor, k: Tensor) -> Tensor:
        at = places[q]
        return (k <= at) & ((segment[k] == segment[at]) | (segment[k] == first[at]))

    return sees


def _on_gpu(query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float, last: bool) -> Tensor:
    """One FlexAttention kernel under the rule's block mask."""
    mask = _block_mask(row, last)
    grouped = query.size(0) != key.size(0)
    mixed: Tensor = _compiled_flex()(
        query[None], key[None], value[None], block_mask=mask, scale=scale, enable_gqa=grouped
    )
    return mixed[0].transpose(0, 1)


@lru_cache(maxsize=2)  # one row passes through all layers: the last differs
def _block_mask(row: PackedRow, last: bool) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    total = row.ids.numel()
    queries = row.kept.numel() if last else total
    return create_block_mask(visible(row, last=last), None, None, queries, total, device=row.ids.device)


@lru_cache(maxsize=1)
def _compiled_flex() -> Callable[..., Tensor]:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention, dynamic=True)


def _calls(row: PackedRow, last: bool) -> Iterator[tuple[slice, slice, bool]]:
    """Yield (queries, keys, causal) of every call, such that a query's first call comes before its second."""
    starts = [0, *accumulate(row.segments)]
    at, dropped = 0, 0  # the group's first segment, and the row's tokens so far that are no queries
    for completions in row.fanout:
        begin, behind, end = starts[at], starts[at + 1], starts[at + 1 + completions]
        if last:
            dropped += max(behind - begin - 1, 0)
        elif behind > begin:
            yield slice(begin, behind), slice(begin, behind), True
        if behind > begin:
            whole = slice(behind - 1 if last else behind, end)  # the prompt's last token sees just its prompt
            if whole.stop > whole.start:
                yield slice(whole.start - dropped, whole.stop - dropped), slice(begin, behind), False
        for own in range(at + 1, at + 1 + completions):
            keys = slice(starts[own], starts[own + 1])
            yield slice(keys.start - dropped, keys.stop - dropped), keys, True
        at += 1 + completions


class _Packed(torch.autograd.Function):
    """All calls of a row. Heads that share keys stand in the batch dimension, so that keys are never repeated."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float, last: bool
    ) -> Tensor:
        q, k, v = _shared(query, key), key[None], value[None]
        mixed = query.new_empty(query.size(1), key.size(0), len(q), query.size(2))
        out = mixed.permute(2, 1, 0, 3)  # [sharing, kv_heads, Q, d]
        total = out.new_full(out.shape[:3], -torch.inf, dtype=torch.promote_types(query.dtype, torch.float32))
        seen = 0  # queries before this one have been through a call already
        for queries, keys, causal in _calls(row, last):
            part = (q[:, :, queries], *(t[:, :, keys].expand(len(q), -1, -1, -1) for t in (k, v)))
            fresh, sums = _forward(*part, is_causal=causal, scale=scale)
            here, before = out[:, :, queries], total[:, :, queries]
            if queries.start >= seen:
                here.copy_(fresh)
                before.copy_(sums)
                seen = queries.stop
            else:
                here.lerp_(fresh, torch.sigmoid(sums - before)[..., None].to(here.dtype))
                before.copy_(torch.logaddexp(before, sums))
        ctx.save_for_backward(query, key, value, mixed, total)
        ctx.row, ctx.scale, ctx.last = row, scale, last
        return mixed.flatten(1, 2)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mixed, total = ctx.saved_tensors
        q, k, v, out = _shared(query, key), key[None], value[None], mixed.permute(2, 1, 0, 3)
        pull = upstream[0].view_as(mixed).permute(2, 1, 0, 3)
        grads = [torch.zeros_like(tensor) for tensor in (query, key, value)]
        dq, (dk, dv) = _shared(grads[0], key), grads[1:]
        for queries, keys, causal in _calls(ctx.row, ctx.last):
            part = (q[:, :, queries], *(t[:, :, keys].expand(len(q), -1, -1, -1) for t in (k, v)))
            here = out[:, :, queries], total[:, :, queries]
            one, two, three = _backward(pull[:, :, queries], *part, *here, 0.0, causal, scale=ctx.scale)
            dq[:, :, queries] += one
            dk[:, keys] += two.sum(0)
            dv[:, keys] += three.sum(0)
        return *grads, None, None, None


def _shared(query: Tensor, key: Tensor) -> Tensor:
    """[heads, Q, d] as [heads that share keys, kv_heads, Q, d]."""
    return query.unflatten(0, (key.size(0), -1)).transpose(0, 1)
