"""Reddit's raw form as the Pushshift dumps keep it, with the types and fields that change by month.

Times are strings in comments to 2015-11 and in posts from 2014-01 to 2015-11, ``edited`` is false
or an int or a float, a score can be null in 2017-10/11, and fields come and go (the schemas of
Arctic Shift, months from 2013-01 on). Texts hold ``&``, ``<`` and ``>`` as entities.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

SUBREDDIT, SUBREDDIT_ID = "changemyview", "t5_2w2s8"
DELETED, REMOVED = "[deleted]", "[removed]"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RETRIEVED_AFTER = 30 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a post and a comment share; ``body`` is raw, ``edited`` in seconds after ``created`` or 0."""

    number: int
    author: str
    body: str
    created: int
    score: int
    flair: str | None = None
    edited: int = 0
    distinguished: str | None = None
    stickied: bool = False


def base36(number: int) -> str:
    """A number in Reddit's spelling of ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def escaped(text: str) -> str:
    """Entities as in the dumps (quotes included: ``> a`` becomes ``&gt; a``)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def month(created: int) -> tuple[int, int]:
    """The UTC year and month of a time, comparable."""
    moment = datetime.fromtimestamp(created, UTC)
    return moment.year, moment.month


def raw_submission(said: Said, title: str, comments: int, link_flair: str | None) -> dict[str, Any]:
    """A line of the submissions file; ``said.body`` is the selftext."""
    name, when = base36(said.number), month(said.created)
    place = f"/r/{SUBREDDIT}/comments/{name}/cmv/"
    row = _shared(said) | {
        "title": title,
        "selftext": said.body,
        "created_utc": str(said.created) if (2014, 1) <= when <= (2015, 11) else said.created,
        "num_comments": comments,
        "link_flair_text": link_flair,
        "permalink": place,
        "url": f"https://www.reddit.com{place}",
        "domain": f"self.{SUBREDDIT}",
        "is_self": True,
        "over_18": False,
    }
    if when >= (2017, 8):
        row["crosspost_parent"] = None
    if when >= (2019, 9):
        row["removed_by_category"] = "moderator" if said.body == REMOVED else None
    return row


def raw_comment(said: Said, post: int, parent_id: str, is_op: bool) -> dict[str, Any]:
    """A line of the comments file; ``post`` is the submission's number, ``parent_id`` has its kind."""
    name, when = base36(said.number), month(said.created)
    row = _shared(said) | {
        "body": said.body,
        "created_utc": str(said.created) if when <= (2015, 11) else said.created,
        "link_id": f"t3_{base36(post)}",
        "parent_id": parent_id,
        "controversiality": 0,
    }
    if when < (2015, 8):
        row["name"] = f"t1_{name}"
    if when >= (2017, 7):
        row["is_submitter"] = is_op
    if when >= (2017, 10):
        row["permalink"] = f"/r/{SUBREDDIT}/comments/{base36(post)}/cmv/{name}/"
    return row


def _shared(said: Said) -> dict[str, Any]:
    when = month(said.created)
    row = {
        "id": base36(said.number),
        "author": said.author,
        "author_flair_text": said.flair,
        "author_flair_css_class": None,
        "distinguished": said.distinguished,
        "edited": _edited(said),
        "gilded": 0,
        "retrieved_on": said.created + _RETRIEVED_AFTER,
        "score": None if when in ((2017, 10), (2017, 11)) and said.number % 2 else said.score,
        "stickied": said.stickied,
        "subreddit": SUBREDDIT,
        "subreddit_id": SUBREDDIT_ID,
    }
    if when >= (2018, 7) and said.author != DELETED:
        row["author_fullname"] = f"t2_{sha256(said.author.encode()).hexdigest()[:7]}"
    return row


def _edited(said: Said) -> bool | int | float:
    if not said.edited:
        return False
    moment = said.created + said.edited
    return moment if month(said.created) < (2015, 1) else float(moment)
