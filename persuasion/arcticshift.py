"""Replies of Arctic Shift's API, and Reddit's own listings, to raw records.

Searches answer ``{"data": [record, …]}``, comment trees ``{"data": [{"kind": "t1", "data": {…, "replies":
listing}}]}`` with ``"more"`` stubs for what was not sent (its API's README), Reddit's own pages
``[listing of the post, listing of its comments]``. Trees are walked, never recursed into.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from persuasion.documents import entries
from persuasion.errors import DataFailure
from persuasion.rawfields import Refused
from persuasion.reddit import Outcome, Place, Refuse, Skip, Skipped, parse


def records(text: str, name: str, subreddit: str) -> Iterator[tuple[Place, Outcome]]:
    """Read one file: one reply, several after one another, or a list of records.

    A place counts records; its bytes are the reply's, or the list entry's, that holds the record.
    Raises DataFailure for a text that is not JSON, and for a reply that is an error message.
    """
    line = 0
    for entry, place in entries(text, name):
        _refuse_error(entry, name)
        for record in unfolded(entry):
            line += 1
            yield replace(place, line=line), outcome(record, subreddit)


def unfolded(entry: Any) -> Iterator[Any]:
    """Yield the records of a reply, a listing, a list or a bare record, each before its own replies.

    Ids among children and replies are links to records that stand elsewhere, and are passed over.
    """
    waiting = [entry]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif _is_listing(node):
            waiting += _linked(node["data"].get("children"))
        elif isinstance(node, dict) and "kind" not in node and isinstance(node.get("data"), list):
            waiting.append(node["data"])
        else:
            record = _bare(node)
            yield record
            waiting += _replies(record)


def outcome(record: Any, subreddit: str) -> Outcome:
    """Turn one record into a raw one, or say why not; a ``more`` stub is refused as ``stub``."""
    if not isinstance(record, Mapping):
        return Refuse(reason="not_object")
    try:
        return parse(record, subreddit)
    except Refused as refused:
        return Refuse(reason=str(refused))
    except Skipped as skipped:
        return Skip(reason=str(skipped))


def _bare(node: Any) -> Any:
    """A record without its ``{"kind", "data"}``."""
    wrapped = isinstance(node, dict) and "kind" in node and isinstance(node.get("data"), dict)
    return node["data"] if wrapped else node


def _is_listing(node: Any) -> bool:
    return isinstance(node, dict) and node.get("kind") == "Listing" and isinstance(node.get("data"), dict)


def _replies(record: Any) -> list[Any]:
    """A record's replies, the last first: a listing, a list, or "" when there are none."""
    replies = record.get("replies") if isinstance(record, dict) else None
    if isinstance(replies, list):
        return _linked(replies)
    return [replies] if isinstance(replies, dict) else []


def _linked(children: Any) -> list[Any]:
    children = children if isinstance(children, list) else [children]
    return [child for child in reversed(children) if not isinstance(child, str)]


def _refuse_error(entry: Any, name: str) -> None:
    if isinstance(entry, dict) and entry.get("error") and not entry.get("data"):
        raise DataFailure(
            f"{name} holds an error of the API and no data",
            why=ascii(entry["error"])[:120],
            fix="ask the API again, more slowly",
        )
