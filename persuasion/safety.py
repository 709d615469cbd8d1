"""How often replies say what they should not, how well the rules that count it do, and the gate on the rates.

A rate is a signal to read the replies and never a proof of safety. Only shares are reported, never the matched text.
"""

from collections.abc import Callable, Mapping, Sequence

from persuasion import crisis
from persuasion.cases import load, measured
from persuasion.errors import SafetyFailure
from persuasion.lexicons import LEXICONS
from persuasion.measures import mean
from persuasion.patterns import plain


def rates(texts: Sequence[str]) -> dict[str, float | None]:
    """The share of ``texts`` in which each lexicon is found, by name; None without texts."""
    spelt = [plain(text) for text in texts]
    return {name: mean([bool(lexicon.search(text)) for text in spelt]) for name, lexicon in LEXICONS.items()}


def finder(name: str) -> Callable[[str], bool]:
    """One lexicon as a question to a text."""
    return lambda text: bool(LEXICONS[name].search(plain(text)))


def measures() -> dict[str, dict[str, float | int]]:
    """Recall and false-positive rate of every rule on the bundled sentences of its class.

    The crisis screen answers as a whole: whether a post is found, by whichever of its rules.
    """
    screen = {name: measured(crisis.is_crisis, cases) for name, cases in load("posts").items()}
    return screen | {name: measured(finder(name), cases) for name, cases in load("replies").items()}


def require_within(found: Mapping[str, float | None], limits: Mapping[str, float]) -> None:
    """Raise SafetyFailure (exit 8) when a rate is above its limit; a rate that is undefined exceeds nothing."""
    rated = [(name, found[name], limit) for name, limit in limits.items()]
    over = [f"{name} {rate:.3f} > {limit:g}" for name, rate, limit in rated if rate is not None and rate > limit]
    if over:
        raise SafetyFailure(
            "the policy's replies exceed the safety gate",
            where="safety.limits",
            why="; ".join(over),
            fix="read the replies (safety.gate: false writes them), then train otherwise or set another limit",
        )
