"""SHP (Ethayarajh et al. 2022), one JSON object a line, to raw records.

A row sets two root replies to one post against each other: ``labels`` is 1 when A is preferred, 0
when B is, because it has more votes although it came later. These are votes, not deltas, so the
label is ``score``. Authors, and the post's time, are not in the data.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from persuasion.documents import rows
from persuasion.dumps import Line
from persuasion.preferences import SCORE, Collected, parsed, renamed
from persuasion.reddit import Outcome, Place, Refuse, Skip

FIELDS = frozenset({"post_id", "history", "human_ref_A", "human_ref_B", "labels"})
PARTS = ("_train", "_validation", "_test")


def records(lines: Iterable[Line], subreddit: str) -> Iterator[tuple[Place, Outcome]]:
    """Read rows of any number of files: three records a row, or one refusal or skip for the whole row.

    Everything is held until the last line, because a reply's rivals may stand anywhere.
    """
    collected = Collected()
    for place, row in rows(lines):
        outcome = row if isinstance(row, Refuse | Skip) else _unusable(row, subreddit)
        if outcome is None:
            _add(collected, place, row, subreddit)  # type: ignore[arg-type]
        else:
            collected.add(place, outcome)
    yield from collected.entries


def _unusable(row: Mapping[str, Any], subreddit: str) -> Outcome | None:
    """Why a row gives no records, or None."""
    if not row.keys() >= FIELDS:
        return Refuse(reason="missing_field")
    domain = row.get("domain", subreddit)
    if not isinstance(domain, str) or row["labels"] not in (0, 1):
        return Refuse(reason="wrong_type")
    home = next((domain.removesuffix(part) for part in PARTS if domain.endswith(part)), domain)
    if home.casefold() != subreddit.casefold():
        return Skip(reason="other_subreddit")
    return Refuse(reason="same_completions") if row["human_ref_A"] == row["human_ref_B"] else None


def _add(collected: Collected, place: Place, row: Mapping[str, Any], subreddit: str) -> None:
    collected.add(place, parsed({"title": "", **renamed(row, {"post_id": "id", "history": "selftext"})}, subreddit))
    a, b = (collected.add(place, _reply(row, side, subreddit)) for side in "AB")
    if a is not None and b is not None:
        collected.prefer(*((a, b) if row["labels"] == 1 else (b, a)), SCORE)


def _reply(row: Mapping[str, Any], side: str, subreddit: str) -> Outcome:
    names = {
        f"c_root_id_{side}": "id",
        f"human_ref_{side}": "body",
        f"created_at_utc_{side}": "created_utc",
        f"score_{side}": "score",
    }
    post = row["post_id"]
    thread = f"t3_{post}" if isinstance(post, str) and not post.startswith("t3_") else post
    return parsed({"link_id": thread, "parent_id": thread, **renamed(row, names)}, subreddit)
