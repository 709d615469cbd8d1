"""What wrote a record: a person, a bot, a moderator, or an account or text that is gone.

Judged by name, by Reddit's own mark, and by what moderators' texts always say.
"""

import re
from collections.abc import Sequence
from itertools import compress, count

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from persuasion.markdown import unescaped, visible
from persuasion.records import BOT, DELETED, MODERATOR, PERSON
from persuasion.reddit import NO_BODY, is_deleted
from persuasion.signs import holding_word

BOTS = frozenset({
    "automoderator", "autowikibot", "b0trank", "commonmisspellingbot", "deltabot", "goodbot_badbot", "helperbot_",
    "imguralbumbot", "linkfixerbot", "remindmebot", "smallsubbot", "sneakpeekbot", "totes_meta_bot", "totesmessenger",
    "wikisummarizerbot", "wikitextbot",
})  # fmt: skip
MODERATORS = frozenset({"changemyview-modteam", "cmv_mod"})
_REMOVAL = re.compile(
    r"[\s*_>]{0,8}(?:sorry,? )?\[?/?(?:u/)?[\w\\/-]{1,40}[^\n]{0,80}?[,–—-] ?your "
    r"(?:comment|submission|post) has been (?:automatically )?(?-i:[Rr]emoved)",
    re.IGNORECASE,
)
_META = re.compile(r"\s*(?:\[\s*(?:meta|mod ?post|mod)\s*\]|meta ?:|mod post\b|fresh topic)", re.IGNORECASE)
_LONGEST_STUB = 64  # characters, blanks included: no text that is gone is longer
_LONGEST_CHARACTER = 4  # bytes of UTF-8
_NAMED = BOTS | MODERATORS | {"[deleted]"}


def comment_role(author: str, body: str, distinguished: str | None) -> str:
    """The role behind a comment."""
    return _role(author, body, distinguished) or (MODERATOR if _is_removal(body) else PERSON)


def comment_roles(
    authors: Sequence[str], bodies: Sequence[str], marks: Sequence[str | None], texts: pa.StringArray
) -> list[str]:
    """The roles behind many comments, whose bodies are also there as a column (``texts``).

    Only those that could be anything but a person's are looked at closely.
    """
    named = {author for author in set(authors) if author.casefold() in _NAMED}
    short = np.flatnonzero(np.asarray(pc.binary_length(texts)) < _LONGEST_STUB * _LONGEST_CHARACTER).tolist()
    suspects = {row for row in short if _is_gone(bodies[row])}
    suspects.update(holding_word(texts, b"emoved", anchor=3).tolist())
    suspects.update(compress(count(), map(named.__contains__, authors)))
    suspects.update(compress(count(), marks))
    roles = [PERSON] * len(authors)
    for row in suspects:
        roles[row] = comment_role(authors[row], bodies[row], marks[row])
    return roles


def submission_role(author: str, title: str, selftext: str, distinguished: str | None) -> str:
    """The role behind a post."""
    return _role(author, selftext, distinguished) or (MODERATOR if _META.match(title) else PERSON)


def _role(author: str, text: str, distinguished: str | None) -> str:
    name = author.casefold()
    if is_deleted(author) or _is_gone(text):
        return DELETED
    if name in BOTS:
        return BOT
    return MODERATOR if distinguished in ("moderator", "admin") or name in MODERATORS else ""


def _is_gone(text: str) -> bool:
    return len(text) < _LONGEST_STUB and text.strip() in NO_BODY


def _is_removal(body: str) -> bool:
    """Whether a comment is a moderators' notice that something was removed."""
    head = body[:1000]
    return "your" in head.lower() and _REMOVAL.match(visible(unescaped(head))) is not None
