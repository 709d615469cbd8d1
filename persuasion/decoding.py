"""Which token comes next: penalties, temperature, top-k, top-p, and chance that belongs to one prompt alone.

A choice among tokens is drawn by the Gumbel trick (the largest of log-probability + Gumbel noise is a sample;
Gumbel 1954, Maddison et al. 2014, arXiv:1411.0030), so that it is a comparison of numbers, and a comparison can say
how close it was. The noise comes from a generator seeded by the prompt and ``generate.seed``, not by place or order.
"""

from collections.abc import Sequence
from hashlib import sha256

import torch
from torch import Tensor

from persuasion.config import Generate

TIES = {torch.float64: 1e-11, torch.float32: 5e-5}
"""Logits closer than this share of the largest may have been ordered by rounding, which depends on who else is in the
batch and moves them by some ten times less. Coarser floats have no entry: they differ by so much that every choice
would be too close, and none is called so."""
NEVER = float("-inf")


class Line:
    """A reply while it is written: its prompt, what was said so far, and how it ended."""

    def __init__(self, prompt: tuple[int, ...], room: int, settings: Generate) -> None:
        self.prompt, self.room = prompt, room
        self.said: list[int] = []
        self.stopped = False
        self.chance = torch.Generator().manual_seed(seed(prompt, settings.seed)) if settings.temperature > 0 else None

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return not self.stopped and len(self.said) < self.room

    def take(self, token: int, end: int) -> None:
        """Go on by one token; ``end`` closes it and is not kept."""
        if token == end:
            self.stopped = True
        else:
            self.said.append(token)


def seed(prompt: Sequence[int], salt: int) -> int:
    """What a prompt's chance is seeded by: its tokens and the salt, so neither batch nor order matter."""
    text = f"{salt}:{','.join(map(str, prompt))}"
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") >> 1


def noise(lines: Sequence[Line], vocabulary: int) -> Tensor | None:
    """Gumbel noise [B, V] for the next token of each line; None where nothing is left to chance.

    Closed lines get none, and draw nothing.
    """
    if lines[0].chance is None:
        return None
    drawn = torch.zeros(len(lines), vocabulary)
    for row, line in zip(drawn, lines, strict=True):
        if line.open:
            torch.rand(vocabulary, generator=line.chance, out=row)
    return drawn.log_().neg_().log_().neg_()


def penalised(logits: Tensor, said: Sequence[Sequence[int]], settings: Generate) -> Tensor:
    """Return logits [B, V] with what each reply said before made less likely, or impossible.

    ``repetition_penalty`` divides positive logits and multiplies negative ones (Keskar et al. 2019,
    arXiv:1909.05858); ``no_repeat_ngram`` forbids the token that would complete a run said before (Paulus et al.
    2018, arXiv:1705.04304). Both look at the reply only: quoting the post is no repetition.
    """
    scores = logits.to(torch.promote_types(logits.dtype, torch.float32), copy=True)
    for row, tokens in zip(scores, said, strict=True):
        if settings.repetition_penalty != 1 and tokens:
            used = torch.tensor(sorted(set(tokens)), device=row.device)
            before = row[used]
            row[used] = torch.where(
                before > 0, before / settings.repetition_penalty, before * settings.repetition_penalty
            )
        if settings.no_repeat_ngram:
            row[_completing(tokens, settings.no_repeat_ngram)] = NEVER
    return scores


def _completing(said: Sequence[int], size: int) -> list[int]:
    """The tokens that would make a run of ``size`` tokens that was said before."""
    last = list(said[len(said) - size + 1 :]) if size > 1 else []
    if len(said) < size - 1:
        return []
    return sorted({said[i + size - 1] for i in range(len(said) - size + 1) if list(said[i : i + size - 1]) == last})


def tie(logits: Tensor) -> float:
    """How close two scores of these logits [B, V] may be to have been ordered by rounding; 0 where nobody can tell."""
    share = TIES.get(logits.dtype, 0.0)
    return share * float(logits.nan_to_num(0.0, 0.0, 0.0).abs().max()) if share else 0.0


def choose(scores: Tensor, drawn: Tensor | None, settings: Generate, near: float) -> tuple[Tensor, Tensor]:
    """Return (tokens [B], sure [B]): the choice, and whether errors of ``near`` / 2 in any score could not change it.

    With ``near`` 0 the choice is by the scores as they are, and always sure.
    """
    if settings.temperature == 0:
        best = scores.topk(2)
        return best.indices[:, 0], best.values[:, 0] - best.values[:, 1] >= near
    scaled, near = scores / settings.temperature, near / settings.temperature
    if drawn is None:
        raise ValueError("a temperature above 0 needs noise")
    drawn = drawn.to(scaled)
    if not settings.top_k and settings.top_p == 1:
        best = (scaled + drawn).topk(2)
        return best.indices[:, 0], best.values[:, 0] - best.values[:, 1] >= near
    ranked = scaled.sort(descending=True, stable=True)
    moved = ranked.values + drawn.gather(1, ranked.indices)
    wide, narrow = (moved.masked_fill(~_kept(ranked.values, settings, by), NEVER) for by in (near, -near))
    best = wide.topk(2)
    sure = (best.indices[:, 0] == narrow.argmax(1)) & (best.values[:, 0] - best.values[:, 1] >= near)
    sure &= (narrow > NEVER).any(1)
    return ranked.indices.gather(1, best.indices[:, :1])[:, 0], sure


def _kept(ranked: Tensor, settings: Generate, margin: float) -> Tensor:
    """Which of the scores [B, V], the highest first, are in the top k and in the nucleus (Holtzman et al. 2020).

    A positive ``margin`` lets in what might belong there, a negative one keeps only what surely does.
    """
    kept = torch.ones_like(ranked, dtype=torch.bool)
    if 0 < settings.top_k < ranked.size(1):
        inside, outside = ranked[:, settings.top_k - 1, None], ranked[:, settings.top_k, None]
        if margin:
            kept = ranked >= (inside - margin if margin > 0 else outside - margin)
        else:
            kept[:, settings.top_k :] = False
    if settings.top_p < 1:
        kept &= _above(ranked.masked_fill(~kept, NEVER), margin) < settings.top_p + margin
    if margin >= 0:
        kept[:, 0] = True
    else:  # the first is surely first where it leads by more than errors
        kept[:, 0] |= ranked[:, 0] - ranked[:, 1] >= -margin
    return kept


def _above(ranked: Tensor, margin: float) -> Tensor:
    """The probability of what stands above each score [B, V]; of near ties none (``margin`` > 0) or all (< 0) do."""
    shares = ranked.softmax(1)
    total = torch.nn.functional.pad(shares.cumsum(1), (1, 0))
    if not margin:
        return total[:, :-1]
    rising = -ranked
    higher = torch.searchsorted(rising, rising - margin, right=margin < 0)
    return total.gather(1, higher) - (shares if margin < 0 else 0)
