"""What the forms with labels of their own share: repeated texts, and who was preferred to whom.

Such a form names a post or a reply again in every pair it is part of; here it becomes one row, and
its rivals add up over the pairs. What a form does not know (an author, a time) is left empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from persuasion.rawfields import FIRST_SECOND, Refused
from persuasion.reddit import Outcome, Place, RawComment, RawLog, RawSubmission, Refuse, Skip, Skipped, parse

GIVEN, SCORE = "given", "score"


@dataclass(slots=True, kw_only=True)
class Collected:
    """One (place, outcome) for each record, in the order in which they came."""

    entries: list[tuple[Place, Outcome]] = field(default_factory=list)
    _at: dict[str, int] = field(default_factory=dict)

    def add(self, place: Place, outcome: Outcome) -> str | None:
        """Keep an outcome; return the id of the row that now holds its text, None when none does.

        A text that is there already is a skip (``repeated``); another text under a known id is refused.
        """
        if not isinstance(outcome, RawSubmission | RawComment):
            self.entries.append((place, outcome))
            return None
        at = self._at.get(outcome.id)
        if at is None:
            self._at[outcome.id] = len(self.entries)
            self.entries.append((place, outcome))
            return outcome.id
        alike = _words(self.entries[at][1]) == _words(outcome)
        self.entries.append((place, Skip(reason="repeated") if alike else Refuse(reason="duplicate_id")))
        return outcome.id if alike else None

    def prefer(self, winner: str, loser: str | None, label: str) -> None:
        """Label the comment ``winner``; ``loser``, when it became a row, is its rival."""
        at = self._at[winner]
        place, comment = self.entries[at]
        if isinstance(comment, RawComment):
            rivals = {*comment.rivals} if loser is None else {*comment.rivals, loser}
            self.entries[at] = place, replace(comment, given=label, rivals=tuple(sorted(rivals)))


def parsed(record: Mapping[str, Any], subreddit: str) -> Outcome:
    """Read a record in Reddit's field names; without ``author`` or ``created_utc`` these are unknown ("" and 0)."""
    try:
        raw = parse({"created_utc": FIRST_SECOND, **record}, subreddit)
    except Refused as refused:
        return Refuse(reason=str(refused))
    except Skipped as skipped:
        return Skip(reason=str(skipped))
    if isinstance(raw, RawLog) or record.keys() >= {"author", "created_utc"}:
        return raw
    author = raw.author if "author" in record else ""
    return replace(raw, author=author, created_utc=raw.created_utc if "created_utc" in record else 0)


def renamed(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of ``record`` under Reddit's names; what it lacks stays absent."""
    return {name: record[theirs] for theirs, name in names.items() if theirs in record}


def named(kind: str, text: str) -> str:
    """An id for a text that has none: ``kind`` and 16 hex digits of its sha256."""
    digest = sha256(text.encode(errors="replace")).hexdigest()
    return f"{kind}_{digest[:16]}"


def _words(outcome: Outcome) -> tuple[str, ...]:
    if isinstance(outcome, RawComment):
        return (outcome.body,)
    return (outcome.title, outcome.selftext) if isinstance(outcome, RawSubmission) else ()
