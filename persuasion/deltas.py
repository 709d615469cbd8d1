"""Who earned a delta: DeltaBot's word, its log in r/DeltaLog, and OP's tokens where it left neither.

A delta goes to the immediate parent of the comment that awards it. DeltaBot answers the awarding
comment, so awarding = parent(DeltaBot's reply) and awarded = parent(awarding). A dump may hold a
refusal that the bot later edited into a confirmation, or a confirmation that it later deleted; the
log repairs both. ``deltalog`` reads the bot's texts. Pure; works on raw author names.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from persuasion.deltabot import CONFIRMED, REJECTED, REMOVED, is_deltabot, read_reply
from persuasion.deltalog import Log, Logged
from persuasion.deltatokens import has_token, negated
from persuasion.rawfields import DELETED
from persuasion.reddit import RawComment, RawSubmission, same_author
from persuasion.roles import BOTS

DELTALOG, TOKEN = "deltalog", "token"
IGNORED = (
    "bot_rejected", "bot_removed", "bot_other", "no_awarding_comment", "no_awarded_comment", "not_to_a_comment",
    "name_differs", "to_op", "to_self", "to_bot", "to_deleted", "token_negated", "token_repeated", "withdrawn",
)  # fmt: skip
CATCHING_UP = 3_600  # seconds that the bot may need to bring its log up to date
OLDER = 86_400  # seconds; an award so much older than the log was given before there was one


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A delta for the comment ``awarded`` by the author ``by``, known from ``source``, given at ``at`` (Unix s)."""

    awarded: str
    by: str
    by_op: bool
    source: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A sign, spoken ``at`` (Unix s), that ``awarding`` awards a delta ``to`` a name; ``logged``: the log's word."""

    awarding: str
    to: str
    source: str
    at: int
    logged: Logged | None


def awards(
    submission: RawSubmission, comments: Mapping[str, RawComment], log: Log | None
) -> tuple[list[Award], Counter[str]]:
    """Return one thread's awards, in order of time, and what was ignored, counted by reason (``IGNORED``).

    ``comments`` are the thread's by id, or of them at least: DeltaBot's, those that ``may_bear_token``,
    those that ``log`` names, and two comments above each; no other makes a difference. At most one
    award comes from one awarding comment.
    """
    ignored: Counter[str] = Counter()
    spoken = [comment for comment in comments.values() if is_deltabot(comment.author)]
    claims = _claims(spoken, log, ignored) if spoken or log else _tokens(submission, comments.values(), ignored)
    found: list[Award] = []
    for claim in claims:
        award = _award(submission, comments, claim)
        if isinstance(award, str):
            ignored[award] += 1
        elif log and _withdrawn(claim, award, log):
            ignored["withdrawn"] += 1
        elif claim.awarding or not any(_alike(award, other) for other in found):
            found.append(award)
    return sorted(found, key=lambda award: (award.at, award.awarded, award.by)), ignored


def _claims(spoken: Iterable[RawComment], log: Log | None, ignored: Counter[str]) -> Iterator[_Claim]:
    """What DeltaBot confirms or logs, one claim an awarding comment; those that name none come last.

    A refusal of what the log lists was edited later. A removal holds unless the log was written after
    it: the bot that removes in words writes its whole log anew each time.
    """
    entries = log.logged if log else ()
    listed = {entry.awarding: entry for entry in entries if entry.awarding}
    for awarding, (kind, name, at) in _last_words(spoken, ignored).items():
        logged = listed.pop(awarding, None)
        if kind == CONFIRMED:
            yield _Claim(awarding=awarding, to=name, source=CONFIRMED, at=at, logged=logged)
        elif log and logged and (kind == REJECTED or log.written > at):
            yield _Claim(awarding=awarding, to=logged.to, source=DELTALOG, at=log.at, logged=logged)
        else:
            ignored[f"bot_{kind}"] += 1
    for entry in (*listed.values(), *(entry for entry in entries if not entry.awarding)):
        at = log.at if log else 0
        yield _Claim(awarding=entry.awarding, to=entry.to, source=DELTALOG, at=at, logged=entry)


def _last_words(spoken: Iterable[RawComment], ignored: Counter[str]) -> dict[str, tuple[str, str, int]]:
    """By awarding comment: the kind of the last reply, whom it names, when it was written or edited (Unix s).

    A refusal counts only where it is all there is: the bot also refuses a second delta.
    """
    words: dict[str, tuple[str, str, int]] = {}
    replies = sorted(
        (max(reply.created_utc, reply.version[1]), reply.id, reply.parent_id, reply.body) for reply in spoken
    )
    for at, _, awarding, body in replies:
        kind, name = read_reply(body)
        if kind in (CONFIRMED, REMOVED) or (kind == REJECTED and awarding not in words):
            words[awarding] = (kind, name, at)
        elif kind != REJECTED:
            ignored["bot_other"] += 1
    return words


def _tokens(submission: RawSubmission, comments: Iterable[RawComment], ignored: Counter[str]) -> Iterator[_Claim]:
    """OP's comments with a token, which names nobody; no bot took a second one for the same comment."""
    own = [one for one in comments if same_author(one.author, submission.author) and has_token(one.body)]
    given: set[str] = set()
    for comment in sorted(own, key=lambda one: (one.created_utc, one.id)):
        if negated(comment.body):
            ignored["token_negated"] += 1
        elif comment.parent_id in given:
            ignored["token_repeated"] += 1
        else:
            given.add(comment.parent_id)
            yield _Claim(awarding=comment.id, to="", source=TOKEN, at=comment.created_utc, logged=None)


def _award(submission: RawSubmission, comments: Mapping[str, RawComment], claim: _Claim) -> Award | str:
    """The award that a claim makes, or the reason why it makes none.

    The log speaks only for what the thread no longer tells: an awarding comment that is not in the
    dump, or whose author is deleted.
    """
    awarding, logged = comments.get(claim.awarding), claim.logged
    if awarding and not awarding.parent_id.startswith("t1_"):
        return "not_to_a_comment"
    awarded_id = awarding.parent_id if awarding else logged.awarded if logged else ""
    awarded = comments.get(awarded_id)
    if awarded is None:
        return "no_awarded_comment" if awarded_id else "no_awarding_comment"
    if awarded is awarding:
        return "to_self"
    if _differ(claim.to, awarded.author) or (awarding and logged and _differ(logged.by, awarding.author)):
        return "name_differs"
    by, by_op = _giver(submission, awarding, logged)
    if reason := _barred(submission.author, by, awarded.author if _known(awarded.author) else claim.to):
        return reason
    at = awarding.created_utc if awarding else claim.at
    return Award(awarded=awarded.id, by=by, by_op=by_op, source=claim.source, at=at)


def _giver(submission: RawSubmission, awarding: RawComment | None, logged: Logged | None) -> tuple[str, bool]:
    """Who awards, and whether that is OP; "[deleted]" when nothing tells."""
    if awarding and _known(awarding.author):
        return awarding.author, same_author(awarding.author, submission.author)
    if logged and (logged.by_op or same_author(logged.by, submission.author)):
        return submission.author, True
    return (logged.by if logged and not awarding else "") or DELETED, False


def _barred(op: str, by: str, recipient: str) -> str:
    """Why ``recipient`` may receive no delta, or "". One that neither author nor bot names could be anyone."""
    name = recipient.casefold()
    if not _known(recipient):
        return "to_deleted"
    if name in BOTS:
        return "to_bot"
    if name == by.casefold():
        return "to_self"
    return "to_op" if name == op.casefold() else ""


def _withdrawn(claim: _Claim, award: Award, log: Log) -> bool:
    """Whether a confirmed award is missing from a log that must know of it.

    Such a log was made at most a day after the award (logs began in 2017, and a new bot began new
    ones), written after it, and seen when the bot had had an hour to list it. One that lists nothing,
    or was not read whole, takes nothing back.
    """
    of_its_time = log.at - OLDER <= claim.at < log.written and log.seen >= claim.at + CATCHING_UP
    if claim.logged or not log.logged or not of_its_time:
        return False
    return not any(entry.awarded == award.awarded and not entry.awarding for entry in log.logged)


def _alike(award: Award, other: Award) -> bool:
    """Whether a log's award without its awarding comment may be one that is known already."""
    giver = other.by.casefold() == award.by.casefold() or not _known(other.by)
    return award.awarded == other.awarded and award.by_op == other.by_op and (award.by_op or giver)


def _differ(name: str, author: str) -> bool:
    return bool(name) and _known(author) and name.casefold() != author.casefold()


def _known(author: str) -> bool:
    return same_author(author, author)
