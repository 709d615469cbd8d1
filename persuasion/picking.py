"""Who takes which negative in a thread: round after round, the nearest that is left, within the caps."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from persuasion.challenges import Parts
from persuasion.config import Pairs
from persuasion.negatives import Choice


@dataclass(slots=True, kw_only=True)
class Turn:
    """A chosen completion: rivals in the ``order`` in which it wants them, ``most`` of which it may take.

    ``taken`` are those it got; ``reason`` says why it got no more.
    """

    choice: Choice
    most: int
    order: Iterator[Parts] | None
    taken: list[Parts] = field(default_factory=list)
    reason: str = "no_negative"


def pick(turns: Sequence[Turn], params: Pairs) -> None:
    """Deal out the rivals of one thread, one a round to each turn: a cap takes second pairs before first ones."""
    used: Counter[Parts] = Counter()
    waiting = [turn for turn in turns if turn.most]
    while waiting:
        still = []
        for turn in waiting:
            if params.max_per_thread is not None and used.total() >= params.max_per_thread:
                turn.reason = "thread_cap"
            elif rival := _next(turn, used, params.max_reuse):
                used[rival] += 1
                turn.taken.append(rival)
                if len(turn.taken) < turn.most:
                    still.append(turn)
        waiting = still


def _next(turn: Turn, used: Counter[Parts], most: int | None) -> Parts | None:
    """The nearest rival that is not used up."""
    for rival in turn.order or ():
        if most is None or used[rival] < most:
            return rival
        turn.reason = "negatives_used_up"
    return None
