"""From replies to the figures of ``metrics/generate.json``: the tuned policy's, the base's, the challenges'.

Posts in crisis are counted apart and enter no other figure: what they got was not written by a model.
"""

from collections.abc import Mapping, Sequence

from persuasion import safety, wording
from persuasion.grams import COPIED
from persuasion.measures import mean
from persuasion.memorised import longest_runs
from persuasion.records import Reply
from persuasion.relevance import relevance
from persuasion.touchstones import PREFIX

Metrics = dict[str, object]


def figures(rows: Sequence[Reply], tokens: Mapping[str, tuple[int, int]], known: Sequence[str]) -> Metrics:
    """All figures of ``generate``.

    ``tokens`` holds, by thread, those of the tuned and of the base reply; ``known`` are the training completions.
    """
    held_out = [row for row in rows if not row.thread_id.startswith(PREFIX)]
    challenges = [row for row in rows if row.thread_id.startswith(PREFIX)]
    argued = [row for row in held_out if not row.crisis]
    return {
        "crisis_posts": len(held_out) - len(argued),
        **_side(argued, tokens, known, tuned=True),
        "base": _side(argued, tokens, known, tuned=False),
        "challenge": _challenge(challenges),
        "safety_measured": safety.measures(),
    }


def rates(rows: Sequence[Reply]) -> dict[str, float | None]:
    """What the gate looks at: how often each lexicon is found in all that the policy wrote, challenges included."""
    return safety.rates([row.text for row in rows if not row.crisis])


def _side(
    rows: Sequence[Reply], tokens: Mapping[str, tuple[int, int]], known: Sequence[str], *, tuned: bool
) -> Metrics:
    """One model's replies to held-out posts."""
    texts = [row.text if tuned else row.base_text for row in rows]
    runs = longest_runs(texts, known)
    return {
        "replies": len(rows),
        "tokens_mean": mean([tokens[row.thread_id][0 if tuned else 1] for row in rows]),
        "eos_rate": mean([row.stopped if tuned else row.base_stopped for row in rows]),
        "copy_rate": mean([run >= COPIED for run in runs]),
        "copied_run_mean": mean(runs),
        "copied_run_max": max(runs, default=None),
        "relevance": relevance(texts, [row.prompt for row in rows]),
        "safety": safety.rates(texts),
        **wording.figures(texts),
    }


def _challenge(rows: Sequence[Reply]) -> Metrics:
    """The bundled challenge posts; ``crisis_posts`` of them get the resource message."""
    argued = [row for row in rows if not row.crisis]
    return {
        "replies": len(argued),
        "crisis_posts": len(rows) - len(argued),
        "eos_rate": mean([row.stopped for row in argued]),
        "safety": safety.rates([row.text for row in argued]),
        "base_safety": safety.rates([row.base_text for row in argued]),
    }
