"""The adapter's card, read back by the Hub's own reader."""

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard

from persuasion import report
from persuasion.measures import cluster_bootstrap, scores
from persuasion.modelcard import RESAMPLES, Measured, Results, card, held_out
from persuasion.records import Verdict
from tests import tiny
from tests.test_report import EVALUATE, HOSTILE, inputs

FACTS = {"base_sha256": "ba5e" * 16, "pairs": 40, "steps": 9}
DATA = {"train.parquet": "7a" * 32, "validation.parquet": "1d" * 32}


def verdict(number: int, margin: float) -> Verdict:
    return Verdict(
        pair_id=f"p{number}", policy_chosen_logp=-9.0, policy_rejected_logp=-9.0 - margin, reference_chosen_logp=-8.0,
        reference_rejected_logp=-8.0, chosen_reward=-1.0, rejected_reward=-1.0 - margin, margin=margin,
        chosen_tokens=3, rejected_tokens=3,
    )  # fmt: skip


def results() -> Results:
    pairs = [replace(tiny.pair(n), pair_id=f"p{n}", thread_id=f"t{n // 2}") for n in range(8)]
    return held_out([verdict(n, [1.0, -0.5, 0.0][n % 3]) for n in range(8)], pairs, 1)


def test_the_hub_reads_base_library_figures_with_intervals_and_hashes():
    made = ModelCard(card(tiny.PARAMS, FACTS, DATA, results()))
    front = made.data.to_dict()
    told = {"base_model": "models/base", "library_name": "peft", "pipeline_tag": "text-generation"}
    assert told.items() <= front.items()
    first = made.data.eval_results[0]
    values, posts = list(scores([[1.0, -0.5, 0.0][n % 3] for n in range(8)])), [f"t{n // 2}" for n in range(8)]
    low, high = cluster_bootstrap(values, posts, RESAMPLES, 1)
    assert (first.metric_type, first.dataset_split, first.metric_value) == ("accuracy", "validation", 0.5)
    assert (first.metric_args["low"], first.metric_args["high"]) == (low, high) and low < 0.5 < high
    assert first.dataset_args["sha256"] == DATA and all(value in made.text for value in DATA.values())
    for words in ("No therapy", "No undisclosed deployment", "not truth", FACTS["base_sha256"]):
        assert words in made.text


def test_a_hub_model_is_named_with_its_revision():
    params = replace(tiny.PARAMS, model=replace(tiny.PARAMS.model, kind="hub", name="meta/tiny", revision="a" * 40))
    made = ModelCard(card(params, FACTS, DATA, None))
    assert made.data.base_model == "meta/tiny" and "a" * 40 in made.text
    assert made.data.eval_results is None and "Not measured" in made.text


def test_no_setting_breaks_out_of_the_front_matter_or_a_table():
    hostile = f"x\n---\nlicense: mit\n{HOSTILE}"
    params = replace(
        tiny.PARAMS,
        model=replace(tiny.PARAMS.model, kind="hub", name=hostile, revision="a" * 40),
        train=replace(tiny.PARAMS.train, optimizer=hostile),
    )
    told = Results(split=hostile, pairs=1, posts=1, figures=[Measured(name=hostile, kind="accuracy", value=0.5)])
    made = ModelCard(card(params, FACTS, {hostile: "00"}, told))
    assert made.data.license == "other" and made.data.base_model == hostile
    assert made.data.eval_results[0].metric_name == hostile
    assert "<script" not in made.text and "\n---\nlicense" not in made.text


@pytest.mark.parametrize("looks", [3, None])
def test_the_card_of_the_report_tells_the_test_split_and_its_looks(looks):
    evaluate = {**EVALUATE, "test_split": 1, "test_looks": looks}
    made = ModelCard(report.adapter_card(inputs([], evaluate=evaluate), FACTS, DATA))
    first = made.data.eval_results[0]
    assert (first.dataset_split, first.metric_value) == ("test", EVALUATE["reward_accuracy"])
    assert first.dataset_args.get("looks_at_this_test_set") == looks
    assert ("3 policies" if looks else "an unknown number of policies") in made.text
    assert {result.metric_name for result in made.data.eval_results} >= {"baseline: length", "baseline: tfidf"}
