"""The screen for posts that are not to be argued with, and what they get instead.

Rules of ours over wording (``dangers``): a first person in acute danger of self-harm, abuse, violence or poisoning.
They err on the side of caution (a denial, "not suicidal", counts too) and still miss: ``metrics/generate.json`` says
how often on a bundled synthetic set (``cases``). A debate about such a topic is not a crisis.
"""

import re

from persuasion.dangers import RULES
from persuasion.patterns import plain

RESOURCE_MESSAGE = (
    "This post reads as if someone may be in danger or great distress, so no reply that argues was written. "
    "If this is about you: you deserve support from a person, and what others do to you is not your fault. "
    "In immediate danger, call your local emergency number. "
    "United States and Canada: call or text 988. United Kingdom and Ireland: Samaritans, 116 123. "
    "Violence at home, United States: 1-800-799-7233; United Kingdom: 0808 2000 247. "
    "Elsewhere: https://findahelpline.com lists free, confidential help by country."
)
_SENTENCE = re.compile(r"[^.!?\n;]+")


def is_crisis(text: str) -> bool:
    """Whether a post speaks of acute danger in the first person: self-harm, abuse, violence, poisoning."""
    return bool(kinds(text))


def kinds(text: str) -> tuple[str, ...]:
    """Which of the rules find something."""
    spelt = [plain(sentence) for sentence in _SENTENCE.findall(text)]
    return tuple(
        name for name, rules in RULES.items() if any(rule.finds(sentence) for rule in rules for sentence in spelt)
    )
