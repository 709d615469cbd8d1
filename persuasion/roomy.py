"""A key-value cache with room to grow: transformers' own copies all that it holds for every token."""

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM = 64
"""Tokens that a full layer makes room for at once."""


class RoomyLayer(DynamicLayer):
    """Keys and values [B, heads, length, d] as views of larger tensors, into which new ones are written."""

    keys: Any  # transformers: a tensor, or None before the first token
    values: Any

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Append, and return all."""
        held, new = self.get_seq_length(), key_states.size(-2)
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if not held:
            self._whole = tuple(_larger(states, states.size(-2) + ROOM) for states in (key_states, value_states))
        else:
            if held + new > self._whole[0].size(-2):
                self._whole = tuple(_larger(states, held + new + ROOM) for states in (self.keys, self.values))
            for whole, states in zip(self._whole, (key_states, value_states), strict=True):
                whole[:, :, held : held + new] = states
        self.keys, self.values = (whole[:, :, : held + new] for whole in self._whole)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Go on with some rows only."""
        if self.get_seq_length():
            held = self.get_seq_length()
            self._whole = tuple(_larger(states[indices], held + ROOM) for states in (self.keys, self.values))
            self.keys, self.values = (whole[:, :, :held] for whole in self._whole)


def roomy_cache(config: Any) -> DynamicCache:
    """An empty cache for a model; layers of a special kind (sliding windows) stay transformers' own."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def _larger(states: Tensor, length: int) -> Tensor:
    """``states`` at the beginning of a tensor of ``length`` tokens."""
    whole = torch.empty((*states.shape[:2], length, states.size(-1)), dtype=states.dtype, device=states.device)
    whole[:, :, : states.size(-2)] = states
    return whole
