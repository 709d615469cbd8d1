"""Figures that cannot be told: each says why, until the tree is written as numbers and null."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Undefined:
    """In place of a number: why there is none."""

    reason: str


Figure = float | Undefined

DIGITS = 10
"""Significant digits of a figure: the last of a float's 17 differ between processors (exp, tanh, BLAS kernels)."""

NO_PAIRS = Undefined("no pairs")
INFINITE = Undefined("a value in it is not finite")
ONE_POST = Undefined("fewer than two posts")
NO_REPLIES = Undefined("no replies")


def told(value: float | None, reason: Undefined) -> Figure:
    """``value``, or why there is none."""
    return reason if value is None else value


def each(values: Mapping[str, float | None], reason: Undefined) -> dict[str, Figure]:
    """``values``, with ``reason`` in place of every None."""
    return {name: told(value, reason) for name, value in values.items()}


def settled(tree: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], dict[str, str]]:
    """The tree with None for what is undefined, and by dotted name why; an undefined branch is None as a whole.

    Figures are told to ``DIGITS`` digits.
    """
    plain: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name, value in tree.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            plain[name], below = settled(value, f"{path}.")
            reasons |= below
        elif isinstance(value, Undefined):
            plain[name], reasons[path] = None, value.reason
        else:
            plain[name] = float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
    return plain, reasons
