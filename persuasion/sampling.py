"""Write replies with a language model, batched; a reply's text depends on its prompt, the seed and nothing else.

A batch holds prompts of like length, and rows that have ended leave it. Numbers of one row still depend a little on
the others, for sums of floats are split by the shape of a batch; where that could turn a choice, the row is computed
again alone and the choice made from that (``decoding.TIES``). So texts are the same in any batch and order in float32
and float64; in bfloat16 they need the same batches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from persuasion.config import Generate
from persuasion.decoding import Line, choose, noise, penalised, tie
from persuasion.kept import Kept
from persuasion.progress import bar
from persuasion.streams import alone, begun, plain

THINNED = 0.75
"""A batch is thinned out when at most this share of its rows goes on: leaving costs a copy of the others' cache."""


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
        challenges=False,
        max_tokens=tokens,
        temperature=0.0,
        top_p=1.0,
        top_k=0,
        repetition_penalty=1.0,
        no_repeat_ngram=0,
        batch_size=batch_size,
        seed=0,
    )


def sample(
    lm: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], settings: Generate, kept: Kept | None = None
) -> list[Sampled]:
    """Continue each prompt (token ids); the same seed, prompt and settings give the same text.

    ``kept`` remembers finished batches, and gives those of an earlier run that did not end.
    """
    lm.eval()
    found: dict[int, Sampled] = {}
    for place, prompt in enumerate(prompts):
        before = kept.get(prompt) if kept else None
        if before:
            found[place] = Sampled(*before)
    with bar(len(prompts), "replies", "reply", initial=len(found)) as shown:
        for places in batches([len(prompt) for prompt in prompts], found, settings.batch_size):
            asked = [prompts[place] for place in places]
            replies = _batch(lm, tokenizer, asked, settings)
            found.update(zip(places, replies, strict=True))
            if kept:
                rows = [(reply.text, reply.tokens, reply.stopped) for reply in replies]
                kept.add(zip(asked, rows, strict=True))
            shown.update(len(places))
    return [found[place] for place in range(len(prompts))]


def batches(lengths: Sequence[int], done: Iterable[int], size: int) -> list[list[int]]:
    """The places of what is not yet ``done``, like lengths together; the longest first, for what is too large fails."""
    left = sorted(set(range(len(lengths))) - set(done), key=lambda place: (-lengths[place], place))
    return [left[start : start + size] for start in range(0, len(left), size)]


@torch.no_grad()
def _batch(lm: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], settings: Generate) -> list[Sampled]:
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    lines = [Line(prompt, _room(lm, len(prompt), settings.max_tokens), settings) for prompt in prompts]
    live = lines
    stream = begun(lm, prompts, pad)
    while True:
        tokens = _next(lm, stream.logits, live, settings)
        for line, token in zip(live, tokens, strict=True):
            if line.open:
                line.take(token, end)
        going = [row for row, line in enumerate(live) if line.open]
        if not going:
            return [Sampled(_text(tokenizer, line.said), len(line.said), line.stopped) for line in lines]
        if len(going) <= THINNED * len(live):
            stream.select(going)
            live, tokens = [live[row] for row in going], [tokens[row] for row in going]
        stream.step(tokens)


def _next(lm: Any, logits: torch.Tensor, lines: Sequence[Line], settings: Generate) -> list[int]:
    """The next token of each line; what is too close to call in a batch is decided from the line alone."""
    drawn = noise(lines, logits.size(1))
    scores = penalised(logits, [line.said for line in lines], settings)
    found, sure = choose(scores, drawn, settings, tie(logits))
    tokens: list[int] = found.tolist()
    for row in (~sure).nonzero()[:, 0].tolist():
        line = lines[row]
        if line.open:
            one = penalised(alone(lm, line.prompt, line.said), [line.said], settings)
            tokens[row] = int(choose(one, None if drawn is None else drawn[row, None], settings, 0.0)[0])
    return tokens


def _room(lm: Any, prompt: int, tokens: int) -> int:
    """Tokens a reply may have: ``tokens``, or what the model's positions leave, which no reply can pass."""
    config = plain(lm).config
    positions = None if config.is_encoder_decoder else getattr(config, "max_position_embeddings", None)
    return tokens if positions is None else max(1, min(tokens, positions - prompt))


def _text(tokenizer: Any, ids: list[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=True)
    return text.strip()
