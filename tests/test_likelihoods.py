import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from persuasion import likelihoods as l
from persuasion.undefined import Undefined, settled
from tests.test_judging import verdict

RNG = np.random.default_rng(2)
VERDICTS = [replace(verdict(f"p{i}", *RNG.normal(size=2)), chosen_tokens=5 + i, rejected_tokens=9) for i in range(60)]


def test_quantiles_agree_with_scipy_and_by_hand() -> None:
    values = RNG.normal(size=37)
    theirs = stats.mstats.mquantiles(values, [0.05, 0.25, 0.5, 0.75, 0.95], alphap=1, betap=1)
    assert list(l.quantiles(values).values()) == pytest.approx(theirs.tolist())
    assert l.quantiles([0, 10]) == {"p05": 0.5, "p25": 2.5, "p50": 5, "p75": 7.5, "p95": pytest.approx(9.5)}


def test_drift_and_perplexity_are_two_views_of_one_sum() -> None:
    figures = settled(l.likelihoods(VERDICTS))[0]
    for side in ("chosen", "rejected"):
        ratio = figures["perplexity"]["policy"][side] / figures["perplexity"]["reference"][side]
        assert figures["drift"][side] == pytest.approx(-math.log(ratio))
        plain = sum(getattr(v, f"policy_{side}_logp") for v in VERDICTS) / sum(
            getattr(v, f"{side}_tokens") for v in VERDICTS
        )
        assert figures["perplexity"]["policy"][side] == pytest.approx(math.exp(-plain))
    fell = np.mean([v.policy_chosen_logp < v.reference_chosen_logp for v in VERDICTS])
    assert figures["displacement_rate"] == pytest.approx(fell)


def test_without_a_reference_the_more_likely_text_wins_summed_or_per_token() -> None:
    rows = [replace(verdict("p", 0, 0, (-20.0, -22.0)), chosen_tokens=10, rejected_tokens=20),
            replace(verdict("p", 0, 0, (-10.0, -10.0)), chosen_tokens=5, rejected_tokens=5)]  # fmt: skip
    assert l.by_likelihood(rows, "reference") == {"summed": [1.0, 0.5], "per_token": [0.0, 0.5]}


def test_infinities_have_an_order_and_are_counted_and_a_nan_has_none() -> None:
    endless = replace(VERDICTS[0], policy_chosen_logp=-math.inf)
    both = replace(endless, policy_rejected_logp=-math.inf)
    lost = replace(VERDICTS[0], policy_chosen_logp=math.nan)
    assert l.by_likelihood([endless, both], "policy")["summed"] == [0.0, 0.5]
    assert math.isnan(l.by_likelihood([lost], "policy")["summed"][0])  # type: ignore[arg-type]
    assert l.likelihoods([VERDICTS[1], endless, both, lost])["infinite"] == 3


def test_no_tokens_no_verdicts_and_infinities_say_why() -> None:
    bare = replace(VERDICTS[0], chosen_tokens=0, rejected_tokens=0)
    endless = replace(VERDICTS[0], policy_chosen_logp=-math.inf, chosen_reward=-math.inf, margin=-math.inf)
    for rows in ([], [bare], [endless]):
        tree = l.likelihoods(rows)
        assert isinstance(tree["perplexity"]["policy"]["chosen"], Undefined) and isinstance(
            tree["drift"]["chosen"], Undefined
        )
    assert isinstance(l.likelihoods([endless])["quantiles"]["margin"]["p50"], Undefined)
    assert isinstance(l.likelihoods([endless])["displacement_rate"], Undefined)
