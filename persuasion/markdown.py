"""Reddit's markdown to plain prose, with the verdict scrubbed out of it.

``clean`` treats posts and comments alike: an edit, a thank-you or a delta left on one side only
would be a label in the text. ``announces_delta`` checks the residue and shares no pattern with
``clean``, so that a fault in one does not blind the other. Pure; knows nothing of threads or labels.
Every pattern is linear in the text: bodies are hostile input.
"""

import html
import re
from collections.abc import Callable
from html.entities import html5

PASSES = 16
SOMEONE = "someone"

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK = re.compile("[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_LINE_MARGIN = re.compile(" ?\n ?")
_GAP = re.compile("\n{3,}")

_AMPERSANDS = re.compile(r"&(?:(?:amp|#0{0,4}38|#[xX]0{0,4}26);)+", re.IGNORECASE)
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")

_QUOTE = re.compile(r"^ ?>(?!!)[^\n]*$", re.MULTILINE)
_SPOILER = re.compile(r">!|!<")
_RULE = re.compile(r"^[-*_=~#> ]*$", re.MULTILINE)
_DANGLING = re.compile(r" [*_~(\[]{1,4}$", re.MULTILINE)
_FOOTNOTE = re.compile(
    r"(?:hello,? users of cmv|(?:this is )?a footnote from (?:your|the|the cmv) moderators"
    r"|please leave the footnote below the following line)"
    r"(?:.{0,4000}?happy cmving[!*_.]{0,6}|[^\n]*)",
    re.IGNORECASE | re.DOTALL,
)

_LINK = re.compile(
    r"!?\[([^\[\]\n]{0,2000})\]\([^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?(?: [^()\n]{0,200})?\)"
)
_URL = re.compile(r"<?(?:https?://(?:www\.)*|\b(?:www\.)+)([\w.-]{1,253})[^\s)\]>]*>?", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w/])/?u/[\w\\-]{2,40}", re.IGNORECASE)

_AGAIN = r"(?:(?:another|big|final|first|huge|important|last|late|major|minor|quick|second|small|third)[ ])?"
_NUMBER = r"[ ]?(?:\#?[ ]?\d{1,3})?"
_EDIT_LINE = re.compile(
    rf"""^(?:[^\w\n]|_){{0,12}}(?:
        {_AGAIN}(?:EDIT(?:ED|S)?|UPDATE[DS]?)\b                                        # EDIT thanks all
      | (?i:{_AGAIN}(?:edit(?:ed|s)?|updated?){_NUMBER}[*_~\])( ]{{0,6}}(?:[-:;.!*_~\])–—=,]|$))  # Edit 2:, **edit**
      | (?i:edit(?:ed)?[ ](?:to|for|because|post)\b)                                   # Edited for clarity
      | (?i:{_AGAIN}edit[ ]?\#?[ ]?\d)                                                 # edit 2 I agree
      | (?<=[*_(\[])(?i:edit\b)                                                          # **edit spelling
      | ETA[ ]?:
    )""",
    re.MULTILINE | re.VERBOSE,
)
_EDIT_WITHIN = re.compile(
    r"\bEDIT\b ?#?\d{0,3}(?:[*_]{1,3}| ?[-:–—])|(?<=[.!?)~*\"] )[*_]{0,3}[Ee]dit ?#?\d{0,3}[*_]{0,3} ?:", re.MULTILINE
)
_EDIT_ASIDE = re.compile(r"(?:\([*_]{0,3}(?:edit|update)\b[^()\n]*\)|\[[*_]{0,3}(?:edit|update)\b[^\[\]\n]*\])", re.I)

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*|[.!?]+|\n")
_TOKEN = re.compile(r"!delta", re.IGNORECASE)
_DELTA = re.compile(r"[∆Δ]|(?<![a-z])deltas?(?![a-z])|deltabot", re.IGNORECASE)

_CMV = r"(?:cmv|change my view)"
_CMV_AROUND = re.compile(
    rf"^[\s\[({{*]*{_CMV}\b[\s\])}}*:;,.!?|–—-]*|(?:^|[\s\[({{*:;,|–—-])(?:please )?{_CMV}[\s\])}}*.!?]*$",
    re.IGNORECASE,
)
_FLAIR = re.compile(r"\[[^\[\]]{0,60}(?:[∆Δ]|delta)[^\[\]]{0,60}\]|[∆Δ]|!delta\b", re.IGNORECASE)

_VIEW = r"(?:views?|minds?|opinions?|stances?|positions?|perspectives?)"
_VERDICT = re.compile(
    rf"""[∆Δ] | !\s?delta | \bdeltas?\b | delta\s?bot
      | \b(?:changed|shifted|altered|swayed|flipped)\s(?:\w+\s){{0,2}}(?:my|op['’]?s)\s(?:\w+\s)?{_VIEW}\b
      | \b{_VIEW}(?:\s(?:has|have|had|is|are|was|were|been|got|now)|['’](?:s|ve))
            (?:\s\w+(?:['’]\w+)?){{0,3}}?\s(?:changed|shifted|altered|swayed|flipped)\b
      | (?:^|[.!?:;*(\[\n]\s?)(?:my\s)?{_VIEW}\s(?:\w+ly\s)?(?:changed|altered|shifted)\b
      | \byou(?:['’]ve|\shave|\sguys|\sall)*\s(?:\w+ly\s)?(?:convinced|persuaded)\sme\b
      | \b(?:glad|happy)\s(?:that\s)?(?:i|we|to)\s(?:\w+\s){{0,2}}(?:changed?|helped)\s(?:\w+\s)?your\s{_VIEW}\b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def clean(text: str) -> str:
    """Return a post's or comment's own prose, without quotes, footnote, edits, deltas, names and URLs.

    Idempotent. A text that is still unfolding after ``PASSES`` passes (entities in entities, links in
    links) is hostile and becomes "".
    """
    return _settled(text, _scrubbed)


def clean_title(title: str) -> str:
    """Return a title as ``CMV: …`` wherever its author put the "CMV", or "" when nothing else is left."""
    bare = _settled(title, _scrubbed_title)
    return f"CMV: {bare}" if bare else ""


def announces_delta(text: str) -> bool:
    """Whether a cleaned text still gives the verdict away: a delta, or a view said to have changed.

    Strict by design: "Delta" the airline counts too. Asking ("change my view") is no verdict.
    """
    return _VERDICT.search(text) is not None


def unescaped(text: str) -> str:
    """Return ``text`` with one more layer of HTML entities undone; Reddit dumps carry up to two."""
    return _ENTITY.sub(_character, _AMPERSANDS.sub("&", text))


def visible(text: str) -> str:
    """Return ``text`` with Unix line ends, plain blanks and no zero-width, bidi or control characters."""
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
    text = _LINE_MARGIN.sub("\n", visible(unescaped(text)))
    text = _FOOTNOTE.sub("", _QUOTE.sub("", text))
    text = _without_edits(_SPOILER.sub("", text))
    text = _without_names(text)
    text = _without_deltas(text)
    text = _DANGLING.sub("", _RULE.sub("", text))
    return _GAP.sub("\n\n", _LINE_MARGIN.sub("\n", _BLANK.sub(" ", text))).strip()


def _scrubbed_title(title: str) -> str:
    title = _without_names(visible(unescaped(title)).replace("\n", " "))
    return " ".join(_CMV_AROUND.sub("", _FLAIR.sub("", title).strip()).split()).lstrip("])}*:;,.!?|–—- ")


def _without_names(text: str) -> str:
    """Keep a link's text, a URL's domain, and no user name."""
    return _MENTION.sub(SOMEONE, _URL.sub(r"\1", _LINK.sub(r"\1", text)))


def _without_edits(text: str) -> str:
    """Cut from the first EDIT or UPDATE on; one that opens the text takes only its own line along."""
    marks = [mark.start() for pattern in (_EDIT_LINE, _EDIT_WITHIN) if (mark := pattern.search(text))]
    if not marks:
        return _EDIT_ASIDE.sub("", text)
    before, after = text[: min(marks)], text[min(marks) :]
    if before.strip():
        return before
    aside = _EDIT_ASIDE.match(after.lstrip())
    return after.lstrip()[aside.end() :] if aside else after.partition("\n")[2]


def _without_deltas(text: str) -> str:
    """Drop every sentence that speaks of a delta."""
    return "".join(sentence for sentence in _SENTENCE.findall(_TOKEN.sub("∆", text)) if not _DELTA.search(sentence))


def _character(entity: re.Match[str]) -> str:
    known = entity[1].startswith("#") or f"{entity[1]};" in html5
    return html.unescape(entity[0]) if known else entity[0]
