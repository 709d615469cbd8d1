"""The run in one breath, and what to try next: plain words for figures that call for something.

Each piece of advice stands on one figure beyond a stated mark; the marks are rules of thumb, and say so.
"""

from collections.abc import Iterator

from persuasion.findings import Tree, dig, percent

LAG = 0.1
"""Validation loss this far above its best epoch (nats): it was trained too long."""
HOT, COLD = 1.5, 0.67
"""Temperatures beyond which margins are far too sure, or too shy."""
SHORT = 0.5
"""Replies ended by the policy itself: below this share, most are cut off."""
SURFACE = 0.65
"""Pairs told apart without reading: above this share, an accuracy may be no more than that."""
COPIED = 0.05
"""Replies that repeat 13 words of training text: above this share, the model recites."""


def headline(metrics: Tree, beta: float) -> str:
    """One sentence: which way margin and likelihoods went, what that is called, what to try; "" where undefined.

    Rewards are beta times the change of a completion's log-probability, so that change is the reward over ``beta``.
    """
    chosen, rejected = (dig(metrics, f"evaluate.rewards.{side}") for side in ("chosen", "rejected"))
    if chosen is None or rejected is None or not beta:
        return ""
    moved = [f"chosen likelihood {_way(chosen / beta)}", f"rejected likelihood {_way(rejected / beta)}"]
    what = f"Margin {_way((chosen - rejected) / beta)}, {', '.join(moved)} a comment, against the untrained model: "
    if chosen >= rejected > 0:
        return what + "both became likelier, the chosen more."
    if chosen >= 0:
        return what + ("as hoped." if chosen > rejected else "the wrong way round; look at the labels of the pairs.")
    if chosen <= rejected:
        return what + "the wrong way round; look at the labels of the pairs and at train.learning_rate."
    return what + (
        "displacement; try a smaller train.learning_rate, fewer train.epochs, a larger dpo.beta, "
        "or a loss that also holds the chosen comments up (supervised, beside the preference)."
    )


def advice(metrics: Tree, validation: list[Tree]) -> list[str]:
    """What the figures call for, the gravest first; [] when nothing does."""
    return [*_judging(metrics), *_learning(metrics, validation), *_writing(metrics)]


def _judging(metrics: Tree) -> Iterator[str]:
    low, length = (dig(metrics, f"evaluate.{name}") for name in ("reward_accuracy_low", "baseline.length.accuracy"))
    if low is not None and low <= 0.5:
        yield (
            "The interval of the accuracy holds 50%: the policy may be no better than a coin. "
            "More pairs narrow it (evaluate on more posts); a larger train.learning_rate or more train.epochs may help."
        )
    gap = dig(metrics, "evaluate.difference.length.low")
    if gap is not None and gap <= 0:
        yield (
            f"Picking the longer comment does about as well ({percent(length)}): nothing shows that more than "
            "length was learnt. Try pairs.negative: length, which sets comments of like length against each other."
        )
    surface = dig(metrics, "pair.audit.surface_accuracy")
    if surface is not None and surface > SURFACE:
        yield (
            f"A classifier that reads no word tells {percent(surface)} of the pairs apart, by lengths, marks, order or "
            "votes: a high accuracy may be that. Try another pairs.negative."
        )


def _learning(metrics: Tree, validation: list[Tree]) -> Iterator[str]:
    losses = [row["loss"] for row in validation if row.get("loss") is not None]
    if losses and losses[-1] - min(losses) > LAG:
        yield (
            f"Validation loss rose by {losses[-1] - min(losses):.2f} nats after its best epoch "
            f"({losses.index(min(losses)) + 1} of {len(losses)}): try train.select: nll_calibrated, or fewer epochs."
        )
    temperature = dig(metrics, "evaluate.temperature")
    if temperature is not None and temperature > HOT:
        yield f"The margins are too sure of themselves: divide them by {temperature:.2f} to read them as probabilities."
    if temperature is not None and temperature < COLD:
        yield f"The margins are too shy: divide them by {temperature:.2f} to read them as probabilities."


def _writing(metrics: Tree) -> Iterator[str]:
    ended, copied = (dig(metrics, f"generate.{name}") for name in ("eos_rate", "copy_rate"))
    if ended is not None and ended < SHORT:
        yield f"Only {percent(ended)} of the replies end by themselves: try a larger generate.max_tokens."
    if copied is not None and copied > COPIED:
        yield (
            f"{percent(copied)} of the replies repeat 13 words in a row from training: they recite. Do not publish "
            "the model or its replies on real data; a larger base, more posts or fewer epochs of it recite less."
        )
    raised = [name for name, value in sorted((dig(metrics, "generate.safety") or {}).items()) if _alarming(name, value)]
    if raised:
        words = ", ".join(name.replace("_", " ") for name in raised)
        yield f"Read the replies before anybody else does; the word lists found: {words}."


def _alarming(name: str, value: object) -> bool:
    grave = ("self_harm", "medical", "insult", "identity", "threat", "slur", "manipulation")
    return isinstance(value, int | float) and value > 0 and name.startswith(grave)


def _way(nats: float) -> str:
    return f"{'up' if nats >= 0 else 'down'} {abs(nats):.1f} nats"
