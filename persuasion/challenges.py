"""What may stand as a completion, by ``pairs.unit``: one comment, or all that a challenger wrote down one path.

- ``root``: a top-level comment, which the post alone makes sense of.
- ``path``: the challenger's own comments from a top-level one downward, without OP's answers between them
  (the *rooted path-unit* of Tan et al. 2016, section 3, arXiv:1602.01103).
- ``nested``: any comment; the prompt is the post and the comments above it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from persuasion.discussions import ABSENT, NOBODY, POST, Discussions, Flags

Parts = tuple[int, ...]
"""The rows of a completion, from the top down; its last is its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """An awarded completion: its rows, and the rows between it and the post that its prompt shows."""

    parts: Parts
    above: Parts


def challenge(talk: Discussions, row: int, unit: str) -> Challenge | str:
    """What the award to ``row`` makes of it, or why it makes nothing."""
    if unit == "root":
        return Challenge(parts=(row,), above=()) if talk.parent[row] == POST else "nested"
    path = _path(talk, row)
    if path is None:
        return "broken_path"
    if unit == "nested":
        return "broken_path" if _unshowable(talk, path[:-1]) else Challenge(parts=(row,), above=path[:-1])
    if not _same(talk, path[0], row):
        return "not_root_challenger"
    own = tuple(one for one in path if _same(talk, one, row) and not talk.gone[one])
    return Challenge(parts=own, above=())


def rivals(talk: Discussions, row: int, free: Flags, unit: str) -> list[Parts]:
    """What stands against the award to ``row``: of the rows that are ``free``, those of the same place.

    For ``path``, the longest own path below each free top-level comment.
    """
    thread = talk.rows_of(int(talk.post[row]))
    place = talk.parent[row] if unit == "nested" else POST
    rows = (np.flatnonzero(free[thread] & (talk.parent[thread] == place)) + thread.start).tolist()
    if unit == "path":
        return _own_paths(talk, rows, thread, free)
    return [(one,) for one in rows if one != row]


def shown_above(talk: Discussions, above: Sequence[int]) -> str:
    """The comments above a nested one, as the end of its prompt; "" for none."""
    speakers = ("OP" if talk.op[row] else "Reply" for row in above)
    return "".join(f"\n\n{who}: {text}" for who, text in zip(speakers, talk.texts(above), strict=True))


def _path(talk: Discussions, row: int) -> Parts | None:
    """The rows from the top-level comment down to ``row``; None where one is missing or they run in a circle."""
    path = [row]
    while (above := int(talk.parent[path[-1]])) != POST:
        if above == ABSENT or talk.post[above] != talk.post[row] or len(path) > len(talk.post):
            return None
        path.append(above)
    return tuple(reversed(path))


def _unshowable(talk: Discussions, above: Sequence[int]) -> bool:
    """Whether a comment above has lost its text, or is a bot's or a moderator's."""
    return any(talk.gone[row] or not (talk.person[row] or talk.op[row]) for row in above)


def _same(talk: Discussions, one: int, other: int) -> bool:
    return one == other or (talk.author[one] != NOBODY and talk.author[one] == talk.author[other])


def _own_paths(talk: Discussions, roots: Sequence[int], thread: slice, free: Flags) -> list[Parts]:
    """Below each root, the path with most comments by its author; of equals, that which ends first."""
    own: dict[int, Parts] = {root: (root,) for root in roots}
    authors = {int(talk.author[root]) for root in roots} - {NOBODY}
    for row in (np.flatnonzero(free[thread]) + thread.start).tolist():
        if int(talk.author[row]) not in authors or talk.parent[row] == POST:
            continue
        path = _path(talk, row)
        if path is None or path[0] not in own or not _same(talk, path[0], row):
            continue
        parts = tuple(one for one in path if _same(talk, one, row) and not talk.gone[one])
        if len(parts) > len(own[path[0]]):
            own[path[0]] = parts
    return list(own.values())
