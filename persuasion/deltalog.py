"""What DeltaBot wrote in r/DeltaLog: a post for each thread with awards.

A log has visible rows and, until mid-2018, the same once more as hidden JSON. Rows quote users: every pattern
is linear, and ``deltas`` checks what a log claims. Pure; works on raw names; knows no comments.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from persuasion.deltabot import NAME, is_deltabot, named
from persuasion.markdown import unescaped
from persuasion.reddit import RawSubmission, same_author

_AWARDED = (0, 1)  # the ?context= with which a row's link is the awarded comment (0: there is none)
_AWARDING = 3  # … and the one with which it is the awarding comment, shown below what it answers

_PARAMETERS = re.compile(r'DB3PARAMSSTART\s{0,9}(?=\{\s{0,9}")')
_OP = re.compile(rf"^#{{1,6}}[ \t]{{0,4}}deltas from OP /?u/({NAME})", re.IGNORECASE | re.MULTILINE)
_USER = rf"/?u/(?:{NAME}|\\?\[deleted\\?\])"
_GIVER = rf"(?:OP|{_USER})"
_ROW = re.compile(
    rf"^[ \t]{{0,9}}[*+-][ \t]{{1,9}}\d{{1,4}} deltas? from ({_GIVER}(?:(?:, and|,| and) {_GIVER}){{0,99}})"
    rf" to ({_USER}) for\b",
    re.IGNORECASE | re.MULTILINE,
)
_GIVERS = re.compile(_GIVER, re.IGNORECASE)
_THIS_POST = re.compile(r"\[this post\]\(([^\s()]{1,1000})\)", re.IGNORECASE)
_TARGET = re.compile(r"\]\(([^\s()]{1,1000})\)")
_PERMALINK = re.compile(
    r"(?:(?:https?:)?//)?(?:(?:[\w-]{1,20}\.)?reddit\.com)?/r/\w{1,30}/comments/(\w{1,20})"
    r"(?:/[^/?#]{0,500}(?:/(\w{1,20}))?)?/?(?:\?([^#]{0,200}))?(?:#.*)?",
    re.IGNORECASE | re.ASCII,
)
_CONTEXT = re.compile(r"(?:^|[&;])context=(\d{1,4})(?!\d)")
_COMMENT_ID = re.compile(r"t1_\w{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One award: the ids (t1_…) of the two comments, one of them "" where the log names one only.

    ``by`` and ``to`` are names as the log has them, "" where it has none; ``by_op`` is the log's word.
    """

    awarding: str
    awarded: str
    by: str
    by_op: bool
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What r/DeltaLog says of ``thread`` (t3_…, "" when the post names none). Times are Unix seconds, 0 unknown.

    ``at``: when it was made; ``seen``: when it was last fetched or edited; ``written``: the time whose
    awards it shows, its last edit, or ``seen`` where the dump tells of none. ``written`` is 0 for a log
    that could not be read whole: what it lists stands, what it lacks says nothing.
    """

    thread: str
    at: int
    seen: int
    logged: tuple[Logged, ...]
    written: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A permalink: its thread, its comment ("" for the post's own) and ``?context=`` (0 when absent)."""

    thread: str
    comment: str
    context: int


def read_log(post: RawSubmission) -> Log:
    """Read a post of r/DeltaLog; one that DeltaBot did not write, or that holds no log, names no thread.

    The thread is the one that the bot's own first lines link to, else the one of all its rows; rows
    that point elsewhere are not its own. Never raises.
    """
    source = post.selftext if is_deltabot(post.author) else ""
    text = unescaped(source)
    hidden = _hidden(source) or _hidden(text)  # JSON may hold entities of its own, so first as it is
    rows = _rows(text)
    thread = _thread(text, hidden, [link for _, _, link in rows if link])
    op = named(_text(hidden, "opUsername")) or named((_OP.findall(text) or [""])[0])
    records = hidden.get("comments")
    entries = [_from_record(record, thread, op) for record in (records if isinstance(records, list) else ())]
    entries += [entry for row in rows for entry in _from_row(*row, thread, op)]
    retrieved, edited = post.version
    seen = max(retrieved, edited if edited > 1 else 0)  # 1 is a dump's "edited: true"
    return Log(
        thread=thread,
        at=post.created_utc,
        seen=seen,
        logged=_distinct(entry for entry in entries if entry),
        written=0 if None in entries else edited if edited >= post.created_utc else seen,
    )


def merged(logs: Iterable[Log]) -> dict[str, Log]:
    """Return one log a thread, whatever the order: the last copy of each post, and all posts of a thread as one.

    A thread has two posts where one bot followed another, or its post was deleted. Neither need know
    the other's awards, so what both lack says something only of the time when both were kept.
    """
    ordered = sorted((log for log in logs if log.thread), key=lambda log: (log.seen, log.written, repr(log)))
    posts = {(log.thread, log.at): log for log in ordered}
    threads: dict[str, list[Log]] = defaultdict(list)
    for (thread, _), log in sorted(posts.items()):
        threads[thread].append(log)
    return {
        thread: Log(
            thread=thread,
            at=max(log.at for log in of_thread),
            seen=min(log.seen for log in of_thread),
            logged=_distinct([entry for log in of_thread for entry in log.logged]),
            written=min(log.written for log in of_thread),
        )
        for thread, of_thread in threads.items()
    }


def _hidden(text: str) -> Mapping[str, Any]:
    """The hidden JSON, {} for none: the last, as users' words before it could forge one (in it, quotes are escaped)."""
    starts = [match.end() for match in _PARAMETERS.finditer(text)]
    try:
        found, _ = json.JSONDecoder().raw_decode(text, starts[-1]) if starts else ({}, 0)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _rows(text: str) -> list[tuple[list[str], str, _Link | None]]:
    """The visible rows: givers, recipient, link. The words quoted in a row may hold links: its own is its last."""
    starts = list(_ROW.finditer(text))
    ends = [*(match.start() for match in starts[1:]), len(text)]
    rows = []
    for match, end in zip(starts, ends, strict=False):  # without rows there is an end, and no start
        links = [link for url in _TARGET.findall(text, match.end(), end) if (link := _link(url)) and link.comment]
        rows.append((_GIVERS.findall(match[1]), named(match[2]), links[-1] if links else None))
    return rows


def _link(url: str) -> _Link | None:
    match = _PERMALINK.fullmatch(url)
    if match is None:
        return None
    context = int(found[1]) if (found := _CONTEXT.search(match[3] or "")) else 0
    return _Link(thread=f"t3_{match[1]}", comment=f"t1_{match[2]}" if match[2] else "", context=context)


def _thread(text: str, hidden: Mapping[str, Any], links: list[_Link]) -> str:
    """The thread that a log is about. What the bot says of it itself precedes all that users could have written."""
    for url in (*_THIS_POST.findall(text)[:1], _text(hidden, "linkToPost")):
        if link := _link(url):
            return link.thread
    threads = {link.thread for link in links}
    return threads.pop() if len(threads) == 1 else ""


def _from_record(record: Any, thread: str, op: str) -> Logged | None:
    """An award of the hidden JSON; None when it cannot be read."""
    fields = record if isinstance(record, dict) else {}
    link, name = _link(_text(fields, "awardedLink")), _text(fields, "deltaCommentFullName")
    awarded = link.comment if link and link.thread == thread else ""
    awarding = name if _COMMENT_ID.fullmatch(name) else ""
    by, to = named(_text(fields, "awardingUsername")), named(_text(fields, "awardedUsername"))
    by_op = same_author(by.casefold(), op.casefold())
    return Logged(awarding=awarding, awarded=awarded, by=by, by_op=by_op, to=to) if awarding or awarded else None


def _from_row(givers: list[str], to: str, link: _Link | None, thread: str, op: str) -> Iterator[Logged | None]:
    """The awards of a visible row, one a giver; None when it cannot be read."""
    if link is None or link.thread != thread or link.context not in (*_AWARDED, _AWARDING):
        yield None
        return
    awarding, awarded = (link.comment, "") if link.context == _AWARDING else ("", link.comment)
    for giver in givers:
        said = giver.casefold() == "op"
        by = op if said else named(giver)
        by_op = said or same_author(by.casefold(), op.casefold())
        yield Logged(awarding=awarding, awarded=awarded, by=by, by_op=by_op, to=to)


def _distinct(entries: Iterable[Logged]) -> tuple[Logged, ...]:
    """Each award once; one that names no awarding comment only where none of the same giver does."""
    found: dict[tuple[str, ...], Logged] = {}
    full = set()
    for entry in sorted(entries, key=lambda entry: not entry.awarding):
        giver = (entry.awarded, "" if entry.by_op else entry.by.casefold())
        if entry.awarding:
            found.setdefault((entry.awarding,), entry)
            full.add(giver)
        elif giver not in full:
            found.setdefault(giver, entry)
    return tuple(found.values())


def _text(record: Mapping[str, Any], field: str) -> str:
    value = record.get(field)
    return value if isinstance(value, str) else ""
