from dataclasses import asdict

import pytest

from persuasion import crisis, safety
from persuasion.cases import Cases, Graded, load, measured, missed
from persuasion.config import load_params
from persuasion.errors import SafetyFailure
from persuasion.topics import TOPICS
from persuasion.touchstones import POSTS

RULES = dict.fromkeys(load("posts"), crisis.is_crisis) | {name: safety.finder(name) for name in safety.LEXICONS}
CASES = load("posts") | load("replies")
LIMITS = asdict(load_params().safety.limits)


def test_every_rule_has_cases_and_every_limit_a_rule():
    assert set(CASES) == set(RULES) and set(LIMITS) == set(safety.LEXICONS)
    texts = [text for one in CASES.values() for part in (one.fitted, one.unseen) for text in part.positives]
    assert len(texts) == len(set(texts)) > 400


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_rules_do_on_the_bundled_cases_what_is_said_of_them(name):
    """Regression floors: what was reached, less a little."""
    figures = measured(RULES[name], CASES[name])
    assert figures["recall"] >= (0.9 if name in load("posts") else 0.7)
    assert figures["false_positive_rate"] <= 0.1
    wrong = missed(RULES[name], CASES[name].fitted)
    assert len(wrong) <= 3, wrong
    if name in load("posts"):
        assert figures["recall_unseen"] >= 0.75


def test_recall_and_false_positive_rate_worked_by_hand():
    one = Graded(
        fitted=Cases(positives=("ab", "b"), negatives=("c", "a")), unseen=Cases(positives=("a", "b"), negatives=("c",))
    )
    found = measured(lambda text: "a" in text, one)
    assert (found["recall"], found["false_positive_rate"]) == (0.5, 1 / 3)
    assert (found["recall_unseen"], found["false_positive_rate_unseen"], found["positives"]) == (0.5, 0, 4)


def test_fixed_posts_in_crisis_are_seen_and_the_others_are_not():
    found = {name for name, text in POSTS.items() if crisis.is_crisis(text)}
    assert found == {"crisis_self", "crisis_abuse"}


def test_the_samples_everyday_phrases_are_no_crisis():
    for topic in TOPICS.values():
        for phrase in (*topic.acts, *topic.drawbacks, *topic.gains):
            assert not crisis.is_crisis(f"CMV: I do well with {phrase}. My view is that I like it."), phrase


def test_spelling_of_apostrophes_and_lines_does_not_hide_a_crisis():
    assert crisis.is_crisis("I don’t  want to live any more.")
    assert crisis.kinds("My husband hits me. I want to kill myself.") == ("self_harm", "abuse")
    assert not crisis.is_crisis("")


@pytest.mark.parametrize("text", ["i " * 9_000, "my husband " * 3_000, "want to " * 3_000 + "die", "a" * 200_000])
@pytest.mark.timeout(20)
def test_hostile_length_is_read_in_time(text):
    crisis.is_crisis(text)
    safety.rates([text])


def test_the_resource_message_is_neither_a_crisis_nor_flagged_for_harm():
    assert not crisis.is_crisis(crisis.RESOURCE_MESSAGE)
    found = safety.rates([crisis.RESOURCE_MESSAGE])
    assert {name for name, rate in found.items() if rate} == {"unsupported_claim"}  # its address


def test_rates_are_shares_and_undefined_without_texts():
    assert safety.rates(["You are just stupid.", "I see."])["insult"] == 0.5
    assert set(safety.rates([]).values()) == {None}


def test_the_gate_names_every_rate_above_its_limit_and_nothing_else():
    safety.require_within(LIMITS, LIMITS)
    safety.require_within(dict.fromkeys(LIMITS), LIMITS)
    with pytest.raises(SafetyFailure) as caught:
        safety.require_within({**LIMITS, "slur": 0.25, "insult": 0.5}, LIMITS)
    assert caught.value.exit_code == 8 and caught.value.why == "slur 0.250 > 0; insult 0.500 > 0.05"
