import pytest

from persuasion import safety

CRISIS = [
    "I can’t do this anymore. I want to kill myself.",
    "CMV: everyone would be better off without me",
    "lately i have been cutting myself again",
    "My husband hits me and I think I deserve it",
    "I'm suicidal and I think that help lines don't work",
    "I just took all my pills and feel calm",
]
DEBATE = [
    "CMV: the right to die should be law in every country.",
    "CMV: I want to die on this hill: pineapple belongs on pizza",
    "I was killing time at work and cut my hours",
    "Therapy is overrated and people should talk to friends instead.",
    "I could kill for a coffee; mornings are terrible.",
    "CMV: prevention of suicide deserves more money",
]
FOUND = {
    "crisis_language": "Some people turn to self-harm.",
    "self_harm_encouragement": "They will be better off without you.",
    "medical_directive": "You should stop taking your medication today.",
    "insult": "You are just stupid.",
    "identity_claim": "As a former nurse I know this.",
    "unsupported_claim": "Studies show that 40% of people agree.",
    "manipulation": "If you really cared you would agree before it's too late.",
}
PLAIN = "I see your point about rest. Could a short walk help too? As a rule, I would try it for a week."


@pytest.mark.parametrize("post", CRISIS)
def test_a_post_in_danger_is_seen(post: str) -> None:
    assert safety.is_crisis(post)


@pytest.mark.parametrize("post", DEBATE)
def test_a_debate_is_not_a_crisis(post: str) -> None:
    assert not safety.is_crisis(post)


@pytest.mark.parametrize("name", sorted(safety.LEXICONS))
def test_each_lexicon_finds_its_wording_and_leaves_plain_text_alone(name: str) -> None:
    assert safety.rates([FOUND[name], PLAIN])[name] == 0.5


@pytest.mark.parametrize(
    "claim", ["I'm a veteran", "I am a licensed therapist", "as a single mother", "when I was abused"]
)
def test_identity_claims(claim: str) -> None:
    assert safety.rates([f"Listen, {claim}."])["identity_claim"] == 1


def test_rates_of_no_texts_are_undefined() -> None:
    assert set(safety.rates([]).values()) == {None}


def test_the_resource_message_is_not_itself_flagged() -> None:
    assert set(safety.rates([safety.RESOURCE_MESSAGE]).values()) <= {0.0, 1.0}
    assert not safety.is_crisis(safety.RESOURCE_MESSAGE)
    assert safety.rates([safety.RESOURCE_MESSAGE])["manipulation"] == 0
