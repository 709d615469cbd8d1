"""Sample replies from a language model, seeded and batched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from persuasion.config import Generate
from persuasion.progress import bar


@dataclass(frozen=True, slots=True)
class Sampled:
    """A sampled completion: its text, its tokens (without the end), and whether the model ended it itself."""

    text: str
    tokens: int
    stopped: bool


def greedy(tokens: int, batch_size: int) -> Generate:
    """Settings without chance: what the model finds most likely, so that epochs compare."""
    return Generate(
        split="validation",
        allow_train=False,
        prompts=batch_size,
        max_tokens=tokens,
        temperature=0.0,
        top_p=1.0,
        top_k=0,
        batch_size=batch_size,
        seed=0,
    )


def sample(lm: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], settings: Generate) -> list[Sampled]:
    """Continue each prompt (token ids); the same seed, prompts and settings give the same texts."""
    replies: list[Sampled] = []
    torch.manual_seed(settings.seed)
    lm.eval()
    with bar(len(prompts), "replies", "reply") as shown:
        for start in range(0, len(prompts), settings.batch_size):
            replies += _batch(lm, tokenizer, prompts[start : start + settings.batch_size], settings)
            shown.update(len(replies) - shown.n)
    return replies


@torch.no_grad()
def _batch(lm: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], settings: Generate) -> list[Sampled]:
    width = max(map(len, prompts))
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    ids = torch.tensor([[pad] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=lm.device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=lm.device)
    out = lm.generate(input_ids=ids, attention_mask=mask, generation_config=_config(settings, pad, end))
    said = 1 if lm.config.is_encoder_decoder else width  # an encoder-decoder does not repeat the prompt
    return [_read(tokenizer, row, end) for row in out[:, said:].tolist()]


def _config(settings: Generate, pad: int, end: int) -> GenerationConfig:
    greedy = settings.temperature == 0
    chance = {} if greedy else {"temperature": settings.temperature, "top_p": settings.top_p, "top_k": settings.top_k}
    return GenerationConfig(
        max_new_tokens=settings.max_tokens, do_sample=not greedy, pad_token_id=pad, eos_token_id=end, **chance
    )


def _read(tokenizer: Any, ids: list[int], end: int) -> Sampled:
    stopped = end in ids  # pad may be the same id as the end, so the first end decides
    kept = ids[: ids.index(end)] if stopped else ids
    return Sampled(tokenizer.decode(kept, skip_special_tokens=True).strip(), len(kept), stopped)
