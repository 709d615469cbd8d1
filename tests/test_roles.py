import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.records import BOT, DELETED, MODERATOR, PERSON
from persuasion.roles import BOTS, comment_role, comment_roles, submission_role
from tests.builders import parsed, raw_comment, raw_submission

REMOVED = "u/some_name \u2013 your comment has been removed for breaking Rule 2"
AUTHORS = st.sampled_from(["someone", "[deleted]", "AutoModerator", "changemyview-modteam", "DeltaBot", "other"])
BODIES = st.lists(
    st.sampled_from(["[deleted]", "[removed]", " ", "\n", "\u00a0", "Sorry, ", REMOVED, "tea", "remo", "ved"]),
    max_size=4,
).map("".join)
MARKS = st.sampled_from([None, "", "moderator", "admin", "special"])


def role_of_comment(record):
    return comment_role(record.author, record.body, record.distinguished)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, PERSON),
        ({"author": "[deleted]"}, DELETED),
        ({"author": None}, DELETED),
        ({"body": "[removed]"}, DELETED),
        ({"body": " [deleted] \n"}, DELETED),
        ({"body": "[deleted] is what it said."}, PERSON),
        ({"author": "AutoModerator", "distinguished": "moderator"}, BOT),
        ({"author": "deltabot"}, BOT),
        ({"distinguished": "moderator"}, MODERATOR),
        ({"distinguished": "admin"}, MODERATOR),
        ({"distinguished": "special"}, PERSON),
        ({"author": "ChangeMyView-ModTeam"}, MODERATOR),
        ({"body": "Sorry, u/some_name \u2013 your comment has been removed for breaking Rule 2"}, MODERATOR),
        ({"body": "/u/some_name, your comment has been removed: see the rules"}, MODERATOR),
        ({"body": "u/some_name - your submission has been removed for breaking Rule B"}, MODERATOR),
        ({"body": "My appendix was removed, and your comment helped."}, PERSON),
    ],
)  # fmt: skip
def test_roles_of_comments(changes, expected):
    assert role_of_comment(parsed(raw_comment(**changes))) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [("[META] A new rule", MODERATOR), ("Meta: feedback", MODERATOR), ("[Mod Post] Hello", MODERATOR),
     ("Fresh Topic Friday", MODERATOR), ("CMV: Meta analyses are overrated", PERSON), ("Metaphors lie CMV", PERSON)],
)  # fmt: skip
def test_roles_of_submissions(title, expected):
    post = parsed(raw_submission(title=title))
    assert submission_role(post.author, post.title, post.selftext, post.distinguished) == expected


def test_bots_are_named_as_they_are_compared():
    assert {name.casefold() for name in BOTS} == BOTS


@given(st.lists(st.tuples(AUTHORS, BODIES, MARKS), max_size=6))
def test_many_roles_are_those_of_each(rows):
    authors, bodies, marks = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    roles = comment_roles(authors, bodies, marks, pa.array(bodies, pa.string()))
    assert roles == [comment_role(*row) for row in rows]
