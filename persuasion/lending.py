"""Which pair of a batch lends another its completions, for KTO's estimate of the divergence.

A pair borrows from the pair before it that answers another post (from the pair before, where the batch has one post
only): its own completions would not be mismatched. Where a batch is one pair, as the last of an odd number is, there
are none but its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def lent(rows: Sequence[Row], batch: Sequence[Row]) -> list[dict[str, Any]]:
    """``rows`` of a batch, each with its ``lender``."""
    places = {row["pair_id"]: place for place, row in enumerate(batch)}
    return [{**row, "lender": _lender(batch, places[row["pair_id"]])} for row in rows]


def _lender(batch: Sequence[Row], place: int) -> Row:
    before = [batch[place - back] for back in range(1, len(batch))] or batch
    return next((row for row in before if row["prompt_ids"] != batch[place]["prompt_ids"]), before[0])
