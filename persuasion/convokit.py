"""ConvoKit's winning-args-corpus (Tan et al. 2016, its original release) to raw records.

``utterances.jsonl`` holds posts and comments one a line, ``conversations.json`` the posts' titles.
``success`` is 1 or 0 on every utterance of a path that won or lost, OP's own replies included; only
the root reply by somebody else is what a pair compares, so only it is labelled. ``pair_ids`` say
which root replies were set against each other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from persuasion.documents import rows
from persuasion.dumps import Line
from persuasion.preferences import GIVEN, parsed, renamed
from persuasion.reddit import Outcome, Place, RawComment, Refuse, Skip, same_author

Rivals = dict[str, tuple[str, ...]]  # winning root reply -> the losing ones set against it
NOBODY = "[missing]"
_META = ("score", "subreddit", "distinguished", "edited")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """A root reply with a verdict."""

    id: str
    thread: str
    author: Any
    won: bool
    pairs: tuple[str, ...]


def records(
    utterances: Callable[[], Iterable[Line]], conversations: Mapping[str, Any], subreddit: str
) -> Iterator[tuple[Place, Outcome]]:
    """Read the utterances twice, for the labels and for the records; only labelled replies are held."""
    rivals = _rivals(utterances(), conversations)
    for place, row in rows(utterances()):
        if isinstance(row, Refuse | Skip):
            yield place, row
            continue
        raw = _outcome(row, conversations, subreddit)
        if isinstance(raw, RawComment) and raw.id in rivals:
            raw = replace(raw, given=GIVEN, rivals=rivals[raw.id])
        yield place, raw


def is_utterance(row: Mapping[str, Any]) -> bool:
    """Whether an object has the fields of an utterance, in ConvoKit's old names or its new ones."""
    named = ({"speaker", "user"}, {"conversation_id", "root"}, {"reply_to", "reply-to"})
    return "text" in row and all(row.keys() & names for names in named)


def _rivals(lines: Iterable[Line], conversations: Mapping[str, Any]) -> Rivals:
    ops = {root: _about(conversations, root).get("op-userID") for root in conversations}
    replies = []
    for _, row in rows(lines):
        if isinstance(row, dict):
            if row.get("id") == _root(row) and isinstance(_root(row), str):
                ops[_root(row)] = _speaker(row)
            replies += _judged(row)
    winners: Rivals = {}
    losers: dict[tuple[str, str], set[str]] = defaultdict(set)
    challengers = [reply for reply in replies if not same_author(str(reply.author), str(ops.get(reply.thread)))]
    for reply in challengers:
        for pair in reply.pairs if not reply.won else ():
            losers[reply.thread, pair].add(reply.id)
    for reply in challengers:
        if reply.won:
            found = {rival for pair in reply.pairs for rival in losers[reply.thread, pair]}
            winners[reply.id] = tuple(sorted(found - {reply.id}))
    return winners


def _judged(row: Mapping[str, Any]) -> list[_Reply]:
    """The row as a root reply with a verdict, or nothing."""
    meta, root, id_ = _meta(row), _root(row), row.get("id")
    success = meta.get("success")
    if not isinstance(id_, str) or not isinstance(root, str) or _above(row) != root or success not in (0, 1):
        return []
    pairs = meta.get("pair_ids")
    pairs = pairs if isinstance(pairs, list) else [pairs]
    found = tuple(pair for pair in pairs if isinstance(pair, str))
    return [_Reply(id=_kinded(id_, "t1"), thread=root, author=_speaker(row), won=success == 1, pairs=found)]


def _outcome(row: Mapping[str, Any], conversations: Mapping[str, Any], subreddit: str) -> Outcome:
    text, root, author = row.get("text"), _root(row), _speaker(row)
    if author in (None, NOBODY) and not text:
        return Refuse(reason="stub")
    record = {**renamed(_meta(row), {name: name for name in _META}), "id": row.get("id"), "author": author}
    record["created_utc"] = row.get("timestamp")
    if row.get("id") == root:
        about = _about(conversations, root)
        title = about.get("op-title")
        body = about.get("op-text-body") if text is None else text
        return parsed({**record, "title": title if isinstance(title, str) else "", "selftext": body}, subreddit)
    above = _above(row)
    parent = _kinded(above, "t3" if above == root else "t1")
    return parsed({**record, "link_id": _kinded(root, "t3"), "parent_id": parent, "body": text}, subreddit)


def _about(conversations: Mapping[str, Any], root: Any) -> Mapping[str, Any]:
    """What is known of a conversation; newer files have it under ``meta``."""
    about = conversations.get(root) if isinstance(root, str) else None
    about = about if isinstance(about, dict) else {}
    meta = about.get("meta")
    return meta if isinstance(meta, dict) else about


def _meta(row: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = row.get("meta")
    return meta if isinstance(meta, dict) else {}


def _root(row: Mapping[str, Any]) -> Any:
    return row.get("conversation_id", row.get("root"))


def _above(row: Mapping[str, Any]) -> Any:
    return row.get("reply_to", row.get("reply-to"))


def _speaker(row: Mapping[str, Any]) -> Any:
    return row.get("speaker", row.get("user"))


def _kinded(id_: Any, kind: str) -> Any:
    """A bare id with its kind; anything else is left for ``reddit.parse`` to refuse."""
    return f"{kind}_{id_}" if isinstance(id_, str) and not id_.startswith(("t1_", "t3_")) else id_
