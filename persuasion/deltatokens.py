"""Delta tokens: whether a comment's own words, outside quotes and code, hold a ∆, Δ or !delta that is meant.

Pure; knows nothing of threads, authors or bots.
"""

import re

from persuasion.markdown import unescaped

_TOKEN = re.compile(r"[∆Δδ]|!delta\b|&916;", re.IGNORECASE)  # delta-bot-three took &delta; and the misspelt &916; too
_CALL = re.compile(r"![dD]")
_SPELT = re.compile(r"&(?:amp;)*(?:#(?!x200B;)|916;|delta;|excl;|num;|semi;)", re.IGNORECASE)  # part of a token, or all
TOKEN_SIGNS = b"!&" + "∆".encode()[2:] + "Δ".encode()[:1]  # bytes of which any text with a token holds one
_LINE_END = re.compile(r"\r\n?|\n")
_QUOTE = re.compile(r" {0,3}>")
_CODE = re.compile(r" {4}|\t")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`{1,9})(?!`).{0,2000}?(?<!`)\1(?!`)", re.DOTALL)
_FILLERS = (
    r"(?:(?:an?|able|actually|any|argument|be|been|comment|enough|even|fully|going|gonna|i|is|it|just|point|quite|ready"
    r"|really|sure|that|think|this|to|want|was|willing|yet|you(?:['’]?ve|r)?)\s){0,5}"
)
_NEGATED = re.compile(
    rf"(?:(?:n['’]t|\b(?:don|won|can|wouldn|didn|doesn|haven|isn)t|\bnot|\bnever|\bcannot|\brefuse)\s{_FILLERS}"
    r"(?:giv|award|worth|deserv|earn)\w{0,10}(?:\s(?!(?:but|so|here|easily|lightly|often|yet)\b)[\w'’/-]{1,20}){0,5}"
    r"|\bnot an?|\bno)[\s\"“'*_(]{1,4}$",
    re.IGNORECASE,
)


def has_token(body: str) -> bool:
    """Whether a comment holds a delta token of its own: outside quotes and code."""
    return _TOKEN.search(_own_words(body)) is not None


def may_bear_token(body: str) -> bool:
    """Whether ``has_token`` is worth asking: true wherever that is, false for most other texts, and quick."""
    if not body.isascii() and ("∆" in body or "Δ" in body or "δ" in body):
        return True
    if "!" in body and _CALL.search(body):  # one character is found far sooner than two
        return True
    return "&" in body and _SPELT.search(body) is not None


def negated(body: str) -> bool:
    """Whether there are tokens, each in a "won't give a …". A rule of thumb, for where no bot decided."""
    text = _own_words(body)
    refused = (_NEGATED.search(text, max(0, mark.start() - 200), mark.start()) for mark in _TOKEN.finditer(text))
    return has_token(body) and all(refused)


def _own_words(body: str) -> str:
    """A comment without quotes and code. A quote runs on to the next blank line; four blanks begin code."""
    own, fence, quoted = [], "", False
    for line in _LINE_END.split(unescaped(unescaped(body))):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
            continue
        fence = mark[1] if mark else ""
        quoted = bool(line.strip() and not mark and (quoted or _QUOTE.match(line)))
        own.append("" if mark or quoted or _CODE.match(line) else line.rstrip())
    return "\n\n".join(_CODE_SPAN.sub("", paragraph) for paragraph in "\n".join(own).split("\n\n"))
