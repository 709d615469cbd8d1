"""The data of Tan et al. 2016 (cmv.tar.bz2), one JSON object a line in each of three tasks, to raw records.

``all`` holds whole threads as Reddit's API gave them, with stubs for comments it did not give; its
deltas stand in DeltaBot's replies. ``pair_task`` holds a post, a path of replies that won OP's delta
and one that did not, both by the author of the path's root reply. ``op_task`` holds posts alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from persuasion.arcticshift import outcome, unfolded
from persuasion.documents import rows
from persuasion.dumps import Line
from persuasion.preferences import GIVEN, Collected, named, parsed, renamed
from persuasion.reddit import Outcome, Place, RawSubmission, Refuse, Skip

ALL, PAIR, OP = "all", "pair", "op"
TASKS = (ALL, PAIR, OP)  # the best first: one task is read, the lines of the others are skipped
FOLDERS = ("all", "pair_task", "op_task")
_POST = {"op_name": "id", "op_author": "author", "op_title": "title", "op_text": "selftext"}
_COMMENT = ("id", "name", "parent_id", "author", "created_utc", "score", "subreddit", "distinguished", "edited", "body")


def task(row: Mapping[str, Any]) -> str:
    """Which task a row is of, by its fields: ``all``, ``pair`` or ``op``; "" for none."""
    if row.keys() >= {"op_text", "positive", "negative"}:
        return PAIR
    if "comments" in row:
        return ALL
    return OP if "delta_label" in row else ""


def records(lines: Iterable[Line], wanted: str, subreddit: str) -> Iterator[tuple[Place, Outcome]]:
    """Read the rows of the ``wanted`` task, which may be spread over files; other tasks' are skipped.

    Threads (``all``) stream; pairs are held until the last line, because a reply's rivals may stand
    anywhere. A place is that of the row, so several records share it.
    """
    collected = Collected()
    for place, row in rows(lines):
        if isinstance(row, Refuse | Skip):
            yield place, row
        elif task(row) != wanted:
            yield place, Skip(reason="other_task") if task(row) else Refuse(reason="missing_field")
        elif wanted == ALL:
            yield from ((place, outcome(record, subreddit)) for record in _thread(row))
        elif wanted == PAIR:
            _add_pair(collected, place, row, subreddit)
        else:
            names = {"name": "id", "title": "title", "selftext": "selftext"}
            collected.add(place, parsed(renamed(row, names), subreddit))
    yield from collected.entries


def _thread(row: Mapping[str, Any]) -> Iterator[Any]:
    """The post, then its comments; one that is no list counts as one record that is no object."""
    yield {name: value for name, value in row.items() if name != "comments"}
    comments = row["comments"]
    yield from unfolded(comments if isinstance(comments, list) else [str(comments)])


def _add_pair(collected: Collected, place: Place, row: Mapping[str, Any], subreddit: str) -> None:
    """Add a row's post and two paths; when the post is unusable, its outcome stands for the row."""
    post = parsed(renamed(row, _POST), subreddit)
    collected.add(place, post)
    if isinstance(post, RawSubmission):
        sides = [_add_path(collected, place, row[side], post.id, subreddit) for side in ("positive", "negative")]
        if sides[0] is not None:
            collected.prefer(sides[0], sides[1], GIVEN)


def _add_path(collected: Collected, place: Place, path: Any, thread: str, subreddit: str) -> str | None:
    """Add a path's comments and return the id of its root reply, None when that became no row."""
    comments = path.get("comments") if isinstance(path, dict) else path
    if not isinstance(comments, list) or not comments:
        reason = "wrong_type" if comments and not isinstance(comments, list) else "missing_field"
        collected.add(place, Refuse(reason=reason))
        return None
    ids: list[str | None] = []
    for comment in comments:
        above = next((id_ for id_ in reversed(ids) if id_), thread)
        ids.append(collected.add(place, _comment(comment, thread, above, subreddit)))
    return ids[0]


def _comment(comment: Any, thread: str, above: str, subreddit: str) -> Outcome:
    """A comment of a path; where the data names no parent, it is the one ``above``."""
    if not isinstance(comment, dict):
        return Refuse(reason="not_object")
    known = {name: comment[name] for name in _COMMENT if name in comment}
    if not known.keys() & {"id", "name"}:
        known["id"] = named("t1", f"{thread}\0{known.get('body')}")
    return parsed({"parent_id": above, **known, "link_id": thread}, subreddit)
