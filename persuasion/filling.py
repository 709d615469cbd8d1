"""Rows of several lengths put together, so that little room is left: best fit, the longest first (Johnson 1974)."""

from bisect import bisect_left, insort
from collections.abc import Sequence


def filled(lengths: Sequence[int], room: int) -> list[list[int]]:
    """Numbers of ``lengths`` in parts of at most ``room`` (a longer one stands alone): the longest first, each where
    it leaves the least room.
    """
    parts: list[list[int]] = []
    free: list[tuple[int, int]] = []  # ascending: room left, part
    for number in sorted(range(len(lengths)), key=lambda number: -lengths[number]):
        at = bisect_left(free, (lengths[number], 0))
        left, part = free.pop(at) if at < len(free) else (room, len(parts))
        if part == len(parts):
            parts.append([])
        parts[part].append(number)
        insort(free, (left - lengths[number], part))
    return parts
