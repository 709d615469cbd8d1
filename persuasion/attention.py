"""Attention over a packed row: each completion sees its own prompt and itself, nothing else."""

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention as attend

from persuasion.batching import PackedRow


def packed_attention(query: Tensor, key: Tensor, value: Tensor, row: PackedRow, scale: float | None) -> Tensor:
    """Return [1, T, heads, d] for query [1, heads, T, d] and key/value [1, kv_heads, T, d].

    The first completion runs causally in one call with its prompt; the others attend to the
    prompt and to themselves. Splitting costs no mask over the row and no padding.
    """
    grouped = query.size(1) != key.size(1)
    queries, keys, values = (tensor.split(row.segments, dim=2) for tensor in (query, key, value))
    outputs, at = [], 0
    for completions in row.fanout:
        first = slice(at, at + 2 if completions else at + 1)
        q, k, v = (torch.cat(parts[first], 2) for parts in (queries, keys, values))
        outputs.append(attend(q, k, v, is_causal=True, scale=scale, enable_gqa=grouped))
        for other in range(at + 2, at + 1 + completions):
            k, v = (torch.cat((parts[at], parts[other]), 2) for parts in (keys, values))
            mask = _sees(queries[other].size(2), k.size(2), k.device)
            outputs.append(attend(queries[other], k, v, attn_mask=mask, scale=scale, enable_gqa=grouped))
        at += 1 + completions
    return torch.cat(outputs, 2).transpose(1, 2)


def _sees(rows: int, columns: int, device: torch.device) -> Tensor:
    """Bool [rows, columns]: row i sees the columns up to i + (columns - rows)."""
    return _triangle(1 << (columns - 1).bit_length(), device)[columns - rows : columns, :columns]


@lru_cache(maxsize=4)
def _triangle(size: int, device: torch.device) -> Tensor:
    return torch.ones(size, size, dtype=torch.bool, device=device).tril_()
