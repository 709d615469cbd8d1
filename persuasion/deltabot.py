"""DeltaBot's account, and what its replies under awards say.

The texts of four bots (alexames/DeltaBot, sprt/deltabot, delta-bot-three, delta-bot-four). Replies quote users, and
every pattern is linear. Pure; works on raw names.
"""

import re

from persuasion.markdown import unescaped, visible
from persuasion.rawfields import DELETED

DELTABOT = "deltabot"
CONFIRMED, REJECTED, REMOVED, STICKY, OTHER = "confirmed", "rejected", "removed", "sticky", "other"
_REPLY_CHARACTERS = 4000

NAME = r"[\w\\-]{1,60}"
"""A pattern of names as the bots write them: backslashes are markdown's."""
_TO = rf"awarded to \[?/?u/({NAME})"
_REPLIES = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (REMOVED, r"the moderators have (?:confirmed that this is either delta misuse|decided to undo this delta)"),
        (REMOVED, r"a moderator has removed this delta|the delta awarded to \S{1,80} has been removed"),
        (CONFIRMED, rf"confirm(?:ed|ation) ?[-:–—] ?(?:1 )?(?:delta|point)s? {_TO}"),
        (CONFIRMED, rf"the moderators have confirmed\b.{{0,400}}?\b1 delta {_TO}"),
        (REJECTED, r"this delta (?:has been rejected|is currently disallowed)"),
        (REJECTED, r"you (?:can ?['’]?t|cannot) award|you have already awarded"),
        (STICKY, rf"\[?/?u/{NAME}\S{{0,99}} \(OP\) has awarded"),
    )
)


def is_deltabot(author: str) -> bool:
    """Whether this is DeltaBot's account; Reddit names differ by more than case."""
    return author.casefold() == DELTABOT


def read_reply(body: str) -> tuple[str, str]:
    """Return what a reply of DeltaBot's is (confirmed, rejected, removed, sticky, other) and whom it names, or "".

    Only a confirmation names someone. The JSON that delta-bot-three hid in its replies is not asked:
    the words in front of it say the same, and are all there is in every other year.
    """
    words = " ".join(visible(unescaped(body[:_REPLY_CHARACTERS])).split())
    for kind, pattern in _REPLIES:
        if match := pattern.match(words):
            return kind, match[1].replace("\\", "") if kind == CONFIRMED else ""
    return OTHER, ""


def named(name: str) -> str:
    """A name without its "/u/" and the backslashes that markdown asks for; "" for a deleted account."""
    bare = name.replace("\\", "").removeprefix("/").removeprefix("u/")
    return "" if bare == DELETED else bare
