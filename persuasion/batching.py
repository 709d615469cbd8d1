"""Pack prompts and their completions into one row without padding, each prompt once.

A row is ``[prompt | completion | completion | prompt | ...]``. Positions restart at every
prompt and every completion continues its prompt's positions, so a completion scores as if
it stood alone behind its prompt; ``attention`` keeps completions blind to each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Group:
    """One prompt and its completions, as token ids. No completion may be empty; without a prompt the first
    token of a completion has no context and is not scored.
    """

    prompt: tuple[int, ...]
    completions: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """Tokens this group takes in a row."""
        return len(self.prompt) + sum(map(len, self.completions))


@dataclass(frozen=True, slots=True, eq=False)  # by identity: attention remembers what it made of a row
class PackedRow:
    """A packed row of T tokens in which N targets are scored.

    ``ids`` and ``positions`` are [1, T]; ``segments`` the lengths of all prompts and completions
    in order; ``fanout`` the completions of each prompt; ``sources`` [N] the positions whose
    hidden state predicts ``targets`` [N]; ``lengths`` how many consecutive targets each
    completion (or, with the prompt scored, each prompt) owns; ``kept`` [K] the ascending positions, among
    them all sources, from each prompt's last token on: all that a last layer has to compute (with the
    prompt scored, the whole row).
    """

    ids: Tensor
    positions: Tensor
    segments: tuple[int, ...]
    fanout: tuple[int, ...]
    sources: Tensor
    targets: Tensor
    lengths: tuple[int, ...]
    kept: Tensor


def pack(groups: Sequence[Group], device: torch.device, *, score_prompts: bool = False) -> PackedRow:
    """Pack ``groups`` into one row; targets stand in the order of the completions.

    ``score_prompts`` also scores every prompt token but the first (language modelling).
    """
    ids: list[int] = []
    positions: list[int] = []
    sources: list[int] = []
    targets: list[int] = []
    segments: list[int] = []
    lengths: list[int] = []
    kept: list[int] = []
    for group in groups:
        start, width = len(ids), len(group.prompt)
        ids += group.prompt
        positions += range(width)
        segments.append(width)
        if score_prompts:
            sources += range(start, start + width - 1)
            targets += group.prompt[1:]
            lengths.append(width - 1)
        for completion in group.completions:
            first = len(ids)
            ids += completion
            positions += range(width, width + len(completion))
            segments.append(len(completion))
            # the last prompt token predicts every completion's first token
            before = [start + width - 1] if width else []
            sources += [*before, *range(first, first + len(completion) - 1)]
            targets += completion if width else completion[1:]
            lengths.append(len(completion) - (not width))
        kept += range(start if score_prompts else start + max(width - 1, 0), len(ids))
    return PackedRow(
        ids=torch.tensor([ids], device=device),
        positions=torch.tensor([positions], device=device),
        segments=tuple(segments),
        fanout=tuple(len(group.completions) for group in groups),
        sources=torch.tensor(sources, device=device),
        targets=torch.tensor(targets, device=device),
        lengths=tuple(lengths),
        kept=torch.tensor(kept, device=device),
    )


def batches(groups: Sequence[Group], tokens: int) -> Iterator[Sequence[Group]]:
    """Cut ``groups``, in order, into runs of at most ``tokens`` tokens (a longer group stands alone)."""
    start, held = 0, 0
    for index, group in enumerate(groups):
        if held and held + group.tokens > tokens:
            yield groups[start:index]
            start, held = index, 0
        held += group.tokens
    if held:
        yield groups[start:]


def unpad(ids: Tensor, attention: Tensor, labels: Tensor) -> tuple[list[Group], list[int]] | None:
    """Undo right padding: rows [B, S] become groups, rows of one prompt together.

    Returns the groups and the order of their completions as row numbers, or None where a row has no
    completion or it is not the contiguous end of the row (labels are -100 elsewhere).
    """
    scored = labels != -100
    starts, counts = scored.int().argmax(1).tolist(), scored.sum(1).tolist()
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    rows = ids.tolist()
    for number, (row, length) in enumerate(zip(rows, attention.sum(1).tolist(), strict=True)):
        start, count = starts[number], counts[number]
        if count == 0 or start + count != length:
            return None
        by_prompt.setdefault(tuple(row[:start]), []).append(number)
    groups = [
        Group(prompt, tuple(tuple(rows[n][len(prompt) : len(prompt) + counts[n]]) for n in numbers))
        for prompt, numbers in by_prompt.items()
    ]
    return groups, [number for numbers in by_prompt.values() for number in numbers]
