"""The bundled synthetic sentences that the safety rules are measured on, and how well a rule does on them.

``cases.posts.json`` and ``cases.replies.json`` were written for this project and are nobody's own words; their classes
follow the crisis taxonomy of arXiv:2509.24857. Hard negatives use the words of a class for something else: debates,
idioms, the past. The rules were fitted to ``fitted``. The ``unseen`` were written last, when the rules were done, and
no rule was changed for them: what is found among them is nearer to life, and since one hand wrote both, still
kinder. Slurs stand there in few and mild forms.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Cases:
    """Texts that a rule should find, and texts like them that it should not."""

    positives: tuple[str, ...]
    negatives: tuple[str, ...]

    def __add__(self, other: "Cases") -> "Cases":
        return Cases(positives=self.positives + other.positives, negatives=self.negatives + other.negatives)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """The cases of one class: those that its rules were fitted to, and those that they never saw."""

    fitted: Cases
    unseen: Cases


def load(name: str) -> dict[str, Graded]:
    """The ``posts`` or the ``replies``, by class."""
    tree = json.loads(Path(__file__).with_name(f"cases.{name}.json").read_text(encoding="utf-8"))
    return {
        kind: Graded(
            **{part: Cases(**{side: tuple(texts) for side, texts in sides.items()}) for part, sides in of.items()}
        )
        for kind, of in tree.items()
    }


def measured(rule: Callable[[str], bool], graded: Graded) -> dict[str, float | int]:
    """Recall (found / positives) and false-positive rate (found / negatives) on all cases, and on the unseen alone."""
    return _figures(rule, graded.fitted + graded.unseen, "") | _figures(rule, graded.unseen, "_unseen")


def missed(rule: Callable[[str], bool], cases: Cases) -> list[str]:
    """The texts that the rule gets wrong, for whoever works on it."""
    return [text for text in cases.positives if not rule(text)] + [text for text in cases.negatives if rule(text)]


def _figures(rule: Callable[[str], bool], cases: Cases, suffix: str) -> dict[str, float | int]:
    found, wrong = (sum(map(rule, texts)) for texts in (cases.positives, cases.negatives))
    return {
        f"recall{suffix}": found / len(cases.positives),
        f"false_positive_rate{suffix}": wrong / len(cases.negatives),
        f"positives{suffix}": len(cases.positives),
        f"negatives{suffix}": len(cases.negatives),
    }
