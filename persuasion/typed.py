"""Build typed sections out of a plain tree, and say exactly what is wrong where they do not fit."""

from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from persuasion.errors import UsageFailure


class OutOfRange(ValueError):
    """A value of the right type that its section refuses: names the field and what is allowed."""

    def __init__(self, field: str, allowed: str) -> None:
        super().__init__(allowed)
        self.field = field


def refuse(field: str, allowed: str, *, unless: bool) -> None:
    """Raise OutOfRange for ``field`` unless the condition holds."""
    if not unless:
        raise OutOfRange(field, allowed)


def section(kind: type, tree: Any, dotted: str, file: Path) -> Any:
    """Build the dataclass ``kind`` from the mapping ``tree`` found at ``dotted``."""
    if not isinstance(tree, dict):
        raise _wrong(file, dotted or "the top level", "a section with keys", tree)
    hints = get_type_hints(kind)
    for key in tree:
        if key not in hints:
            close = get_close_matches(str(key), hints, n=1)
            hint = f'did you mean "{_join(dotted, close[0])}"?' if close else f"known keys: {', '.join(hints)}"
            raise UsageFailure(f"unknown parameter {_join(dotted, key)}", where=file, fix=hint)
    for field in fields(kind):
        if field.name not in tree:
            raise UsageFailure(f"missing parameter {_join(dotted, field.name)}", where=file, fix="add it")
    values = {name: _value(hint, tree[name], _join(dotted, name), file) for name, hint in hints.items()}
    try:
        return kind(**values)
    except OutOfRange as error:
        place = _join(dotted, error.field)
        raise _wrong(file, place, str(error), tree.get(error.field)) from None


def _value(hint: Any, value: Any, dotted: str, file: Path) -> Any:
    """Check one value against its annotation; an int serves where a float is due, nothing else bends."""
    if is_dataclass(hint):
        return section(hint, value, dotted, file)  # type: ignore[arg-type]
    options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    for option in options:
        if get_origin(option) is Literal and value in get_args(option) and isinstance(value, str):
            return value
        if get_origin(option) is tuple and isinstance(value, list):
            item = get_args(option)[0]
            if all(type(one) is item or (item is float and type(one) is int) for one in value):
                return tuple(map(item, value))
        if option is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(option, type) and type(value) is option:
            return value
    raise _wrong(file, dotted, " or ".join(map(_described, options)), value)


def _described(option: Any) -> str:
    if get_origin(option) is Literal:
        return " | ".join(get_args(option))
    if get_origin(option) is tuple:
        return "a list of numbers" if get_args(option)[0] is float else "a list of texts"
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", NoneType: "null"}
    return words[option]


def _wrong(file: Path, dotted: str, expected: str, got: Any) -> UsageFailure:
    return UsageFailure(f"{dotted} is {got!r}", where=file, why=f"expected {expected}", fix="correct the value")


def _join(dotted: str, key: object) -> str:
    return f"{dotted}.{key}" if dotted else str(key)
