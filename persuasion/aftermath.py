"""What authors add once they know how it went: edit notes, thanks for a delta, "you changed my view".

On one side only it would be a label in the text, so ``markdown.clean`` cuts it from posts and comments
alike. An edit note takes everything behind it along (10 % of posts on r/changemyview announce the delta
in one, and who won it); an announcement takes its sentence. ``residue`` checks the result with patterns
of its own; these here must be wider than those. Pure; every pattern is linear in the text.

Does not know: whether a change of view is this thread's or an old one. The sentence goes either way.
"""

import re
from collections.abc import Iterable

PASSES = 16

_AGAIN = (
    r"(?:(?:(?:yet[ ])?another|big|final|first|huge|important|last|late|major|mini|minor|my|new|ninja|one[ ]more|quick"
    r"|second|short|slight|small|third)[ -])?"
)
_NUMBER = r"[ ]?(?:[#(]?[ ]?\d{1,3})?"
_LINE = re.compile(
    rf"""^(?:[^\w\n]|_){{0,12}}(?:
        {_AGAIN}(?:EDIT(?:T?ED|S)?|UPDATE[DS]?|ADDENDUM)\b                             # EDIT thanks all
      | (?i:{_AGAIN}(?:edit(?:t?ed|s|ing)?|updated?|addendum){_NUMBER}
            [*_~\])( ]{{0,6}}(?:[-:;.!*_~\])–—=,：]|$))                                 # Edit 2:, **edit**
      | (?i:edit(?:t?ed|ing)?[ ](?:to[ ]add|to|for|because|post|after|based|in[ ]response|since|thanks|thank)\b)
      | (?i:{_AGAIN}edit[ ]?\#?[ ]?\d)                                                 # edit 2 I agree
      | (?<=[*_(\[])(?i:edit\b)                                                          # **edit spelling
      | ETA[ ]?:
    )""",
    re.MULTILINE | re.VERBOSE,
)
_WITHIN = re.compile(
    r"\bEDIT\b ?#?\d{0,3}(?:[*_]{1,3}| ?[-:–—])|(?<=[.!?)~*\"] )[*_]{0,3}(?:[Ee]dit(?:ed)? ?#?\d{0,3}[*_]{0,3} ?:|ETA:)"
    r"|\b[Ee]dit ?#?\d{0,3}:(?=\s)"
)
_NOTE = r"[*_]{0,3}(?:edit(?:ed)?|update)\b"
_SAYS = r"[^\w()\[\]\n]*+\d*+[^\w()\[\]\n]*+(?=[^\W\d_])"
_ASIDE = re.compile(rf"\({_NOTE}{_SAYS}[^()\n]*+\)|\[{_NOTE}{_SAYS}[^\[\]\n]*+\]", re.IGNORECASE)
_INLINE_ASIDE = re.compile(
    rf"(?<=[^\s>*_(\[])[ ]?(?:{_ASIDE.pattern}|[(\[]{_NOTE}[ ]?\#?\d{{0,3}}[*_:]{{0,3}}[)\]])", re.IGNORECASE
)
_NOTES = ("edit", "update", "addendum")  # and ETA, in capitals

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]*|[.!?;]+|\n")
_EMPHASIS = str.maketrans({"_": " ", "’": "'"})

_TO = r"[^\w.!?\n]*+(?:\n[^\w.!?\n]*+)?+"  # from one word to the next of its sentence, over one line break at most
_ANY = rf"[\w']++{_TO}"
_OPINION = r"(?:views?|viewpoints?|minds?|opinions?|stances?|positions?|perspectives?|beliefs?)\b"
_TURNED = r"(?:changed|shifted|altered|swayed|flipped|revised|reversed|broadened|softened)\b"
_THERE = rf"{_TO}(?:{_ANY}){{0,3}}"
_ANNOUNCEMENT = re.compile(
    rf"""!?\ ?[∆Δ△\U0001d6ab\U0001d6e5\U0001d71f\U0001d759\U0001d793] | &?\#(?:8710|916|x2206|x394)\b
      | ![ \n]?delta | (?<![a-z])delta(?:s|ed|ing|'?d|'s|(?:bot|log|board|worthy)[a-z]*)?(?![a-z])
      | \bpoints?{_TO}awarded\b
      | \b{_TURNED}{_TO}(?:{_ANY}){{0,6}}(?:my|our|your|op'?s?)\b{_THERE}{_OPINION}
      | \b{_OPINION}(?:'(?:s|ve|d)\b|{_TO}(?:{_ANY}){{0,2}}(?:has|have|had|is|are|was|were|been|got|gotten|now|just)\b)
            {_TO}(?:(?!to\b|be\b){_ANY}){{0,5}}{_TURNED}
      | \b{_OPINION}{_TO}(?:{_ANY}){{0,2}}been{_TO}change\b
      | (?:\A|(?<=\n)|(?<=[^\w\s']))\ *+(?:(?:ok|okay|so|well|alright|and|but|then|yes|yep|my|op'?s){_TO}){{0,3}}
            {_OPINION}{_TO}(?:{_ANY}){{0,2}}{_TURNED}
      | \bconsider\w*{_THERE}{_OPINION}{_TO}(?:{_ANY}){{0,3}}{_TURNED}
      | \b(?:made|makes|making|got|led|forced|caused|helped){_TO}me{_THERE}
            (?:reconsider|rethink|(?:change|shift|alter)\b{_THERE}{_OPINION})
      | \byou(?:'ve|'all)?{_TO}(?:(?!not\b|never\b|\w*n't\b){_ANY}){{0,5}}(?:convinced|persuaded|swayed|sold){_TO}me\b
      | \b(?:am|been|was|were|now|i'm|have|me){_TO}(?:{_ANY}){{0,2}}(?:convinced|persuaded|swayed){_TO}otherwise\b
      | \bstand{_TO}(?:{_ANY})?corrected\b
      | \bthank\w*{_TO}(?:{_ANY}){{0,8}}chang(?:ing|ed)\b{_THERE}{_OPINION}
      | \b(?:glad|happy|pleased|proud){_TO}(?:{_ANY}){{0,7}}(?:chang|help|sway|shift)\w*{_THERE}your\b{_THERE}{_OPINION}
    """,
    re.IGNORECASE | re.VERBOSE,
)
# in every announcement stands one of the signs, or a turn with a view; to look for them first is ten times as fast
_SIGNS = (
    "delta", "∆", "δ", "△", "\U0001d6ab", "\U0001d6e5", "\U0001d71f", "\U0001d759", "\U0001d793", "#8710", "#916",
    "#x2206", "#x394", "awarded", "convinc", "persuad", "sway", "sold", "rethink", "reconsider", "corrected",
)  # fmt: skip
_TURNS = ("chang", "shift", "alter", "flip", "revised", "reversed", "broaden", "soften", "help")
_VIEWS = ("view", "mind", "opinion", "stance", "position", "perspective", "belief")


def without_edits(text: str) -> str:
    """Cut from the first EDIT or UPDATE on; one that opens the text takes only its own line along.

    Notes in brackets within a line go alone.
    """
    lower = text.lower()
    if not _any(_NOTES, lower) and "ETA" not in text:
        return text
    text = _INLINE_ASIDE.sub("", text)
    marks = [mark.start() for pattern in (_LINE, _WITHIN) if (mark := pattern.search(text))]
    if not marks:
        return text
    before, after = text[: min(marks)], text[min(marks) :]
    if any(map(str.isalnum, before)):
        return before
    aside = _ASIDE.match(after.lstrip())
    return after.lstrip()[aside.end() :] if aside else after.partition("\n")[2]


def without_announcements(text: str) -> str:
    """Drop every sentence that speaks of a delta or of a view that has changed; paragraphs stay apart."""
    return "\n\n".join(map(_silent, text.split("\n\n")))


def _silent(paragraph: str) -> str:
    """A paragraph without announcements.

    Repeated until none is left, as a gap may join two halves; a paragraph that still unfolds after
    ``PASSES`` passes is hostile and becomes "".
    """
    folded = paragraph.casefold().replace("i\u0307", "i").replace("ı", "i")  # as IGNORECASE compares
    if not (_any(_SIGNS, folded) or (_any(_TURNS, folded) and _any(_VIEWS, folded))):
        return paragraph
    for _ in range(PASSES):
        spans = [found.span() for found in _ANNOUNCEMENT.finditer(paragraph.translate(_EMPHASIS))]
        if not spans:
            return paragraph
        paragraph = _without(spans, paragraph)
    return ""


def _any(stems: Iterable[str], text: str) -> bool:
    return any(stem in text for stem in stems)


def _without(spans: list[tuple[int, int]], text: str) -> str:
    """``text`` without the sentences that ``spans`` (in order, apart) touch."""
    kept, next_span = [], 0
    for sentence in _SENTENCE.finditer(text):
        while next_span < len(spans) and spans[next_span][1] <= sentence.start():
            next_span += 1
        if next_span == len(spans) or spans[next_span][0] >= sentence.end():
            kept.append(sentence[0])
    return "".join(kept)
