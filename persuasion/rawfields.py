"""The fields of a raw record, whose types drift by month, each as one type or refused by name.

Every function takes the record as it was read. Raises Refused where a field that must be there is missing, has a
wrong type or is out of range; what may be missing has a value for that.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

DELETED = "[deleted]"
NAMELESS = frozenset({"", "[missing]", "[removed]"})
FIRST_SECOND, LAST_SECOND = 1_119_484_800, 4_102_444_800  # Reddit's founding (June 2005) to 2100
SCORE_LIMIT, NUMBER_LIMIT = 2**31, 2**53
_ID = re.compile(r"(t[13])_([A-Za-z0-9_]{1,20})")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Refused(ValueError):
    """The record cannot become a row; the argument is the reason's name."""


def text(record: Mapping[str, Any], name: str) -> str:
    """A required text, with lone surrogates replaced."""
    value = record.get(name)
    if value is None:
        raise Refused("missing_field")
    if not isinstance(value, str):
        raise Refused("wrong_type")
    return _SURROGATE.sub("\ufffd", value)


def full_id(record: Mapping[str, Any], kind: str) -> str:
    """The id with its kind; ``name`` is absent for years of comments, so ``id`` comes first."""
    return kinded(text(record, "id" if record.get("id") is not None else "name"), kind)


def kinded(value: str, kind: str | None) -> str:
    """Return ``value`` as ``t1_…`` or ``t3_…``; only an expected ``kind`` may be filled in."""
    full = value if kind is None or value.startswith(f"{kind}_") else f"{kind}_{value}"
    match = _ID.fullmatch(full)
    if match is None or match[2][:3] in ("t1_", "t3_"):
        raise Refused("wrong_type")
    return full


def author(record: Mapping[str, Any]) -> str:
    """The author's name; DELETED where the record names nobody."""
    name = record.get("author")
    nameless = name is None or (isinstance(name, str) and name in NAMELESS)
    return DELETED if nameless else text(record, "author")


def created(record: Mapping[str, Any]) -> int:
    """Unix seconds from an int, a float, a text of either, or milliseconds."""
    value = record.get("created_utc")
    if value is None:
        raise Refused("missing_field")
    seconds = _number(value)
    if seconds is None:
        raise Refused("wrong_type")
    if seconds >= FIRST_SECOND * 1000:
        seconds //= 1000
    if not FIRST_SECOND <= seconds < LAST_SECOND:
        raise Refused("out_of_range")
    return seconds


def score(record: Mapping[str, Any]) -> int | None:
    """Votes; None where they are unknown or no number."""
    value = _number(record.get("score"))
    return value if value is not None and abs(value) < SCORE_LIMIT else None


def distinguished(record: Mapping[str, Any]) -> str:
    """Whose office the author spoke in ("moderator", "admin"); "" for nobody's."""
    value = record.get("distinguished")
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def version(record: Mapping[str, Any]) -> tuple[int, int]:
    """When it was retrieved and edited (Unix s; 0 where unknown), by which copies of one id are ordered."""
    retrieved = _number(record.get("retrieved_on")) or _number(record.get("retrieved_utc")) or 0
    edited = _number(record.get("edited")) or 0
    return retrieved if abs(retrieved) < NUMBER_LIMIT else 0, edited if abs(edited) < NUMBER_LIMIT else 0


def _number(value: Any) -> int | None:
    """A whole number from an int, a finite float or a text of either; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            value = float(value) if len(value) <= 32 else None
        except ValueError:
            return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) else None
    return value if isinstance(value, int) else None
