"""Replies as the page shows them: shortened, and in public without people's words or what repeats them."""

from collections.abc import Iterable, Sequence

from persuasion import measures
from persuasion.inert import clean
from persuasion.records import Reply
from persuasion.seen import WITHHELD

LONGEST = 1500
"""Characters of a text shown."""
QUOTED = 8
"""Words in a row that make a text a quotation, which a public page withholds: so few can be searched for."""


def shown(reply: Reply, recited: frozenset[str], *, hidden: bool) -> dict[str, str]:
    """One reply; where people's words are ``hidden``, without them and without a reply that repeats them.

    ``recited``: replies that repeat ``QUOTED`` words of some pair.
    """
    people = [reply.prompt, reply.chosen]

    def ours(text: str) -> str:
        quotes = hidden and (text in recited or measures.copied([text], people, QUOTED)[0])
        return WITHHELD if quotes else _cut(text)

    return {
        "thread": "" if hidden else clean(reply.thread_id),
        "post": WITHHELD if hidden else _cut(reply.prompt),
        "chosen": WITHHELD if hidden else _cut(reply.chosen),
        "base": ours(reply.base_text),
        "tuned": ours(reply.text),
        "base_end": "ended by itself" if reply.base_stopped else "cut at the token limit",
        "tuned_end": "ended by itself" if reply.stopped else "cut at the token limit",
    }


def quoting(replies: Sequence[Reply], people: Iterable[str]) -> frozenset[str]:
    """The replies, of base and policy, that share ``QUOTED`` words in a row with any text of ``people`` (streamed)."""
    texts = [text for reply in replies for text in (reply.text, reply.base_text)]
    return frozenset(text for text, copies in zip(texts, measures.copied(texts, people, QUOTED), strict=True) if copies)


def _cut(text: str) -> str:
    text = clean(text).strip()
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + " …"
