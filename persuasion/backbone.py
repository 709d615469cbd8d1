"""Run the layers of a Llama-shaped model over a row of tokens, with fewer passes over memory.

The modules, and with them adapters and quantised weights, are the model's own; only what lies
between its matrix products is written anew, each as one autograd function that keeps what its
backward needs and no more. The last layer computes its keys for the whole row and everything else
only where something is scored (``row.kept``).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from persuasion.attention import packed_attention
from persuasion.batching import PackedRow
from persuasion.products import adapted

FAMILIES = {"llama", "mistral", "qwen2"}  # the same block under three names
Turn = tuple[Tensor, Tensor]  # cosine and signed sine of every position, [T, d]
Attend = Callable[[Any, Tensor, Tensor, Tensor, bool], Tensor]
"""(attention module, query [heads, Q, d], key and value [kv_heads, T, d], whether the queries are those kept) to
[Q, heads, d]."""


def serves(lm: Any) -> bool:
    """Whether ``lm`` is of this shape and may be run layer by layer (checkpointing wraps whole layers)."""
    config = lm.config
    checkpointed = getattr(lm.base_model, "gradient_checkpointing", False) and lm.training
    return config.model_type in FAMILIES and config.hidden_act == "silu" and not checkpointed


def run(lm: Any, row: PackedRow) -> Tensor:
    """Return [N, width], the final hidden states at the row's sources."""

    def attend(module: Any, query: Tensor, key: Tensor, value: Tensor, last: bool) -> Tensor:
        return packed_attention(query, key, value, row, module.scaling, last=last)

    if row.kept.numel() < row.ids.numel():
        return through(lm, row.ids, row.positions, attend, row.kept, torch.searchsorted(row.kept, row.sources))
    return through(lm, row.ids, row.positions, attend, None, row.sources)


def through(
    lm: Any, ids: Tensor, positions: Tensor, attend: Attend, kept: Tensor | None = None, wanted: Tensor | None = None
) -> Tensor:
    """Return the final hidden states of a row of tokens [1, T] at ``positions`` [1, T].

    The last layer computes only the tokens ``kept`` (None: all), and of these only ``wanted`` come out (None: all).
    """
    model = lm.base_model
    states = model.embed_tokens(ids)
    cos, sin = (part[0] for part in model.rotary_emb(states, positions))
    half = sin.size(-1) // 2
    turn = cos, torch.cat((-sin[:, :half], sin[:, half:]), 1)
    states = states[0]
    *lower, top = model.layers
    for layer in lower:
        states = _block(layer, states, turn, attend)
    states = _block(top, states, turn, attend, kept)
    return _normed(model.norm, states if wanted is None else states[wanted])


def _block(layer: Any, states: Tensor, turn: Turn, attend: Attend, kept: Tensor | None = None) -> Tensor:
    attention, mlp = layer.self_attn, layer.mlp
    normed = _normed(layer.input_layernorm, states)
    key = _turned(_heads(adapted(attention.k_proj, normed), attention), turn)
    value = _heads(adapted(attention.v_proj, normed), attention).transpose(0, 1)
    if kept is not None:
        normed, states, turn = normed[kept], states[kept], (turn[0][kept], turn[1][kept])
    query = _turned(_heads(adapted(attention.q_proj, normed), attention), turn)
    mixed = attend(attention, query, key, value, kept is not None)
    states = states + adapted(attention.o_proj, mixed.flatten(1))
    normed = _normed(layer.post_attention_layernorm, states)
    gated: Tensor = _Gate.apply(adapted(mlp.gate_proj, normed), adapted(mlp.up_proj, normed))
    return states + adapted(mlp.down_proj, gated)


def _heads(states: Tensor, attention: Any) -> Tensor:
    """[T, heads * d] as [T, heads, d]."""
    return states.unflatten(-1, (-1, attention.head_dim))


def _turned(states: Tensor, turn: Turn) -> Tensor:
    """[T, heads, d] with rotary positions (Su et al. 2021), as [heads, T, d]."""
    turned: Tensor = _Turn.apply(states, *turn)
    return turned.transpose(0, 1)


def _normed(norm: Any, states: Tensor) -> Tensor:
    """The model's RMS norm; its own code where it casts or is trained."""
    if states.dtype != torch.float32 or norm.weight.requires_grad or norm.weight.dtype != torch.float32:
        own: Tensor = norm(states)
        return own
    normed: Tensor = _Norm.apply(states, norm.weight, norm.variance_epsilon)
    return normed


class _Norm(torch.autograd.Function):
    """x / rms(x) * weight, with a frozen weight."""

    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        square = torch.linalg.vecdot(states, states)[:, None]
        inverse = (square / states.size(-1) + epsilon).rsqrt_()
        ctx.save_for_backward(states, weight, inverse)
        return (states * inverse).mul_(weight)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        states, weight, inverse = ctx.saved_tensors
        pull = upstream[0] * weight
        along = torch.linalg.vecdot(pull, states)[:, None]
        along = along.mul_(inverse.pow(3)).div_(-states.size(-1))
        return pull.mul_(inverse).addcmul_(states, along), None, None


class _Turn(torch.autograd.Function):
    """Rotary positions in the layout of halves: (a, b) becomes (a cos - b sin, b cos + a sin).

    ``signed`` is the sine, negative in the first half.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, cos: Tensor, signed: Tensor) -> Tensor:
        ctx.save_for_backward(cos, signed)
        return _rotate(states, cos, signed, 1)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        cos, signed = ctx.saved_tensors
        return _rotate(upstream[0], cos, signed, -1), None, None


def _rotate(states: Tensor, cos: Tensor, signed: Tensor, way: int) -> Tensor:
    """Turn [T, heads, d] forth (1) or back (-1)."""
    swapped = states.roll(states.size(-1) // 2, -1)
    return (states * cos[:, None]).addcmul_(swapped, signed[:, None], value=way)


class _Gate(torch.autograd.Function):
    """silu(gate) * up (SwiGLU, Shazeer 2020); silu is computed again in the backward pass instead of kept."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return torch.nn.functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        to_up = torch.nn.functional.silu(gate).mul_(upstream[0])
        to_gate = upstream[0] * up
        torch.ops.aten.silu_backward.grad_input(to_gate, gate, grad_input=to_gate)
        return to_gate, to_up
