"""Reddit's markdown to plain prose, with the verdict scrubbed out of it: a view of the raw body, which stays as it is.

``clean`` treats posts and comments alike: an edit, a thank-you or a delta left on one side only would be
a label in the text (``aftermath``). Names, addresses, numbers and URLs become the words of ``masking``.
Pure; knows nothing of threads or labels. Every pattern is linear in the text: bodies are hostile input.

That no cleaned text announces the verdict: the last step that drops words is ``without_announcements``,
which ends only when its patterns find nothing; what follows shortens white space, to which they are
blind; and they find all that ``residue`` finds, which tests check by drawing from its patterns.
"""

import html
import re
from collections.abc import Callable
from html.entities import html5

from persuasion.aftermath import without_announcements, without_edits
from persuasion.masking import WORDS, masked

PASSES = 16

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160"
    "\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_WIDE = "\t\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_BLANK = re.compile(f" [ {_WIDE}]+|[{_WIDE}][ {_WIDE}]*")  # all but a single plain one, which most are
_LINE_MARGIN = re.compile(" ?\n ?")
_GAP = re.compile("\n{3,}")

_AMPERSANDS = re.compile(r"&(?:(?:amp|#0{0,4}38|#[xX]0{0,4}26);)+", re.IGNORECASE)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

_QUOTE = re.compile(r"^ ?>(?!!)[^\n]*$", re.MULTILINE)
_SPOILER = re.compile(r">!|!<")
_MARKS = "-*_=~#> "  # a line of nothing else is a rule
_OPENING = ("*", "_", "~", "(", "[")
_DANGLING = re.compile(r" [*_~(\[]{1,4}\Z")
_FOOTNOTE = re.compile(
    r"(?:[*_^]{1,4} ?)?(?:hello,? users of (?:cmv|/?r/changemyview)"
    r"|(?:this is )?a footnote from (?:your|the|the cmv) mod(?:erator)?s"
    r"|please leave the footnote below the following line)"
    r"(?:.{0,3000}?happy cmving[!*_.]{0,6}|[^\n]*)",
    re.IGNORECASE | re.DOTALL,
)
_FAREWELL = re.compile(r"^[^\w\n]*happy cmving[^\w\n]*$", re.IGNORECASE | re.MULTILINE)  # of a footnote

_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,2000})\]\([^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?(?: [^()\n]{0,200})?\)"
)
_AUTOLINK = re.compile(rf"<({'|'.join(WORDS)})>")

_CMV = r"(?:cmv|change my view)"
_CMV_AROUND = re.compile(
    rf"^[\s\[({{*]*{_CMV}\b[\s\])}}*:;,.!?|–—-]*|(?:^|[\s\[({{*:;,|–—-])(?:please )?{_CMV}[\s\])}}*.!?]*$",
    re.IGNORECASE,
)
_FLAIR = re.compile(r"\[[^\[\]]{0,60}(?:[∆Δ]|delta)[^\[\]]{0,60}\]|[∆Δ]|!delta\b", re.IGNORECASE)


def clean(text: str) -> str:
    """Return a post's or comment's own prose, without quotes, footnote, edits, verdict, names and URLs.

    Idempotent. A text that is still unfolding after ``PASSES`` passes (entities in entities, links in
    links) is hostile and becomes "".
    """
    return _settled(text, _scrubbed)


def clean_title(title: str) -> str:
    """Return a title as ``CMV: …`` wherever its author put the "CMV", or "" when nothing else is left."""
    bare = _settled(title, _scrubbed_title)
    return f"CMV: {bare}" if bare else ""


def unescaped(text: str) -> str:
    """Return ``text`` with one more layer of HTML entities undone; Reddit dumps carry up to two."""
    return _ENTITY.sub(_character, _AMPERSANDS.sub("&", text)) if "&" in text else text


def visible(text: str) -> str:
    """Return ``text`` with Unix line ends, plain blanks and no zero-width, bidi or control characters."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return _BLANK.sub(" ", text) if "  " in text else text  # as it is for most texts
    return _BLANK.sub(" ", _LINE_END.sub("\n", _INVISIBLE.sub("", text)))


def _settled(text: str, step: Callable[[str], str]) -> str:
    """Repeat ``step`` until nothing changes, so that cleaning twice equals cleaning once."""
    for _ in range(PASSES):
        after = step(text)
        if after == text:
            return text
        text = after
    return ""


def _scrubbed(text: str) -> str:
    text = _trimmed(visible(unescaped(text)))
    text = _without_footnote(_QUOTE.sub("", text) if ">" in text else text)
    text = without_edits(_without_names(_SPOILER.sub("", text) if "!" in text else text))
    text = without_announcements(_without_rules(text))
    return _GAP.sub("\n\n", _trimmed(_BLANK.sub(" ", text) if "  " in text else text)).strip()


def _scrubbed_title(title: str) -> str:
    title = _without_names(visible(unescaped(title)).replace("\n", " "))
    return " ".join(_CMV_AROUND.sub("", _FLAIR.sub("", title).strip()).split()).lstrip("])}*:;,.!?|–—- ")


def _trimmed(text: str) -> str:
    """Lines without blanks around them."""
    return _LINE_MARGIN.sub("\n", text) if " \n" in text or "\n " in text else text


def _without_rules(text: str) -> str:
    """Empty lines where there were rules, and no mark that is left at a line's end."""
    lines = [line if line.strip(_MARKS) else "" for line in text.split("\n")]
    return "\n".join(_DANGLING.sub("", line) if line.endswith(_OPENING) else line for line in lines)


def _without_footnote(text: str) -> str:
    lower = text.lower()
    text = _FOOTNOTE.sub("", text) if "footnote" in lower or "users of" in lower else text
    return _FAREWELL.sub("", text) if "cmving" in lower else text


def _without_names(text: str) -> str:
    """Mask names, addresses, numbers and URLs; a link keeps its text."""
    text = masked(text)
    text = _AUTOLINK.sub(r"\1", text) if "<" in text else text
    return _LINK.sub(r"\1", text) if "](" in text else text


def _character(entity: re.Match[str]) -> str:
    known = entity[1].startswith("#") or f"{entity[1]};" in html5
    return html.unescape(entity[0]) if known else entity[0]
