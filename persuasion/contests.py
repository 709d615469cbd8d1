"""The policy against every rival on the same pairs: the difference, and whether it is more than chance.

What both find easy cancels in a paired difference (Miller 2024, arXiv:2411.00640). Rivals are tested
together, so their p-values are also adjusted for each other.
"""

from collections.abc import Mapping, Sequence

from persuasion.config import Evaluate
from persuasion.errorbars import detectable
from persuasion.estimates import Scores, Tree, estimate, known
from persuasion.pairedtests import holm, mcnemar, sign_flips
from persuasion.undefined import ONE_POST, Undefined, told

ALIKE = Undefined("every pair has the same difference")


def contests(policy: Scores, rivals: Mapping[str, Scores], threads: Sequence[str], settings: Evaluate) -> Tree:
    """For each rival the difference in accuracy and its tests; ``p_holm`` adjusts ``p_sign_flip`` over all rivals."""
    rows = {name: _contest(policy, rival, threads, settings) for name, rival in rivals.items()}
    p = {name: row["p_sign_flip"] for name, row in rows.items() if isinstance(row["p_sign_flip"], float)}
    adjusted = holm(p)
    return {name: {**row, "p_holm": adjusted.get(name, row["p_sign_flip"])} for name, row in rows.items()}


def _contest(policy: Scores, rival: Scores, threads: Sequence[str], settings: Evaluate) -> Tree:
    """Policy minus rival. ``wins``: pairs on which the policy does better (a tie is half right); ``losses``: worse."""
    gaps: Scores = [None if a is None or b is None else a - b for a, b in zip(policy, rival, strict=True)]
    values, posts = known(gaps, threads)
    found = estimate(gaps, threads, settings)
    wins, losses = (int(sum(side * value > 0 for value in values)) for side in (1, -1))
    error = found["se"] if isinstance(found["se"], float) else None
    p = sign_flips(values, posts, settings.permutations, settings.seed)
    why = found["se"] if isinstance(found["se"], Undefined) else ALIKE
    return {
        **found,
        "pairs": len(values),
        "wins": wins,
        "losses": losses,
        "p_mcnemar": told(None if p is None else mcnemar(wins, losses), found["mean"]),
        "p_sign_flip": told(p, found["mean"]) if len(set(posts)) != 1 else ONE_POST,  # whose sign says nothing
        "detectable": told(detectable(error), why),
    }
