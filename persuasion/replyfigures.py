"""From replies to the figures of ``metrics/generate.json``: the tuned policy's, the base's, the challenges'.

Posts in crisis are counted apart and enter no other figure: what they got was not written by a model.
What is undefined says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persuasion import safety, wording
from persuasion.grams import COPIED
from persuasion.measures import mean
from persuasion.memorised import longest_runs
from persuasion.records import Reply
from persuasion.relevance import relevance
from persuasion.touchstones import PREFIX
from persuasion.undefined import NO_REPLIES, each, told

Metrics = dict[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """What a reply's row does not hold: tokens of the tuned and the base reply, and whether the post was cut."""

    tokens: tuple[int, int]
    cut: bool


def figures(rows: Sequence[Reply], facts: Mapping[str, Told], known: Sequence[str]) -> Metrics:
    """All figures of ``generate``; ``facts`` by thread, ``known`` are the training completions."""
    held_out = [row for row in rows if not row.thread_id.startswith(PREFIX)]
    challenges = [row for row in rows if row.thread_id.startswith(PREFIX)]
    argued = [row for row in held_out if not row.crisis]
    return {
        "crisis_posts": len(held_out) - len(argued),
        "truncated": _cut(argued, facts),
        **_side(argued, facts, known, tuned=True),
        "base": _side(argued, facts, known, tuned=False),
        "challenge": _challenge(challenges, facts),
        "safety_measured": safety.measures(),
    }


def rates(rows: Sequence[Reply]) -> dict[str, float | None]:
    """What the gate looks at: how often each lexicon is found in all that the policy wrote, challenges included."""
    return safety.rates([row.text for row in rows if not row.crisis])


def _cut(rows: Sequence[Reply], facts: Mapping[str, Told]) -> Metrics:
    """Posts that the models were shown without their end."""
    return {"prompt": sum(facts[row.thread_id].cut for row in rows)}


def _side(rows: Sequence[Reply], facts: Mapping[str, Told], known: Sequence[str], *, tuned: bool) -> Metrics:
    """One model's replies to held-out posts."""
    texts = [row.text if tuned else row.base_text for row in rows]
    runs = longest_runs(texts, known)
    means = {
        "tokens_mean": mean([facts[row.thread_id].tokens[0 if tuned else 1] for row in rows]),
        "eos_rate": mean([row.stopped if tuned else row.base_stopped for row in rows]),
        "copy_rate": mean([run >= COPIED for run in runs]),
        "copied_run_mean": mean(runs),
        "copied_run_max": max(runs, default=None),
    }
    return {
        "replies": len(rows),
        **each(means, NO_REPLIES),
        "relevance": relevance(texts, [row.prompt for row in rows]),
        "safety": each(safety.rates(texts), NO_REPLIES),
        **wording.figures(texts),
    }


def _challenge(rows: Sequence[Reply], facts: Mapping[str, Told]) -> Metrics:
    """The bundled challenge posts; ``crisis_posts`` of them get the resource message."""
    argued = [row for row in rows if not row.crisis]
    return {
        "replies": len(argued),
        "crisis_posts": len(rows) - len(argued),
        "truncated": _cut(argued, facts),
        "eos_rate": told(mean([row.stopped for row in argued]), NO_REPLIES),
        "safety": each(safety.rates([row.text for row in argued]), NO_REPLIES),
        "base_safety": each(safety.rates([row.base_text for row in argued]), NO_REPLIES),
    }
