"""The fields of dump records, month by month, with the types that drift (schemas of Arctic Shift).

About 20 fields in a comment of 2013, about 50 since the middle of 2018. Knows nothing of what is said.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

SUBREDDIT = "changemyview"
INT_TIMES, MODERN = 1_448_928_000, 1_530_403_200  # December 2015: times become numbers; July 2018: 50 fields
NO_NAME, NAME_AGAIN = 1_438_387_200, 1_609_459_200  # August 2015 to January 2021: comments without `name`
NULL_SCORES = range(1_506_816_000, 1_512_086_400)  # October and November 2017
NO_RETRIEVAL = range(1_612_137_600, 1_625_097_600)  # February to June 2021: comments without `retrieved_on`
SUBMITTER, PERMALINK = 1_498_867_200, 1_506_816_000  # July and October 2017
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HOME = {"subreddit": SUBREDDIT, "subreddit_id": "t5_2w2s8"}
_FLAIR = {"author_flair_css_class": None, "author_flair_text": None}
_POINTS = {"author_flair_css_class": "points", "author_flair_text": "12\u2206"}
_MODERN_AUTHOR: dict[str, Any] = {
    "author_flair_background_color": "", "author_flair_richtext": [], "author_flair_template_id": None,
    "author_flair_text_color": "dark", "author_flair_type": "text", "author_patreon_flair": False, "awarders": [],
}  # fmt: skip
_MODERN_COMMENT: dict[str, Any] = {
    "archived": False, "associated_award": None, "can_gild": True, "can_mod_post": False,
    "collapsed_because_crowd_control": None, "collapsed_reason": None, "collapsed_reason_code": None,
    "comment_type": None, "controversiality": 0, "gilded": 0, "gildings": {}, "locked": False, "no_follow": True,
    "quarantined": False, "removal_reason": None, "score_hidden": False, "send_replies": True,
    "subreddit_name_prefixed": f"r/{SUBREDDIT}", "subreddit_type": "public", "top_awarded_type": None,
    "total_awards_received": 0, "treatment_tags": [], "unrepliable_reason": None,
}  # fmt: skip
_OLD_COMMENT: dict[str, Any] = {"archived": True, "controversiality": 0, "gilded": 0, "score_hidden": False}
_OLD_SUBMISSION: dict[str, Any] = {
    "archived": True, "domain": f"self.{SUBREDDIT}", "gilded": 0, "hide_score": False, "is_self": True,
    "link_flair_css_class": None, "media": None, "media_embed": {}, "over_18": False, "quarantine": False,
    "saved": False, "secure_media": None, "secure_media_embed": {}, "thumbnail": "self",
}  # fmt: skip
_MODERN_SUBMISSION: dict[str, Any] = {
    "allow_live_comments": False, "brand_safe": True, "can_mod_post": False, "contest_mode": False,
    "crosspost_parent": None, "gildings": {}, "hidden": False, "is_crosspostable": True, "is_meta": False,
    "is_original_content": False, "is_reddit_media_domain": False, "is_robot_indexable": True, "is_video": False,
    "locked": False, "media_only": False, "no_follow": False, "num_crossposts": 0,
    "parent_whitelist_status": "all_ads", "pinned": False, "pwls": 6, "removed_by_category": None,
    "send_replies": True, "spoiler": False, "subreddit_subscribers": 900_000, "subreddit_type": "public",
    "suggested_sort": "confidence", "total_awards_received": 0, "upvote_ratio": 0.8, "whitelist_status": "all_ads",
}  # fmt: skip
_AWARDING: dict[str, Any] = {
    "award_sub_type": "GLOBAL", "award_type": "global", "coin_price": 125, "coin_reward": 0, "count": 1,
    "icon_height": 2048, "icon_url": "https://i.redd.example/award.png", "icon_width": 2048, "id": "award_1",
    "is_enabled": True, "name": "Warmth", "resized_icons": [
        {"height": side, "url": f"https://preview.redd.example/award.png?width={side}&amp;height={side}", "width": side}
        for side in (16, 32, 48, 64, 128)
    ],
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What posts and comments share: ``body`` raw, ``edited`` in seconds after ``created`` or 0."""

    id: str
    author: str
    body: str
    created: int
    score: int
    edited: int
    distinguished: str | None
    stickied: bool


def base36(number: int) -> str:
    """A number in Reddit's spelling of ids."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def comment(said: Said, post: str, parent_id: str, is_op: bool) -> dict[str, Any]:
    """The record of a comment on the submission ``post``; ``parent_id`` has its kind."""
    when = said.created
    row = _shared(said) | {"body": said.body, "link_id": f"t3_{post}", "parent_id": parent_id}
    if when < MODERN:
        row |= _OLD_COMMENT | {"downs": 0, "ups": said.score}
    else:
        row |= _MODERN_COMMENT | {"collapsed": said.score < -5}
    if not NO_NAME <= when < NAME_AGAIN:
        row["name"] = f"t1_{said.id}"
    if when >= SUBMITTER:
        row["is_submitter"] = is_op
    if when >= PERMALINK:
        row["permalink"] = f"/r/{SUBREDDIT}/comments/{post}/cmv/{said.id}/"
    if when in NO_RETRIEVAL:
        del row["retrieved_on"]
    return row


def submission(said: Said, title: str, comments: int, link_flair: str | None) -> dict[str, Any]:
    """The record of a post; ``said.body`` is its selftext."""
    place = f"/r/{SUBREDDIT}/comments/{said.id}/cmv/"
    row = _shared(said) | _OLD_SUBMISSION
    row |= {"selftext": said.body, "title": title, "num_comments": comments, "link_flair_text": link_flair}
    row |= {"permalink": place, "url": f"https://www.reddit.com{place}"}
    if said.created < MODERN:
        return row | {"downs": 0, "name": f"t3_{said.id}", "ups": said.score, "from": None, "from_id": None}
    return row | _MODERN_SUBMISSION


def _shared(said: Said) -> dict[str, Any]:
    when, number = said.created, _number(said.author)
    row: dict[str, Any] = {
        "author": said.author,
        "created_utc": str(when) if when < INT_TIMES else when,
        "distinguished": said.distinguished,
        "edited": _edited(said),
        "id": said.id,
        "retrieved_on": when + 9000,
        "score": None if when in NULL_SCORES and number % 2 else said.score,
        "stickied": said.stickied,
        **_HOME,
        **(_FLAIR if number % 4 else _POINTS),
    }
    if when >= MODERN:
        row |= _MODERN_AUTHOR | {
            "all_awardings": [] if number % 50 else [_AWARDING],
            "author_created_utc": 1_200_000_000 + number,
            "author_fullname": f"t2_{base36(number)}",
            "author_premium": number % 30 == 0,
        }
    return row


@cache
def _number(author: str) -> int:
    """A number of the author's own, from the name's letters."""
    return int.from_bytes(author.encode()[-7:], "big") % 99_999_989


def _edited(said: Said) -> bool | int | float:
    if not said.edited:
        return False
    moment = said.created + said.edited
    return moment if said.created < INT_TIMES else float(moment)
