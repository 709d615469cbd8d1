"""Identities out of raw Reddit markdown: mentions, e-mail addresses, phone numbers and URLs become one word each.

Applied to bodies before they are stored, so it must leave everything else byte for byte: entities,
quotes, footnotes and links' texts are ``markdown``'s to read later. A link keeps its text,
``[text](https://…)`` becoming ``[text](URL)``. A subreddit (r/changemyview) is no identity; a permalink
is a URL, and a profile written as one (``https://reddit.com/user/…``) too.

``@name`` counts as an account wherever no letter or digit stands before the ``@`` and a letter after it,
so "@noon" is lost and "Nick@Night" is not. A phone number has 7 digits or more: with a ``+`` (ITU-T
E.164), as 3-3-4 with separators (North America), with a trunk 0 and separators, or as 3-4 after a word like "call".
``hiding`` does the same to a column, looking at suspicious rows only.

Does not know: names in prose, addresses spelled out ("me at example dot org"), digits of an identity
written as words, names hidden behind entities (``&#47;u&#47;…``; ``markdown.clean`` undoes those first).
"""

import re
from collections.abc import Callable
from functools import partial

USER, EMAIL, PHONE, URL = "USER", "EMAIL", "PHONE", "URL"
WORDS = (USER, EMAIL, PHONE, URL)
PASSES = 8
REACH = 30

# up to white space, a bracket that was not opened, or an entity that is a bracket or a quotation mark
_REST = (
    r"(?:[^\s<>()\[\]{}&\"`^|“”‘’«»…—–]"
    r"|&(?!(?:amp;){0,3}(?:lt|gt|quot|nbsp|\#39|\#x27|\#32|\#160|\#x200b);)"
    r"|\([^\s()\[\]<>]{0,300}\))*+"
)
_HIDDEN = r"DB3PARAMSSTART(?:(?!DB3PARAMS)[\s\S])*+DB3PARAMSEND"
_HOST = r"(?<![\w@.-])(?:[a-z-]{1,12}\.){0,2}(?:reddit\.com|redd\.it)/"
_SCHEME = re.compile(r"(?:https?|ftp)\Z", re.IGNORECASE)
# DeltaBot hides its records, with names in them, in a link's target
_AFTER_SCHEME = re.compile(rf"(?i:{_HIDDEN})|{_REST}")
_WWW = re.compile(rf"[Ww]{{3}}\.(?<![A-Za-z0-9@]....)(?=\w){_REST}", re.DOTALL)
_PROFILE = re.compile(rf"{_HOST}(?:u|user)/{_REST}", re.IGNORECASE)
_REDDIT = re.compile(rf"{_HOST}{_REST}|(?<![\w.])/?r/\w{{2,24}}/comments/{_REST}", re.IGNORECASE)
_TARGET = re.compile(rf"\]\((?:[\w-]{{1,63}}\.){{1,4}}[\w-]{{1,63}}/{_REST}")
_TRAILING = ".,;:!?'*_~\\"

_EMAIL = re.compile(
    r"(?<![\w.%+\\-])(?P<before>[._%+\\-]*+)[\w.%+\\-]++"
    r"@(?:[^\W_][\w-]{0,62}\.){1,6}[A-Za-z][A-Za-z0-9-]{1,23}(?![A-Za-z0-9-])"
)
_NAMED = r"(?:@|(?:\\?/)?u\\?/|/users?/|(?<=wiki/)users?/|/?r/(?=u_))"
_MENTION = re.compile(
    rf"(?<![A-Za-z0-9@]){_NAMED}++(?P<name>(?<=/)(?:\\?[A-Za-z0-9_-]){{2,}}+|(?<=@)[A-Za-z_]\w++(?:\.\w++)*+)?",
    re.IGNORECASE,
)

_SIGN = re.compile(r"[/@wW](?:(?<=[/@])|(?=\.))")  # begins with one set of letters, and is quick therefore
_BLANK = re.compile(r"[ \n]")
_NEAR = re.compile(r"[0-9](?:[^0-9]{0,4}[0-9]){6}")
_START = re.compile(r"[+(0-9](?<![\w$€£#+].)(?<![0-9][.,:/-].)")
_GAP = r"(?:[ .\-\u00a0\u2010\u2011\u2013]|\ -\ )"
_PHONE = re.compile(
    rf"""(?:
        \+[0-9]{{1,15}}+(?:{_GAP}?\([0-9]{{1,5}}\))?(?:(?:{_GAP}|(?<=\)))[0-9]{{2,12}}+){{0,5}}
      | (?:1{_GAP}?)?(?:\([0-9]{{3}}\){_GAP}?[0-9]{{3}}{_GAP}?|[0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP})[0-9]{{4}}
            (?:\ ?(?:x|ext\.?)\ ?[0-9]{{1,5}})?
      | (?P<trunk>(?:\(0[0-9]{{1,5}}\)\ ?|0[0-9]{{1,5}}+[ /-])[0-9]{{2,8}}+(?:[ -][0-9]{{2,5}}+){{0,4}})
      | 0[1-9](?:\.[0-9]{{2}}){{4}}
      | (?P<local>[0-9]{{3}}[-. ][0-9]{{4}})
    )(?!\w)(?![-.,:/][0-9])""",
    re.VERBOSE | re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:call|text|dial|ring|phone|tel|telephone|fax|cell|mobile|whatsapp)"
    r"(?:[ .:#]{1,3}(?:me|us|him|her|at|on|is|no|number))*+[ .:#]{1,3}\Z",
    re.IGNORECASE,
)
_ROUND = re.compile(r"\+?[0-9]{1,3}(?:[ .]?000)+")


def masked(text: str) -> str:
    """Return ``text`` with every identity as USER, EMAIL, PHONE or URL, all else byte for byte.

    Idempotent: it repeats until nothing changes, as a mask may complete an address around it. Each pass
    is linear and takes away a sign (``/``, ``@``, ``://``) that none brings back; texts that are not made
    to unfold need one.
    """
    for _ in range(PASSES):
        after = _once(text)
        if after == text:
            break
        text = after
    return text


def _once(text: str) -> str:
    """One pass; each pattern runs only near its sign, as searching with it is slow."""
    text = _without_schemes(text)
    if not _NEAR.search(text):
        return _in_words(text, lambda word: _without_mentions(_without_addresses(word)))
    return _in_words(_without_phones(_in_words(text, _without_addresses)), _without_mentions)


def _in_words(text: str, change: Callable[[str], str]) -> str:
    """Change the words that hold a sign: what has no blank inside is found in its word alone."""
    kept: list[str] = []
    done = last = 0
    for sign in _SIGN.finditer(text):
        if sign.start() >= last:
            start = max(text.rfind(" ", last, sign.start()), text.rfind("\n", last, sign.start()), last - 1) + 1
            blank = _BLANK.search(text, sign.end())
            last = blank.start() if blank else len(text)
            word = text[start:last]
            if (after := change(word)) != word:
                kept += text[done:start], after
                done = last
    return "".join(kept) + text[done:] if kept else text


def _without_addresses(word: str) -> str:
    lower = word.lower()
    if "www." in lower:
        word = _WWW.sub(partial(_word, URL), word)
    if "reddit.com/" in lower or "redd.it/" in lower or "/comments/" in lower:
        word = _REDDIT.sub(partial(_word, URL), _PROFILE.sub(partial(_word, USER), word))
    if "](" in word:
        word = _TARGET.sub(f"]({URL}", word)
    return _EMAIL.sub(rf"\g<before>{EMAIL}", word) if "@" in word else word


def _without_mentions(word: str) -> str:
    return _MENTION.sub(lambda found: USER if found["name"] else found[0], word)


def _without_schemes(text: str) -> str:
    """Mask ``https://…``, going from ``://`` to ``://``: ten times as fast as a search for the scheme."""
    kept: list[str] = []
    done, sign = 0, text.find("://")
    while sign >= 0:
        scheme = _SCHEME.search(text, max(done, sign - 5), sign)
        if scheme and (rest := _AFTER_SCHEME.match(text, sign + 3)):
            kept += text[done : scheme.start()], _word(URL, rest)
            done = rest.end()
        sign = text.find("://", max(done, sign + 3))
    return "".join(kept) + text[done:] if kept else text


def _word(word: str, found: re.Match[str]) -> str:
    """``word``, and the punctuation at the URL's end, which is the sentence's."""
    return word + found[0][len(found[0].rstrip(_TRAILING)) :]


def _without_phones(text: str) -> str:
    kept: list[str] = []
    done = 0
    for start in _START.finditer(text):
        found = _PHONE.match(text, start.start()) if start.start() >= done else None
        if found and _is_phone(found):
            kept += text[done : found.start()], PHONE
            done = found.end()
    return "".join(kept) + text[done:] if kept else text


def _is_phone(found: re.Match[str]) -> bool:
    """Whether it has digits enough, and a word before it where it is short; "+1 000 000" is an amount."""
    if found["local"]:
        return _CALL.search(found.string, max(0, found.start() - REACH), found.start()) is not None
    digits = sum(map(str.isdigit, found[0]))
    return digits >= (9 if found["trunk"] else 7) and not _ROUND.fullmatch(found[0])
