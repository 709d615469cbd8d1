"""Does a text still announce the verdict? Asked of what cleaning left and of finished pairs.

The check on ``aftermath``, which cuts announcements out of texts: it shares no pattern and no import with
it, so that a fault in one does not blind the other, and asks for fewer words, so that whatever is found
here is cut there. That inclusion is no theorem: ``tests/test_markdown.py`` draws texts from each of
``FORMS`` and demands that none survives ``markdown.clean``. What does survive some day is dropped by the
stage ``pair`` and counted as ``label_residue``.

Does not know: who speaks, or of what. "Delta" the airline and an opinion that changed years ago count too.
"""

import re

_MARKUP = re.compile('[*_~`^\\\\"“”]')
_SPACE = re.compile(r"\s{2,}|[^\S ]")  # all but a single blank, which most are and which stays one

_S = "[ \n]"  # a blank or a soft line break, not the end of a paragraph
_VIEW = r"(?:views?|minds?|opinions?|stances?|positions?|perspectives?)\b"
_CHANGED = r"(?:changed|shifted|altered|swayed|flipped)\b"
_SHARE = rf"(?:(?:lot|bit|part|parts|half|some|most|much|all|aspects?){_S}of{_S})?"
FORMS = (
    r"[∆Δ△\U0001d6ab\U0001d6e5\U0001d71f\U0001d759\U0001d793]|#(?:8710|916|x2206|x394)\b",
    rf"!{_S}?delta|\bdelta(?:s|ed|'d)?\b|\bdelta{_S}?(?:bot|log|board)",
    rf"\bpoints?{_S}awarded{_S}to\b",
    rf"\b{_CHANGED}{_S}(?:\w+{_S}){{0,2}}{_SHARE}(?:my|your|op'?s){_S}(?:\w+{_S})?{_VIEW}",
    rf"\b{_VIEW}(?:{_S}(?:has|have|had|is|are|was|were|been|got|now)|'(?:s|ve))"
    rf"(?:{_S}(?!to\b|be\b|being\b)\w+(?:'\w+)?){{0,3}}?{_S}{_CHANGED}",
    rf"(?:^|[.!?:;(\n]) ?(?:my{_S})?{_VIEW}{_S}(?:\w+ly{_S})?{_CHANGED}",
    rf"\bconsider(?:ed)?{_S}(?:my|this|that){_S}(?:\w+{_S})?{_VIEW}{_S}(?:\w+{_S}){{0,2}}{_CHANGED}",
    rf"\b(?:made|makes|making|got){_S}me{_S}(?:to{_S})?(?:\w+{_S})?(?:change|shift|reconsider|rethink){_S}my{_S}{_VIEW}",
    rf"\byou(?:'ve|{_S}have|{_S}guys|{_S}all){{0,3}}{_S}(?:\w+ly{_S})?(?:convinced|persuaded){_S}me\b",
    rf"\b(?:am|been|was|were|now|i'm){_S}(?:\w+ly{_S})?(?:convinced|persuaded){_S}otherwise\b",
    rf"\bi{_S}stand{_S}corrected\b",
    rf"\bthank(?:s|{_S}you){_S}(?:\w+{_S}){{0,4}}for{_S}(?:\w+{_S})?changing{_S}my{_S}{_VIEW}",
    rf"\b(?:glad|happy){_S}(?:that{_S})?(?:i|we|to){_S}(?:\w+{_S}){{0,2}}(?:changed?|helped){_S}(?:\w+{_S})?"
    rf"your{_S}{_VIEW}",
)
_ANNOUNCED = re.compile("|".join(FORMS), re.IGNORECASE)
# one of these stands in whatever a form finds; most texts hold none, and looking for them is ten times as fast
_STEMS = (
    "∆", "δ", "△", "\U0001d6ab", "\U0001d6e5", "\U0001d71f", "\U0001d759", "\U0001d793", "#", "delta", "awarded",
    "chang", "shift", "alter", "sway", "flip", "reconsider", "rethink", "convinc", "persuad", "corrected", "helped",
)  # fmt: skip


def announces_delta(text: str) -> bool:
    """Whether a cleaned text still gives the verdict away: a delta, or a view said to have changed.

    Strict by design, blind to emphasis and line breaks. Asking ("change my view") is no verdict.
    """
    plain = _MARKUP.sub(" ", text).replace("’", "'").strip()
    folded = plain.casefold().replace("i\u0307", "i").replace("ı", "i")  # as IGNORECASE compares
    if not any(stem in folded for stem in _STEMS):
        return False
    return _ANNOUNCED.search(_SPACE.sub(_gap, plain)) is not None


def _gap(space: re.Match[str]) -> str:
    """One blank, one line break or one paragraph's end."""
    return "\n" * min(space[0].count("\n"), 2) or " "
