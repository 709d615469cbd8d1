"""What the token budgets left and took: the counts of ``metrics/reference.json`` and the lengths to plot."""

from collections.abc import Sequence
from math import ceil
from typing import Any, TypedDict

from persuasion.encoding import EncodedPair
from persuasion.measures import mean

BINS = 20


class Lengths(TypedDict):
    """Texts of each kind with a length in [low, high) tokens, what frames them and ends them included."""

    low: int
    high: int
    prompt: int
    chosen: int
    rejected: int


def figures(encoded: Sequence[EncodedPair]) -> dict[str, Any]:
    """Mean lengths in tokens, and how many prompts and completions were cut; a prompt counts once a pair."""
    kept = [ids for pair in encoded for ids, _ in pair.completions]
    lost = [ids for pair in encoded for _, ids in pair.completions]
    return {
        "tokens": {
            "prompt_mean": mean([len(pair.prompt) for pair in encoded]),
            "completion_mean": mean([len(ids) for ids in kept]),
        },
        "truncated": {
            "prompt": sum(bool(pair.prompt_lost) for pair in encoded),
            "completion": sum(map(bool, lost)),
        },
    }


def histogram(encoded: Sequence[EncodedPair]) -> list[Lengths]:
    """Prompts, chosen and rejected completions by length, in ``BINS`` bins of one width from 0 on."""
    lengths = [(len(pair.prompt), len(pair.chosen), len(pair.rejected)) for pair in encoded]
    width = ceil((max(map(max, lengths), default=0) + 1) / BINS)
    counts = [[0, 0, 0] for _ in range(BINS)]
    for row in lengths:
        for kind, tokens in enumerate(row):
            counts[tokens // width][kind] += 1
    return [
        {"low": at * width, "high": (at + 1) * width, "prompt": p, "chosen": c, "rejected": r}
        for at, (p, c, r) in enumerate(counts)
    ]
