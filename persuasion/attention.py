"""Attention over a packed row: each completion sees its own prompt and itself, nothing else.

No mask over the row is built and nothing is padded. Causal attention within every segment, and full
attention of a group's completions to their prompt, are calls on slices of the row; where a completion
has both, their softmaxes are merged by their log-sum-exps. That merged log-sum-exp makes each call's
own backward kernel exact, as in ring attention (Liu et al. 2023, arXiv:2310.01889).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from persuasion.batching import PackedRow

BLOCK = 96  # queries of a causal call: the kernel computes what it then masks, half of a whole square
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


Call = tuple[slice, slice, Tensor | None]


def _calls(row: PackedRow, last: bool, dtype: torch.dtype) -> Iterator[Call]:
    """Yield (queries, keys, mask) of every call; those without a mask merge with what a query has found already."""
    starts = [0, *accumulate(row.segments)]
    at, dropped = 0, 0  # the group's first segment, and the row's tokens so far that are no queries
    for completions in row.fanout:
        begin, behind, end = starts[at], starts[at + 1], starts[at + 1 + completions]
        if last:
            dropped += max(behind - begin - 1, 0)
        else:
            yield from _causal(begin, behind, dropped, dtype)
        for own in range(at + 1, at + 1 + completions):
            yield from _causal(starts[own], starts[own + 1], dropped, dtype)
        first = behind - 1 if last and behind > begin else behind  # the prompt's last token sees its prompt alone
        if first < end and begin < behind:
            yield slice(first - dropped, end - dropped), slice(begin, behind), None
        at += 1 + completions


def _causal(begin: int, end: int, dropped: int, dtype: torch.dtype) -> Iterator[Call]:
    """Attention of a segment to itself, block by block of its queries."""
    for start in range(begin, end, BLOCK):
        stop = min(start + BLOCK, end)
        mask = _band(stop - start, start - begin, dtype)
        yield slice(start - dropped, stop - dropped), slice(begin, stop), mask


def _band(rows: int, before: int, dtype: torch.dtype) -> Tensor:
    """Additive [rows, before + rows]: row i sees the columns up to before + i. A view of one cached tensor."""
    wide = _wide_band(1 << before.bit_length(), dtype)
    return wide[:rows, wide.size(1) - BLOCK - before : wide.size(1) - BLOCK + rows]


@lru_cache(maxsize=32)
def _wide_band(before: int, dtype: torch.dtype) -> Tensor:
    hidden = torch.full((BLOCK, BLOCK), -torch.inf, dtype=dtype).triu_(1)
    return torch.cat((torch.zeros(BLOCK, before, dtype=dtype), hidden), 1)


class _Packed(torch.autograd.Function):
    """All calls of a row. Heads that share keys stand in the batch dimension, so that keys are never repeated."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float, last: bool
    ) -> Tensor:
        q, k, v = _shared(query, key, value)
        mixed = query.new_zeros(query.size(1), key.size(0), len(q), query.size(2))
        out = mixed.permute(2, 1, 0, 3)  # [sharing, kv_heads, Q, d]
        total = out.new_full(out.shape[:3], -torch.inf, dtype=torch.promote_types(query.dtype, torch.float32))
        for queries, keys, mask in _calls(row, last, query.dtype):
            fresh, sums = _forward(q[:, :, queries], k[:, :, keys], v[:, :, keys], attn_mask=mask, scale=scale)
            here, before = out[:, :, queries], total[:, :, queries]
            if mask is None:
                here.lerp_(fresh, torch.sigmoid(sums - before)[..., None].to(here.dtype))
                before.copy_(torch.logaddexp(before, sums))
            else:
                here.copy_(fresh)
                before.copy_(sums)
        ctx.save_for_backward(query, key, value, mixed, total)
        ctx.row, ctx.scale, ctx.last = row, scale, last
        return mixed.flatten(1, 2)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, mixed, total = ctx.saved_tensors
        q, k, v = _shared(query, key, value)
        out, pull = (tensor.view_as(mixed).permute(2, 1, 0, 3) for tensor in (mixed, upstream[0]))
        dquery, dkey, dvalue = (torch.zeros_like(tensor) for tensor in (query, key, value))
        dq = _shared(dquery, key, value)[0]
        for queries, keys, mask in _calls(ctx.row, ctx.last, query.dtype):
            given = pull[:, :, queries], q[:, :, queries], k[:, :, keys], v[:, :, keys]
            found = out[:, :, queries], total[:, :, queries]
            one, two, three = _backward(*given, *found, 0.0, False, attn_mask=mask, scale=ctx.scale)
            dq[:, :, queries].add_(one)
            for whole, parts in ((dkey[:, keys], two), (dvalue[:, keys], three)):
                for part in parts.unbind():
                    whole.add_(part)
        return dquery, dkey, dvalue, None, None, None


def _shared(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All as [heads that share keys, kv_heads, tokens, d], without a copy."""
    q = query.unflatten(0, (key.size(0), -1)).transpose(0, 1)
    return q, key.expand(len(q), -1, -1, -1), value.expand(len(q), -1, -1, -1)
