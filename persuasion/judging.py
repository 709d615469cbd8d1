"""From verdicts to the figures of ``metrics/evaluate.json``: the policy beside its reference and the baselines.

Every accuracy stands with its 95 % interval over submissions, every rival with the paired difference
on the same pairs. Where something is undefined, None.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from persuasion import calibration, measures
from persuasion.baselines import BASELINES, Scores
from persuasion.config import Evaluate
from persuasion.errors import IntegrityFailure
from persuasion.records import Pair, Verdict
from persuasion.verdicts import perplexities, rewards

Metrics = dict[str, object]
RIVALS = ("length", "tfidf", "interplay")
HISTOGRAM_BINS = 20


class Bar(TypedDict):
    """Pairs whose margin lies in [low, high)."""

    low: float
    high: float
    pairs: int


def judge(
    verdicts: Sequence[Verdict],
    pairs: Sequence[Pair],
    training: Sequence[Pair],
    kinds: Mapping[str, str],
    settings: Evaluate,
) -> Metrics:
    """All figures of ``evaluate``, as a tree of numbers and None.

    ``pairs`` are the judged ones, ``training`` fits the baselines, ``kinds`` says which cue a chosen comment
    carries (empty when unknown). Raises IntegrityFailure when verdicts and pairs do not match one to one.
    """
    verdicts, pairs = _matched(verdicts, pairs)
    margins = [verdict.margin for verdict in verdicts]
    threads = [pair.thread_id for pair in pairs]
    policy: Scores = list(measures.scores(margins))
    reference: Scores = list(measures.scores([v.reference_chosen_logp - v.reference_rejected_logp for v in verdicts]))
    rivals = {name: baseline(training, pairs) for name, baseline in BASELINES.items()}
    compared = {"reference": reference, **{name: rivals[name] for name in RIVALS}}
    return {
        "pairs": len(pairs),
        "threads": len(set(threads)),
        "test_split": int(settings.split == "test"),
        **_flat("reward_accuracy", policy, threads, settings),
        **_flat("reference_accuracy", reference, threads, settings),
        "baseline": {name: _nested(scores, threads, settings) for name, scores in rivals.items()},
        "difference": {name: _difference(policy, scores, threads, settings) for name, scores in compared.items()},
        **_matched_length(policy, pairs, settings),
        **_log_probabilities(verdicts),
        **{name: figure(margins) for name, figure in CALIBRATION.items()},
        "by_kind": _by_kind(policy, reference, pairs, kinds, settings),
    }


CALIBRATION = {
    "ece": calibration.ece,
    "brier": calibration.brier,
    "nll": calibration.nll,
    "nll_calibrated": calibration.nll_calibrated,
    "temperature": calibration.fit_temperature,
}


def reliability(verdicts: Sequence[Verdict]) -> list[calibration.Reliability]:
    """Rows of the reliability plot."""
    return calibration.reliability([verdict.margin for verdict in verdicts])


def margin_histogram(verdicts: Sequence[Verdict]) -> list[Bar]:
    """Pairs by margin in at most about ``HISTOGRAM_BINS`` bins of one round width, with an edge at zero.

    [] without verdicts or when a margin is not finite.
    """
    margins = np.array([verdict.margin for verdict in verdicts], dtype=float)
    if not margins.size or not np.isfinite(margins).all():
        return []
    width = _round_width(float(np.ptp(margins)) or float(np.abs(margins).max()))
    place = np.floor(margins / width).astype(int)
    counts = np.bincount(place - place.min())
    first = int(place.min())
    return [
        Bar(low=round((first + i) * width, 9), high=round((first + i + 1) * width, 9), pairs=int(count))
        for i, count in enumerate(counts)
    ]


def _round_width(spread: float) -> float:
    """The smallest 1, 2 or 5 times a power of ten that needs no more than ``HISTOGRAM_BINS`` bins."""
    if not spread:
        return 1.0
    power = 10.0 ** np.floor(np.log10(spread / HISTOGRAM_BINS))
    return float(next(power * step for step in (1, 2, 5, 10) if power * step * HISTOGRAM_BINS >= spread * (1 - 1e-9)))


def _matched(verdicts: Sequence[Verdict], pairs: Sequence[Pair]) -> tuple[list[Verdict], list[Pair]]:
    """Both in the order of ``pair_id``."""
    ours, theirs = ({row.pair_id: row for row in rows} for rows in (verdicts, pairs))
    if sorted(v.pair_id for v in verdicts) != sorted(p.pair_id for p in pairs) or len(ours) != len(verdicts):
        raise IntegrityFailure(
            "verdicts and pairs do not match one to one",
            where="evaluate",
            why=f"{len(verdicts)} verdicts, {len(pairs)} pairs, {len(ours.keys() & theirs.keys())} ids in both",
            fix="run `dvc repro evaluate`; if it stays, the pairs changed under a stale reference",
        )
    order = sorted(ours)
    return [ours[name] for name in order], [theirs[name] for name in order]  # type: ignore[misc]


def _interval(scores: Scores, threads: Sequence[str], settings: Evaluate) -> tuple[float | None, measures.Interval]:
    """Mean and interval of the scores that are known."""
    known = [(value, thread) for value, thread in zip(scores, threads, strict=True) if value is not None]
    values = [value for value, _ in known]
    clusters = [thread for _, thread in known]
    return measures.mean(values), measures.cluster_bootstrap(values, clusters, settings.bootstrap, settings.seed)


def _flat(name: str, scores: Scores, threads: Sequence[str], settings: Evaluate) -> Metrics:
    value, (low, high) = _interval(scores, threads, settings)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _nested(scores: Scores, threads: Sequence[str], settings: Evaluate) -> Metrics:
    known = sum(score is not None for score in scores)
    return {**_flat("accuracy", scores, threads, settings), "pairs": known}


def _difference(policy: Scores, rival: Scores, threads: Sequence[str], settings: Evaluate) -> Metrics:
    """Policy minus rival on the same pairs (paired: what both find easy cancels)."""
    gaps = [None if a is None or b is None else a - b for a, b in zip(policy, rival, strict=True)]
    value, (low, high) = _interval(gaps, threads, settings)
    return {"mean": value, "low": low, "high": high}


def _matched_length(policy: Scores, pairs: Sequence[Pair], settings: Evaluate) -> Metrics:
    chosen, rejected = [pair.chosen for pair in pairs], [pair.rejected for pair in pairs]
    alike = measures.length_matched(chosen, rejected, settings.length_tolerance)
    kept = [score for score, same in zip(policy, alike, strict=True) if same and score is not None]
    return {"accuracy_length_matched": measures.mean(kept), "pairs_length_matched": int(alike.sum())}


def _log_probabilities(verdicts: Sequence[Verdict]) -> Metrics:
    """Rewards, perplexities, and how often training made the chosen completion less likely than before."""
    chosen = np.array([verdict.chosen_reward for verdict in verdicts])
    return {
        "reward_margin": measures.mean([verdict.margin for verdict in verdicts]),
        "rewards": rewards(verdicts),
        "perplexity": perplexities(verdicts),
        "displacement_rate": measures.mean(chosen < 0) if np.isfinite(chosen).all() else None,
    }


def _by_kind(
    policy: Scores, reference: Scores, pairs: Sequence[Pair], kinds: Mapping[str, str], settings: Evaluate
) -> Metrics:
    """Figures for the pairs of each kind of cue, the kind being that of the chosen comment."""
    of_pair = [kinds.get(pair.chosen_id) for pair in pairs]
    result: Metrics = {}
    for kind in sorted({kind for kind in of_pair if kind}):
        rows = [index for index, name in enumerate(of_pair) if name == kind]
        threads = [pairs[index].thread_id for index in rows]
        result[kind] = {
            **_nested([policy[index] for index in rows], threads, settings),
            **_flat("reference_accuracy", [reference[index] for index in rows], threads, settings),
        }
    return result
