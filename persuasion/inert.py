"""Hostile text made inert: what Reddit users or a model wrote can neither run, link nor rearrange a page."""

import re
from unicodedata import category

from markupsafe import Markup

ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\^_])")
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
SPECIAL = re.compile(r"([\\`*_\[\]#|~!])")
LEADING = re.compile(r"^([-+=]|\d+(?=[.)]))")
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;", "://": "&#58;//", "www.": "www&#46;"}


def clean(text: str) -> str:
    """Text without terminal sequences, control and direction-changing characters, or lone surrogates."""
    return INVISIBLE.sub("", ANSI.sub("", text.replace("\r\n", "\n")))


def visible(text: str) -> str:
    """Text with every character but the newline that has no look of its own written out, as in ``⟨U+202E⟩``.

    Control and format characters, lone surrogates, private use, unassigned, line and paragraph separators.
    """
    return "".join(f"⟨U+{ord(one):04X}⟩" if _unseen(one) else one for one in text)


def _unseen(one: str) -> bool:
    return one != "\n" and category(one) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def markdown(value: object) -> str:
    """One line that Markdown, and HTML or Liquid inside it, shows as it reads; Markup passes as it is."""
    if isinstance(value, Markup):
        return str(value)
    text = SPECIAL.sub(r"\\\1", " ".join(clean(str(value)).split()))
    for plain, entity in ENTITIES.items():
        text = text.replace(plain, entity)
    return text


def quoted(text: str) -> Markup:
    """A Markdown block quote, made inert line by line; a zero-width entity keeps a line from starting a list."""
    lines = (LEADING.sub(r"&#8203;\1", markdown(line)) for line in clean(text).split("\n"))
    return Markup("\n".join(f"> {line}".rstrip() for line in lines))  # noqa: S704
