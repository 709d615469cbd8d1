"""A stream of replies by a Llama-shaped model on a CPU: prompts are read as one packed row, none is padded.

What each layer keeps of the prompts is laid out by reply, their ends side by side, so that the next tokens of all
have one place. Heads that share keys stand in the rows of one query, so that keys are never repeated.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from persuasion import backbone
from persuasion.attention import packed_attention
from persuasion.batching import Group, pack
from persuasion.logps import packs
from persuasion.products import adapted

ROOM = 64
"""Tokens that room is made for at once."""


def serves(lm: Any) -> bool:
    """Whether replies of ``lm`` can be written this way."""
    return packs(lm) and lm.device.type == "cpu" and backbone.serves(lm)


class Unpadded:
    """Prompts of a batch as a model has read them; ``logits`` [B, V] are those of each one's next token."""

    def __init__(self, lm: Any, prompts: Sequence[Sequence[int]]) -> None:
        self._lm = lm
        self._lengths = torch.tensor([len(prompt) for prompt in prompts])  # of each reply and its prompt
        self._held = int(self._lengths.max())  # places taken
        self._kept: list[Tensor] = []  # by layer: keys and values [2, B, kv_heads, places, d]
        places = torch.arange(self._held)
        hidden = places < self._held - self._lengths[:, None]
        self._mask = torch.zeros(hidden.shape, dtype=lm.dtype).masked_fill_(hidden, -torch.inf)  # [B, places]
        row = pack([Group(tuple(prompt), ()) for prompt in prompts], lm.device)

        def attend(module: Any, query: Tensor, key: Tensor, value: Tensor, last: bool) -> Tensor:
            self._kept.append(self._laid_out(torch.stack((key, value))))
            return packed_attention(query, key, value, row, module.scaling, last=last)

        self.logits = self._told(backbone.through(lm, row.ids, row.positions, attend, row.kept))

    def step(self, tokens: Sequence[int]) -> None:
        """Read one more token of each reply."""
        if self._held == self._kept[0].size(3):
            self._kept = [pad(both, (0, 0, 0, ROOM)) for both in self._kept]
        self._mask = pad(self._mask, (0, 1))
        self.logits = self._told(backbone.through(self._lm, torch.tensor([tokens]), self._lengths[None], self._attend))
        self._lengths, self._held = self._lengths + 1, self._held + 1

    def select(self, rows: Sequence[int]) -> None:
        """Go on with some rows only; the others are forgotten, and the room that only they took."""
        kept = torch.tensor(rows)
        self._lengths, self.logits = self._lengths[kept], self.logits[kept]
        first = self._held - int(self._lengths.max())
        self._held -= first
        self._mask = self._mask[kept, first:]
        self._kept = [both[:, kept, :, first:] for both in self._kept]

    def _attend(self, module: Any, query: Tensor, key: Tensor, value: Tensor, last: bool) -> Tensor:
        """One token of each reply, [heads, B, d], on all that its layer keeps."""
        keys, values = both = self._kept[module.layer_idx][..., : self._held + 1, :]
        both[..., -1, :] = torch.stack((key, value)).transpose(1, 2)
        shared = query.unflatten(0, (key.size(0), -1)).permute(2, 0, 1, 3)  # [B, kv_heads, sharing, d]
        mask = self._mask[:, None, None].expand(-1, -1, shared.size(2), -1)
        mixed = scaled_dot_product_attention(shared, keys, values, attn_mask=mask, scale=module.scaling)
        return mixed.flatten(1, 2)

    def _laid_out(self, both: Tensor) -> Tensor:
        """Keys and values of the packed row [2, kv_heads, T, d] by reply, with room behind."""
        heads, width = both.size(1), both.size(3)
        out = both.new_zeros(2, len(self._lengths), heads, self._held + ROOM, width)
        lengths = self._lengths.tolist()
        for number, part in enumerate(both.split(lengths, dim=2)):
            out[:, number, :, self._held - lengths[number] : self._held] = part
        return out

    def _told(self, states: Tensor) -> Tensor:
        return adapted(self._lm.get_output_embeddings(), states)
