import json
import math
from dataclasses import replace
from typing import Any

import pytest

from persuasion import judging
from persuasion.config import Evaluate
from persuasion.errors import IntegrityFailure
from persuasion.findings import dig
from persuasion.records import Pair, Verdict
from tests.test_baselines import pair, pairs_by_words

SETTINGS = Evaluate(
    split="validation", bootstrap=200, permutations=500, length_tolerance=0.1, length_bins=5, topics=3, seed=1
)


def verdict(name: str, chosen: float, rejected: float, reference: tuple[float, float] = (-20.0, -22.0)) -> Verdict:
    """A verdict with the given rewards at beta 0.1."""
    return Verdict(
        pair_id=name,
        policy_chosen_logp=reference[0] + chosen / 0.1,
        policy_rejected_logp=reference[1] + rejected / 0.1,
        reference_chosen_logp=reference[0],
        reference_rejected_logp=reference[1],
        chosen_reward=chosen,
        rejected_reward=rejected,
        margin=chosen - rejected,
        chosen_tokens=10,
        rejected_tokens=10,
    )


def judgement(pairs: list[Pair], verdicts: list[Verdict], kinds: dict[str, str] | None = None) -> judging.Judged:
    training, tuning = pairs_by_words("yes", "no", 20, 1), [verdict.margin for verdict in verdicts]
    return judging.judge(verdicts, pairs, training, kinds or {}, SETTINGS, tuning)


def judged(pairs: list[Pair], verdicts: list[Verdict], kinds: dict[str, str] | None = None) -> Any:
    return judgement(pairs, verdicts, kinds).figures


def test_figures_by_hand() -> None:
    pairs = [pair(0, "a b c", "a b"), pair(1, "a", "a b"), pair(2, "a b", "c d"), pair(3, "a b", "c d")]
    rewards = [(0.5, -0.5), (-1.0, 1.0), (-0.2, -0.2), (-0.1, -2.0)]
    verdicts = [verdict(p.pair_id, *r) for p, r in zip(pairs, rewards, strict=True)]
    kinds = {"t1_c0": "style", "t1_c1": "relation", "t1_c2": "relation"}
    figures = judged(pairs, verdicts[::-1], kinds)
    assert figures["reward_accuracy"] == (1 + 0 + 0.5 + 1) / 4
    assert figures["reference_accuracy"] == 1
    assert figures["pairs"] == 4 and figures["threads"] == 2 and figures["test_split"] == 0
    assert figures["reward_margin"] == pytest.approx((1 - 2 + 0 + 1.9) / 4)
    assert figures["displacement_rate"] == 0.75
    assert figures["perplexity"]["reference"] == {
        "chosen": pytest.approx(math.exp(2)),
        "rejected": pytest.approx(math.exp(2.2)),
    }
    assert figures["perplexity"]["policy"]["chosen"] == pytest.approx(math.exp((80 - (5 - 10 - 2 - 1)) / 40))
    assert figures["accuracy_length_matched"] == 0.75 and figures["pairs_length_matched"] == 2
    assert dig(figures, "baseline.length.accuracy") == 0.5
    assert dig(figures, "difference.length.mean") == pytest.approx(0.125)
    assert dig(figures, "difference.reference.mean") == pytest.approx(-0.375)
    assert dig(figures, "by_kind.style.accuracy") == 1 and dig(figures, "by_kind.relation.accuracy") == 0.25
    assert dig(figures, "by_kind.relation.pairs") == 2


PAIRS = [pair(0, "a", "b c"), pair(2, "c", "d e"), pair(4, "e", "f")]
CASES = {
    "nothing": ([], []),
    "one": (PAIRS[:1], [verdict("p0000", 1, 0)]),
    "one post": ([PAIRS[0], pair(1, "a", "b c")], [verdict("p0000", 1, 0), verdict("p0001", 0, 1)]),
    "constant": (PAIRS, [verdict(p.pair_id, 1, 0) for p in PAIRS]),
    "tied": (PAIRS, [verdict(p.pair_id, 0, 0, (-20.0, -20.0)) for p in PAIRS]),
    "infinite": (PAIRS, [verdict(p.pair_id, -math.inf, 1) for p in PAIRS]),
    "both infinite": (PAIRS, [verdict(p.pair_id, -math.inf, -math.inf) for p in PAIRS]),
    "not a number": (PAIRS, [verdict(p.pair_id, math.nan, 1) for p in PAIRS]),
    "enough": (PAIRS, [verdict(p.pair_id, i % 2, 0.5) for i, p in enumerate(PAIRS)]),
}


def nulls(tree: Any, prefix: str = "") -> set[str]:
    if not isinstance(tree, dict):
        return {prefix[:-1]} if tree is None else set()
    return {path for name, value in tree.items() for path in nulls(value, f"{prefix}{name}.")}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CASES)
def test_every_figure_is_a_number_or_null_with_a_reason(name: str) -> None:
    found = judgement(*CASES[name])
    assert found.figures.keys() == judged(*CASES["enough"]).keys()
    json.dumps([found.figures, found.undefined, found.slices], allow_nan=False)
    assert nulls(found.figures) == set(found.undefined)
    assert all(found.undefined.values())


def test_what_little_there_is_has_its_figure() -> None:
    assert judged(*CASES["nothing"])["pairs"] == 0 and judgement(*CASES["nothing"]).undefined["brier"] == "no pairs"
    one = judged(*CASES["one"])
    assert one["reward_accuracy"] == 1 and one["reward_accuracy_low"] is None and one["reward_margin"] == 1
    assert judgement(*CASES["one"]).undefined["reward_accuracy_low"] == "fewer than two posts"
    tied = judged(*CASES["tied"])
    assert (tied["reward_accuracy"], tied["brier"], tied["ece"], tied["temperature"]) == (0.5, 0.25, 0, 1)
    endless = judged(*CASES["infinite"])
    assert endless["reward_accuracy"] == 0 and endless["reward_margin"] is None and endless["infinite"] == 3
    assert judged(*CASES["not a number"])["reward_accuracy"] is None


def test_the_temperature_of_the_test_pairs_is_that_of_validation() -> None:
    pairs = pairs_by_words("yes", "no", 40, 2)
    verdicts = [verdict(p.pair_id, float(i % 4 > 0), 0.5) for i, p in enumerate(pairs)]
    tuning = [2.0, 2.0, 2.0, -2.0]
    figures = judging.judge(verdicts, pairs, pairs[:0], {}, replace(SETTINGS, split="test"), tuning).figures
    cool = 2 / math.log(3)
    assert figures["temperature"] == pytest.approx(cool) and figures["test_split"] == 1
    margins = [v.margin / cool for v in verdicts]
    assert figures["nll_calibrated"] == pytest.approx(sum(math.log1p(math.exp(-m)) for m in margins) / 40)
    own = judged(pairs, verdicts)
    assert own["nll_calibrated"] < figures["nll_calibrated"] and own["nll"] == figures["nll"]


def test_the_interval_surrounds_the_accuracy() -> None:
    pairs = pairs_by_words("yes", "no", 60, 2)
    verdicts = [verdict(p.pair_id, float(i % 3 > 0), 0.5) for i, p in enumerate(pairs)]
    figures = judged(pairs, verdicts)
    assert figures["reward_accuracy_low"] < figures["reward_accuracy"] < figures["reward_accuracy_high"]
    assert figures == judged(pairs[::-1], verdicts[::-1])


@pytest.mark.parametrize("names", [["p0000"], ["p0000", "p0009"], ["p0000", "p0000"]])
def test_verdicts_must_match_the_pairs(names: list[str]) -> None:
    with pytest.raises(IntegrityFailure):
        judged([pair(0, "a", "b"), pair(1, "a", "b")], [verdict(name, 1, 0) for name in names])


def test_the_pictures_hold_every_pair_and_completion() -> None:
    drawn = judging.histograms([verdict(f"p{i}", i % 3, 0.5) for i in range(10)])
    assert sum(row["pairs"] for row in drawn["margins"]) == 10
    assert [sum(row[side] for row in drawn["rewards"]) for side in ("chosen", "rejected")] == [10, 10]
    assert not any(judging.histograms([]).values())
