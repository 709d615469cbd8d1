"""Figures of a list of verdicts that training and evaluation both report."""

from collections.abc import Sequence

from persuasion.measures import mean, perplexity
from persuasion.records import Verdict

SIDES = ("chosen", "rejected")


def rewards(verdicts: Sequence[Verdict]) -> dict[str, float | None]:
    """Mean implicit reward of each side."""
    return {side: mean([getattr(verdict, f"{side}_reward") for verdict in verdicts]) for side in SIDES}


def perplexities(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float | None]]:
    """Perplexity of each side under policy and reference, over all completion tokens together."""
    tokens = {side: [getattr(verdict, f"{side}_tokens") for verdict in verdicts] for side in SIDES}
    return {
        who: {side: perplexity([getattr(v, f"{who}_{side}_logp") for v in verdicts], tokens[side]) for side in SIDES}
        for who in ("policy", "reference")
    }
