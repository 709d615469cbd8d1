"""What training did to likelihoods: rewards, perplexities, displacement and drift over a list of verdicts.

Every figure is of all pairs together; what is undefined says why.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from persuasion import measures
from persuasion.estimates import Tree
from persuasion.measures import Floats
from persuasion.records import Verdict
from persuasion.undefined import INFINITE, NO_PAIRS, Figure, Undefined, told
from persuasion.verdicts import SIDES, perplexities, rewards

QUANTILES = (5, 25, 50, 75, 95)
"""In per cent."""
NO_TOKENS = Undefined("no tokens, a log-probability that is not finite, or beyond a float")


def likelihoods(verdicts: Sequence[Verdict]) -> Tree:
    """The branches of ``evaluate`` that are means, quantiles and shares of log-probabilities and rewards."""
    why = INFINITE if verdicts else NO_PAIRS
    chosen = _column(verdicts, "chosen_reward")
    finite = bool(chosen.size) and bool(np.isfinite(chosen).all())
    margins = _column(verdicts, "margin")
    return {
        "infinite": _infinite(verdicts),
        "reward_margin": told(measures.mean(margins), why),
        "rewards": {side: told(value, why) for side, value in rewards(verdicts).items()},
        "quantiles": {"margin": quantiles(margins)}
        | {side: quantiles(_column(verdicts, f"{side}_reward")) for side in SIDES},
        "perplexity": {who: _told(row, NO_TOKENS) for who, row in perplexities(verdicts).items()},
        "displacement_rate": told(measures.mean(chosen < 0) if finite else None, why),
        "drift": {side: told(drift(verdicts, side), why) for side in SIDES},
    }


def quantiles(values: ArrayLike) -> Mapping[str, Figure]:
    """``p05`` … ``p95``, interpolated linearly (Hyndman and Fan 1996, type 7), in the unit of ``values``."""
    array = np.asarray(values, dtype=float)
    names = [f"p{per_cent:02}" for per_cent in QUANTILES]
    if not array.size or not np.isfinite(array).all():
        return dict.fromkeys(names, INFINITE if array.size else NO_PAIRS)
    found = np.quantile(array, [per_cent / 100 for per_cent in QUANTILES])
    return dict(zip(names, map(float, found), strict=True))


def drift(verdicts: Sequence[Verdict], side: str) -> float | None:
    """(Σ policy − Σ reference log-prob) / Σ tokens of one side, in nats per token: below 0, less likely than before.

    On the model's own samples this mean estimates the KL divergence per token (Rafailov et al. 2023, equation 3); on
    people's texts, as here, it only says which way likelihood moved. None without tokens or with an infinity.
    """
    tokens = _column(verdicts, f"{side}_tokens").sum()
    policy, reference = (_column(verdicts, f"{who}_{side}_logp") for who in ("policy", "reference"))
    if not tokens or not np.isfinite(policy).all() or not np.isfinite(reference).all():
        return None
    return float((policy - reference).sum() / tokens)


def preferred(chosen: Floats, rejected: Floats) -> list[float | None]:
    """Scores by the larger value: 1 the chosen's, 0 the rejected's, ½ equal (two infinities too), NaN for a NaN."""
    higher = ((chosen > rejected) * 1.0 - (chosen < rejected) + 1) / 2
    return [float(score) for score in np.where(np.isnan(chosen) | np.isnan(rejected), np.nan, higher)]


def by_likelihood(verdicts: Sequence[Verdict], who: str) -> dict[str, list[float | None]]:
    """Scores without a reference: the completion that ``who`` finds more likely, ``summed`` and ``per_token``.

    Summed log-probabilities favour the shorter text; the mean per token does not (SimPO: Meng et al. 2024,
    arXiv:2405.14734; RewardBench reports both: Lambert et al. 2024, arXiv:2403.13787).
    """
    sums = [_column(verdicts, f"{who}_{side}_logp") for side in SIDES]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [total / _column(verdicts, f"{side}_tokens") for total, side in zip(sums, SIDES, strict=True)]
    return {"summed": preferred(*sums), "per_token": preferred(*means)}


def _infinite(verdicts: Sequence[Verdict]) -> int:
    """Pairs with a log-probability that is not finite."""
    names = [f"{who}_{side}_logp" for who in ("policy", "reference") for side in SIDES]
    columns = np.array([_column(verdicts, name) for name in names])
    return int((~np.isfinite(columns)).any(axis=0).sum())


def _column(verdicts: Sequence[Verdict], name: str) -> Floats:
    return np.array([getattr(verdict, name) for verdict in verdicts], dtype=float)


def _told(row: Mapping[str, Any], why: Undefined) -> dict[str, Figure]:
    return {name: told(value, why) for name, value in row.items()}
