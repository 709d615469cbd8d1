"""Who earned a delta: DeltaBot's confirmations, and OP's tokens only where DeltaBot never spoke.

A delta goes to the immediate parent of the comment that awards it. DeltaBot answers the awarding
comment, so awarding = parent(DeltaBot's reply) and awarded = parent(awarding). Its texts changed
over the years (the bots alexames/DeltaBot, sprt/deltabot, delta-bot-three, delta-bot-four); its
refusals, removals and the sticky comment are no awards. Pure; works on raw author names.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from persuasion.markdown import unescaped, visible
from persuasion.reddit import RawComment, RawSubmission, is_deleted

DELTABOT = "deltabot"
CONFIRMED, TOKEN = "confirmed", "token"
IGNORED = (
    "bot_rejected", "bot_removed", "bot_other", "no_awarding_comment", "no_awarded_comment", "not_to_a_comment",
    "name_differs", "to_op", "to_self", "to_bot", "token_negated",
)  # fmt: skip

_NAME = r"\[?/?u/([\w\\-]+)"
_CONFIRMATION = re.compile(rf"\s*confirm(?:ed|ation)\s*[-:–]\s*(?:1 )?(?:delta|point)s? awarded to {_NAME}", re.I)
_BY_MODERATORS = re.compile(rf"\s*the moderators have confirmed\b.{{0,400}}?\b1 delta awarded to {_NAME}", re.I | re.S)
_REMOVAL = re.compile(
    r"\s*(?:the moderators have confirmed that this is either delta misuse|a moderator has removed this delta"
    r"|the moderators have decided to undo this delta|the delta awarded to \S{1,60} has been removed)",
    re.IGNORECASE,
)
_REJECTION = re.compile(
    r"\s*(?:this delta (?:has been rejected|is currently disallowed)"
    r"|you (?:can'?t|cannot) award|you have already awarded)",
    re.IGNORECASE,
)

_TOKEN = re.compile(r"[∆Δ]|!delta\b", re.IGNORECASE)
_QUOTED = re.compile(r"^ {0,3}>[^\n]*$", re.MULTILINE)
_CODE = re.compile(r"^(?: {4}|\t)[^\n]*$|`[^`\n]*`", re.MULTILINE)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_NEGATED = re.compile(
    r"(?:n['’]t|\bnot|\bnever|\bcannot)\s(?:\w+\s){0,3}?(?:giv|award|worth|deserv|earn)\w*\b[^.!?\n]{0,30}$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A delta for the comment ``awarded`` by the author ``by``, known from ``source``, given at ``at`` (Unix s)."""

    awarded: str
    by: str
    by_op: bool
    source: str
    at: int


def awards(submission: RawSubmission, comments: Mapping[str, RawComment]) -> tuple[list[Award], Counter[str]]:
    """Return one thread's awards, in order of time, and what was ignored, counted by reason.

    ``comments`` are the thread's by id. At most one award comes from one awarding comment.
    """
    ignored: Counter[str] = Counter()
    spoken = [comment for comment in comments.values() if is_deltabot(comment.author)]
    source = CONFIRMED if spoken else TOKEN
    given = _confirmations(spoken, ignored) if spoken else _tokens(submission, comments.values(), ignored)
    found = []
    for awarding_id, name in given.items():
        award = _award(submission, comments, awarding_id, name, source)
        if isinstance(award, Award):
            found.append(award)
        else:
            ignored[award] += 1
    return sorted(found, key=lambda award: (award.at, award.awarded, award.by)), ignored


def is_deltabot(author: str) -> bool:
    """Whether this is DeltaBot's account; Reddit names differ by more than case."""
    return author.casefold() == DELTABOT


def confirmed_name(body: str) -> str | None:
    """Return the recipient's name when a DeltaBot text confirms an award, else None."""
    text = visible(unescaped(unescaped(body)))
    if _REMOVAL.match(text):
        return None
    match = _CONFIRMATION.match(text) or _BY_MODERATORS.match(text)
    return match[1].replace("\\", "") if match else None


def is_removal(body: str) -> bool:
    """Whether a DeltaBot text takes an award back."""
    return _REMOVAL.match(visible(unescaped(unescaped(body)))) is not None


def has_token(body: str) -> bool:
    """Whether a comment holds a delta token of its own: outside quotes and code."""
    return _TOKEN.search(_own_words(body)) is not None


def _confirmations(spoken: Iterable[RawComment], ignored: Counter[str]) -> dict[str, str]:
    """Map each awarding comment to the confirmed name; a later removal takes it back."""
    given: dict[str, str] = {}
    for reply in sorted(spoken, key=lambda comment: (comment.created_utc, comment.id)):
        if name := confirmed_name(reply.body):
            given[reply.parent_id] = name
        elif is_removal(reply.body):
            given.pop(reply.parent_id, None)
            ignored["bot_removed"] += 1
        else:
            rejected = _REJECTION.match(visible(unescaped(unescaped(reply.body))))
            ignored["bot_rejected" if rejected else "bot_other"] += 1
    return given


def _tokens(submission: RawSubmission, comments: Iterable[RawComment], ignored: Counter[str]) -> dict[str, str]:
    """Map each of OP's comments with a token to "" (a token names nobody)."""
    given: dict[str, str] = {}
    for comment in comments:
        if _by_op(comment, submission) and has_token(comment.body):
            if _negated(comment.body):
                ignored["token_negated"] += 1
            else:
                given[comment.id] = ""
    return given


def _award(
    submission: RawSubmission, comments: Mapping[str, RawComment], awarding_id: str, name: str, source: str
) -> Award | str:
    """The award that ``awarding_id`` makes, or the reason why it makes none."""
    awarding = comments.get(awarding_id)
    if awarding is None:
        return "no_awarding_comment"
    if not awarding.parent_id.startswith("t1_"):
        return "not_to_a_comment"
    awarded = comments.get(awarding.parent_id)
    if awarded is None:
        return "no_awarded_comment"
    if name and not is_deleted(awarded.author) and awarded.author.casefold() != name.casefold():
        return "name_differs"
    if reason := _barred(submission, awarding, awarded):
        return reason
    return Award(
        awarded=awarded.id,
        by=awarding.author,
        by_op=_by_op(awarding, submission),
        source=source,
        at=awarding.created_utc,
    )


def _barred(submission: RawSubmission, awarding: RawComment, awarded: RawComment) -> str:
    """Why ``awarded`` may not receive a delta from ``awarding``, or ""."""
    if awarding.id == awarded.id or _same(awarding.author, awarded.author):
        return "to_self"
    if _by_op(awarded, submission):
        return "to_op"
    return "to_bot" if is_deltabot(awarded.author) else ""


def _by_op(comment: RawComment, submission: RawSubmission) -> bool:
    return _same(comment.author, submission.author)


def _same(author: str, other: str) -> bool:
    """Whether two names are one account; deleted accounts are nobody's."""
    return author == other and not is_deleted(author)


def _own_words(body: str) -> str:
    text = unescaped(unescaped(body)).replace("\r\n", "\n")
    outside = _FENCE.split(text)[::2]
    return visible(_CODE.sub("", _QUOTED.sub("", "\n".join(outside))))


def _negated(body: str) -> bool:
    """Whether every token stands in a "won't give a …" sentence. A rule of thumb: DeltaBot would decide better."""
    text = _own_words(body)
    return all(_NEGATED.search(text, max(0, mark.start() - 200), mark.start()) for mark in _TOKEN.finditer(text))
