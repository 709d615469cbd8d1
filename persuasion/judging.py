"""From verdicts to the figures of ``metrics/evaluate.json``: the policy beside its reference and the baselines.

Every accuracy stands with its interval and error over submissions, every rival with the paired difference
on the same pairs. What is undefined is None there, and says why in ``Judged.undefined``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from persuasion import calibration, measures
from persuasion.baselines import BASELINES
from persuasion.bins import binned
from persuasion.config import Evaluate
from persuasion.contests import contests
from persuasion.errors import IntegrityFailure
from persuasion.estimates import Scores, Tree, beside, flat, nested
from persuasion.lengthcontrol import lengths, matched
from persuasion.likelihoods import by_likelihood, likelihoods
from persuasion.records import Pair, Verdict
from persuasion.slices import branch, sliced
from persuasion.undefined import INFINITE, NO_PAIRS, settled, told

COIN = "coin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """``figures``: a tree of numbers and None; ``undefined``: why, by dotted name; ``slices``: rows of its branch."""

    figures: Tree
    undefined: dict[str, str]
    slices: list[Tree]


def judge(
    verdicts: Sequence[Verdict],
    pairs: Sequence[Pair],
    training: Sequence[Pair],
    kinds: Mapping[str, str],
    settings: Evaluate,
    tuning: Sequence[float],
) -> Judged:
    """All figures of ``evaluate``.

    ``pairs`` are the judged ones, ``training`` fits the baselines and the topics, ``kinds`` says which cue a chosen
    comment carries (empty when unknown), ``tuning`` are the validation margins that fit the temperature.
    Raises IntegrityFailure when verdicts and pairs do not match one to one.
    """
    verdicts, pairs = _matched(verdicts, pairs)
    margins = [verdict.margin for verdict in verdicts]
    threads = [pair.thread_id for pair in pairs]
    policy: Scores = measures.scores(margins).tolist()
    before = by_likelihood(verdicts, "reference")
    reference = before["summed"]
    rules = {name: baseline(training, pairs) for name, baseline in BASELINES.items()}
    rivals = {"reference": reference, "reference_per_token": before["per_token"], **rules}
    cuts = sliced(policy, reference, pairs, training, settings)
    tree = {
        "pairs": len(pairs),
        "threads": len(set(threads)),
        "test_split": int(settings.split == "test"),
        **flat("reward_accuracy", policy, threads, settings),
        **flat("reference_accuracy", reference, threads, settings),
        "reference_free": {
            name: nested(scores, threads, settings) for name, scores in by_likelihood(verdicts, "policy").items()
        },
        "baseline": {name: nested(scores, threads, settings) for name, scores in rivals.items()},
        "difference": contests(policy, {COIN: [0.5] * len(pairs), **rivals}, threads, settings),
        **matched(policy, pairs, settings),
        "length": lengths(policy, verdicts, pairs, settings),
        **likelihoods(verdicts),
        **calibrated(margins, tuning),
        "by_kind": _by_kind(policy, reference, pairs, kinds, settings),
        "slices": branch(cuts),
    }
    figures, undefined = settled(tree)
    return Judged(figures=figures, undefined=undefined, slices=[settled(row)[0] for row in cuts])


CALIBRATION: dict[str, Callable[[ArrayLike], float | None]] = {
    "ece": calibration.ece,
    "brier": calibration.brier,
    "nll": calibration.nll,
}


def calibrated(margins: Sequence[float], tuning: Sequence[float]) -> Tree:
    """Calibration as the margins stand, and at the temperature that fits the ``tuning`` margins best."""
    why, temperature = INFINITE if margins else NO_PAIRS, calibration.fit_temperature(tuning)
    cooled = None if temperature is None else np.asarray(margins, dtype=float) / temperature
    return {
        "temperature": told(temperature, INFINITE if tuning else NO_PAIRS),
        **{name: told(figure(margins), why) for name, figure in CALIBRATION.items()},
        **{
            f"{name}_calibrated": told(None if cooled is None else figure(cooled), why)
            for name, figure in CALIBRATION.items()
        },
    }


def reliability(verdicts: Sequence[Verdict]) -> list[calibration.Reliability]:
    """Rows of the reliability plot."""
    return calibration.reliability([verdict.margin for verdict in verdicts])


def histograms(verdicts: Sequence[Verdict]) -> dict[str, list[dict[str, float | int]]]:
    """Rows of the pictures of ``margins`` (pairs) and ``rewards`` (chosen and rejected completions)."""
    return {
        "margins": binned({"pairs": [verdict.margin for verdict in verdicts]}),
        "rewards": binned(
            {
                "chosen": [verdict.chosen_reward for verdict in verdicts],
                "rejected": [verdict.rejected_reward for verdict in verdicts],
            }
        ),
    }


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


def _by_kind(
    policy: Scores, reference: Scores, pairs: Sequence[Pair], kinds: Mapping[str, str], settings: Evaluate
) -> Tree:
    """Figures for the pairs of each kind of cue, the kind being that of the chosen comment."""
    of_pair = [kinds.get(pair.chosen_id) for pair in pairs]
    threads = [pair.thread_id for pair in pairs]
    result: Tree = {}
    for kind in sorted({kind for kind in of_pair if kind}):
        rows = [index for index, name in enumerate(of_pair) if name == kind]
        result[kind] = beside(policy, reference, threads, rows, settings)
    return result
