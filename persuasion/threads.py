"""Raw records to the rows of threads: pseudonyms, roles, who is OP, and who earned a delta.

Names end here: what leaves this room carries keyed pseudonyms only. Nothing walks the reply tree
recursively, so depth and loops cost nothing.
"""

import hmac
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from persuasion.deltas import Award, awards
from persuasion.markdown import unescaped, visible
from persuasion.reading import Refusal
from persuasion.records import BOT, DELETED, MODERATOR, PERSON, Comment, Delta, Submission
from persuasion.reddit import NO_BODY, Raw, RawComment, RawSubmission, is_deleted

PUBLIC_KEY = b"persuasion"
BOTS = frozenset({
    "automoderator", "autowikibot", "b0trank", "commonmisspellingbot", "deltabot", "goodbot_badbot", "helperbot_",
    "imguralbumbot", "linkfixerbot", "remindmebot", "smallsubbot", "sneakpeekbot", "totes_meta_bot", "totesmessenger",
    "wikisummarizerbot", "wikitextbot",
})  # fmt: skip
MODERATORS = frozenset({"changemyview-modteam", "cmv_mod"})
_REMOVAL = re.compile(
    r"[\s*_>]{0,8}(?:sorry,? )?\[?/?(?:u/)?[\w\\/-]{1,40}[^\n]{0,80}?[,–—-] ?your "
    r"(?:comment|submission|post) has been (?:automatically )?removed",
    re.IGNORECASE,
)
_META = re.compile(r"\s*(?:\[\s*(?:meta|mod ?post|mod)\s*\]|meta ?:|mod post\b|fresh topic)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threads:
    """The rows, the comments refused on the way, and why a sign of a delta made none, counted."""

    submissions: list[Submission]
    comments: list[Comment]
    refusals: list[Refusal]
    ignored: Counter[str]


def build(submissions: Mapping[str, RawSubmission], comments: Mapping[str, RawComment], key: bytes) -> Threads:
    """Join raw records into rows, both by id.

    A comment without its submission is refused as ``orphan``, one whose chain of parents runs in a
    circle as ``cycle``; a comment whose parent is absent stays.
    """
    refusals: list[Refusal] = []
    rows: list[Comment] = []
    ignored: Counter[str] = Counter()
    for thread_id, thread in _by_thread(comments).items():
        submission = submissions.get(thread_id)
        circular = _circular(thread)
        if submission is None or circular:
            refused = thread if submission is None else circular
            refusals += [_refusal(thread[id_], "orphan" if submission is None else "cycle") for id_ in refused]
        if submission is not None:
            sound = {id_: comment for id_, comment in thread.items() if id_ not in circular}
            thread_rows, thread_ignored = _comments(submission, sound, key)
            rows += thread_rows
            ignored += thread_ignored
    return Threads(
        submissions=[_submission(submission, key) for submission in submissions.values()],
        comments=rows,
        refusals=refusals,
        ignored=ignored,
    )


def pseudonym(author: str, key: bytes) -> str:
    """Return a name's keyed pseudonym (HMAC-SHA256, 64 bits), "" for a deleted account."""
    if is_deleted(author):
        return ""
    return "u_" + hmac.new(key, author.encode(), "sha256").hexdigest()[:16]


def role(record: Raw) -> str:
    """Tell what wrote a record: deleted, bot, moderator or person."""
    text = record.body if isinstance(record, RawComment) else record.selftext
    name = record.author.casefold()
    if is_deleted(record.author) or text.strip() in NO_BODY:
        return DELETED
    if name in BOTS:
        return BOT
    if record.distinguished in ("moderator", "admin") or name in MODERATORS or _speaks_as_moderator(record):
        return MODERATOR
    return PERSON


def _speaks_as_moderator(record: Raw) -> bool:
    """Whether the text is a removal notice, or the title that of a moderators' post."""
    if isinstance(record, RawSubmission):
        return _META.match(record.title) is not None
    return _REMOVAL.match(visible(unescaped(record.body[:1000]))) is not None


def _by_thread(comments: Mapping[str, RawComment]) -> dict[str, dict[str, RawComment]]:
    threads: dict[str, dict[str, RawComment]] = defaultdict(dict)
    for id_, comment in comments.items():
        threads[comment.thread_id][id_] = comment
    return threads


def _circular(thread: Mapping[str, RawComment]) -> set[str]:
    """The comments whose parents never end: members of a loop and all that hangs below."""
    ends: dict[str, bool] = {}
    for start in thread:
        path: dict[str, None] = {}
        here = start
        while here in thread and here not in ends and here not in path:
            path[here] = None
            here = thread[here].parent_id
        finite = ends.get(here, here not in path)
        ends.update(dict.fromkeys(path, finite))
    return {id_ for id_, finite in ends.items() if not finite}


def _comments(
    submission: RawSubmission, thread: Mapping[str, RawComment], key: bytes
) -> tuple[list[Comment], Counter[str]]:
    """One thread's rows, and what its deltas ignored."""
    given, ignored = awards(submission, thread)
    earned: dict[str, list[Award]] = defaultdict(list)
    for award in given:
        earned[award.awarded].append(award)
    return [_comment(comment, submission, earned.get(id_, []), key) for id_, comment in thread.items()], ignored


def _comment(comment: RawComment, submission: RawSubmission, earned: list[Award], key: bytes) -> Comment:
    return Comment(
        id=comment.id,
        thread_id=comment.thread_id,
        parent_id=comment.parent_id,
        author=pseudonym(comment.author, key),
        role=role(comment),
        created_utc=comment.created_utc,
        score=comment.score,
        body=comment.body,
        is_op=comment.author == submission.author and not is_deleted(comment.author),
        earned_delta=bool(earned),
        deltas=tuple(
            Delta(by=pseudonym(award.by, key), by_op=award.by_op, source=award.source, at=award.at) for award in earned
        ),
        rivals=(),
    )


def _submission(submission: RawSubmission, key: bytes) -> Submission:
    return Submission(
        id=submission.id,
        author=pseudonym(submission.author, key),
        role=role(submission),
        created_utc=submission.created_utc,
        score=submission.score,
        title=submission.title,
        selftext=submission.selftext,
    )


def _refusal(comment: RawComment, reason: str) -> Refusal:
    return Refusal(file=comment.place.file, line=comment.place.line, reason=reason)
