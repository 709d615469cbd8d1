"""The forward passes of a batch of replies: prompts once, then token by token on what was kept of them.

Here is the way that every model goes, with prompts padded on the left; padding is masked, and positions count from
each prompt's own beginning. This room knows models and tensors; which token is next is ``decoding``'s business.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from persuasion.roomy import roomy_cache
from persuasion.unpadded import Unpadded, serves


def begun(lm: Any, prompts: Sequence[Sequence[int]], pad: int) -> "Stream | Unpadded":
    """The prompts of a batch as ``lm`` has read them, by the fastest way that serves."""
    bare = plain(lm)
    return Unpadded(bare, prompts) if all(prompts) and serves(bare) else Stream(lm, prompts, pad)


class Stream:
    """Prompts of a batch as a model has read them; ``logits`` [B, V] are those of each one's next token."""

    def __init__(self, lm: Any, prompts: Sequence[Sequence[int]], pad: int) -> None:
        self._lm = plain(lm)
        self._takes = frozenset(inspect.signature(self._lm.forward).parameters)
        width = max(map(len, prompts))
        rows = [[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        ids = torch.tensor(rows, device=self._lm.device)
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=self._lm.device)
        self._mask = (torch.arange(width, device=ids.device) >= width - lengths[:, None]).long()
        self._encoded: Tensor | None = None
        if self._lm.config.is_encoder_decoder:
            self._encoded = self._lm.get_encoder()(input_ids=ids, attention_mask=self._mask).last_hidden_state
            ids = ids.new_full((len(prompts), 1), _first(self._lm))
        self._cache: Any = None if self._lm.config.is_encoder_decoder else roomy_cache(self._lm.config)
        self.logits = self._forward(ids)

    def step(self, tokens: Sequence[int]) -> None:
        """Read one more token of each reply."""
        if self._encoded is None:
            self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        self.logits = self._forward(torch.tensor(tokens, device=self._mask.device)[:, None])

    def select(self, rows: Sequence[int]) -> None:
        """Go on with some rows only; the others are forgotten."""
        kept = torch.tensor(rows, device=self._mask.device)
        self._mask, self.logits = self._mask[kept], self.logits[kept]
        if self._encoded is not None:
            self._encoded = self._encoded[kept]
        self._cache.batch_select_indices(kept)

    def _forward(self, ids: Tensor) -> Tensor:
        given: dict[str, Any] = {"attention_mask": self._mask, "past_key_values": self._cache, "use_cache": True}
        if self._encoded is not None:
            given |= {"decoder_input_ids": ids, "encoder_outputs": (self._encoded,)}
        else:
            given["input_ids"] = ids
            if "position_ids" in self._takes:
                given["position_ids"] = (self._mask.cumsum(1) - 1).clamp_(0)[:, -ids.size(1) :]
            if "logits_to_keep" in self._takes:
                given["logits_to_keep"] = 1
        out = self._lm(**given)
        self._cache = out.past_key_values
        logits: Tensor = out.logits[:, -1]
        return logits


def alone(lm: Any, prompt: Sequence[int], said: Sequence[int]) -> Tensor:
    """The logits [1, V] after a reply so far, by one pass over it alone: what they are whatever batch it was in."""
    lm = plain(lm)
    if serves(lm):
        return Unpadded(lm, [[*prompt, *said]]).logits
    if lm.config.is_encoder_decoder:
        given = {"input_ids": [list(prompt)], "decoder_input_ids": [[_first(lm), *said]]}
    else:
        given = {"input_ids": [[*prompt, *said]]}
    out = lm(**{name: torch.tensor(ids, device=lm.device) for name, ids in given.items()}, use_cache=False)
    logits: Tensor = out.logits[:, -1]
    return logits


def plain(lm: Any) -> Any:
    """The model under peft's wrapper, with the adapter as it is switched."""
    return lm.get_base_model() if hasattr(lm, "get_base_model") else lm


def _first(lm: Any) -> int:
    """The token that a decoder begins with."""
    first: int = lm.config.decoder_start_token_id
    return first
