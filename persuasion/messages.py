"""A chat message, as other programs write them, to the one text that it holds.

Read are a plain text, a message ``{"role", "content"}`` or ``{"from", "value"}``, and a list of one
message. A pair has one post and one reply: a conversation of more turns, or one with a system
message, is refused by name, since any way to flatten it would be a guess.
"""

from collections.abc import Mapping
from typing import Any

PROMPT, COMPLETION = ("user", "human"), ("assistant", "gpt")
_KEYS = (("role", "content"), ("from", "value"))


class Odd(ValueError):
    """A value is not what it must be: the ``field``, what was ``got`` there, what was ``expected``."""

    def __init__(self, field: str, got: str, expected: str) -> None:
        super().__init__(f"{field} is {got}")
        self.field, self.got, self.expected = field, got, expected


def text_of(value: Any, field: str, roles: tuple[str, ...]) -> str:
    """The text of a value whose message, if it is one, is by one of ``roles``. Raises Odd."""
    if isinstance(value, list):
        if len(value) != 1:
            expected = f"one message by the {roles[0]}: conversations of several turns are not read"
            raise Odd(field, f"a list of {len(value)}", expected)
        value, field = value[0], f"{field}[0]"
        if not isinstance(value, dict):
            raise Odd(field, kind(value), "a message with role and content")
    return _content(value, field, roles) if isinstance(value, dict) else plain_text(value, field)


def plain_text(value: Any, field: str) -> str:
    """A value that is a text, with lone surrogates replaced. Raises Odd."""
    if not isinstance(value, str):
        raise Odd(field, kind(value), "a text")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def kind(value: Any) -> str:
    """What a value is, in a word."""
    return "nothing" if value is None else type(value).__name__


def _content(message: Mapping[str, Any], field: str, roles: tuple[str, ...]) -> str:
    role_key, content_key = next((keys for keys in _KEYS if keys[0] in message), _KEYS[0])
    role = message.get(role_key)
    if role not in roles:
        got = f"{role[:40]!a}" if isinstance(role, str) else kind(role)
        raise Odd(f"{field}.{role_key}", got, " or ".join(roles))
    return plain_text(message.get(content_key), f"{field}.{content_key}")
