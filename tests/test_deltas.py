import pytest

from persuasion.deltas import awards, confirmed_name, has_token, is_removal
from tests.builders import AT, parsed, raw_comment, raw_submission

POST = parsed(raw_submission())


def confirmed(name):
    return {"body": f"Confirmed: 1 delta awarded to /u/{name}."}


def given(*extra, **changes):
    """Awards in a chain of challenger's ``reply``, OP's ``award`` and DeltaBot's ``bot``; None drops a link."""
    records = {
        "reply": {},
        "award": {"parent_id": "t1_reply", "author": "op_name", "body": "You are right, short naps help me. ∆"},
        "bot": {"parent_id": "t1_award", "author": "DeltaBot"} | confirmed("challenger"),
    }
    kept = {
        name: fields | (changes.get(name) or {})
        for name, fields in records.items()
        if changes.get(name, {}) is not None
    }
    comments = [*(raw_comment(id=name, **fields) for name, fields in kept.items()), *extra]
    by_id = {comment.id: comment for comment in map(parsed, comments)}
    return awards(POST, by_id)


@pytest.mark.parametrize(
    "body",
    ["Confirmed - 1 delta awarded to /u/Some_Name", "Confirmed - 1 point awarded to /u/Some_Name",
     "Confirmed: 1 delta awarded to /u/Some_Name. ^[[History](/r/changemyview/wiki/user/Some_Name)]",
     "Confirmed: 1 delta awarded to /u/Some\\_Name ([12∆](/r/changemyview/wiki/user/Some_Name)).",
     "Confirmed: 1 delta awarded to u/Some_Name ([1&#8710;](/r/x)).\n\n^Delta\u00a0System [\u200b](HTTP://DB3PARAMSSTART)",
     "Confirmation: delta awarded to /u/Some_Name",
     "The moderators have confirmed, either contextually or directly, that this is a delta-worthy acknowledgement "
     "of change.\n\n1 delta awarded to /u/Some_Name ([3∆](/r/x)).",
     "The moderators have confirmed that this unsuccessful delta attempt should be accepted.\n\n"
     "1 delta awarded to /u/Some_Name."],
)  # fmt: skip
def test_every_form_of_confirmation_names_the_recipient(body):
    assert confirmed_name(body) == "Some_Name"
    assert not is_removal(body)


REMOVALS = [
    "The moderators have confirmed that this is either delta misuse/abuse or an accidental delta. "
    "It has been removed from our records.",
    "A moderator has removed this delta.",
    "The moderators have decided to undo this delta award. Please [message them](/m).",
    "The delta awarded to /u/Some_Name has been removed.",
]
REFUSALS = [
    "This delta has been rejected. The length of your comment suggests that you haven't properly explained how "
    "/u/Some_Name changed your view (comment rule 4).",
    "This delta has been rejected. You can't award OP a delta.",
    "You cannot award OP a delta as the moderators feel that allowing so would send the wrong message.",
    "You have already awarded /u/Some_Name a delta in this comment thread.",
    "This delta is currently disallowed as your comment contains either no or little text.",
]
STICKY = "/u/op_name (OP) has awarded 2 delta(s) in this post.\n\nAll comments that earned deltas are listed here."


@pytest.mark.parametrize("body", [*REMOVALS, *REFUSALS, STICKY])
def test_refusals_removals_and_the_sticky_confirm_nothing(body):
    assert confirmed_name(body) is None
    assert is_removal(body) == (body in REMOVALS)


def test_the_grandparent_of_the_confirmation_earns_it():
    found, ignored = given()
    assert [(a.awarded, a.by, a.by_op, a.source, a.at) for a in found] == [
        ("t1_reply", "op_name", True, "confirmed", AT + 60)
    ]
    assert not ignored


def test_a_delta_needs_no_token_and_no_op():
    found, _ = given(award={"author": "passer_by", "body": "Well said."})
    assert [(a.awarded, a.by_op) for a in found] == [("t1_reply", False)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reply": {"author": "op_name"}, "award": {"author": "friend"}, "bot": confirmed("op_name")}, "to_op"),
        ({"award": {"author": "challenger"}}, "to_self"),
        ({"reply": {"author": "deltabot"}, "bot": confirmed("DeltaBot")}, "to_bot"),
        ({"award": {"parent_id": "t3_post"}}, "not_to_a_comment"),
        ({"award": {"parent_id": "t1_gone"}}, "no_awarded_comment"),
        ({"award": None}, "no_awarding_comment"),
        ({"bot": confirmed("other")}, "name_differs"),
        ({"bot": {"body": REFUSALS[0]}}, "bot_rejected"),
        ({"bot": {"body": STICKY, "parent_id": "t3_post"}}, "bot_other"),
    ],
)  # fmt: skip
def test_what_is_ignored_is_counted(changes, reason):
    found, ignored = given(**changes)
    assert found == []
    assert ignored[reason] == 1


def test_a_name_is_compared_without_case_and_not_with_a_deleted_account():
    assert len(given(bot=confirmed("Challenger"))[0]) == 1
    assert len(given(reply={"author": "[deleted]"})[0]) == 1


def test_one_awarding_comment_gives_one_delta_and_a_later_removal_takes_it_back():
    again = raw_comment(
        id="bot2", parent_id="t1_award", author="DeltaBot", created_utc=AT + 90, **confirmed("challenger")
    )
    assert len(given(again)[0]) == 1
    removal = again | {"body": REMOVALS[0]}
    assert given(removal) == ([], {"bot_removed": 1})
    refused_then_fixed, _ = given(again, bot={"body": REFUSALS[0]})
    assert len(refused_then_fixed) == 1


def test_tokens_count_only_for_op_where_the_bot_never_spoke():
    assert [(a.awarded, a.source) for a in given(bot=None)[0]] == [("t1_reply", "token")]
    assert given(bot=None, award={"author": "passer_by"})[0] == []
    assert given(bot={"body": STICKY, "parent_id": "t3_post"})[0] == []
    assert given(bot=None, award={"body": "I won't give you a !delta for that."}) == ([], {"token_negated": 1})


def test_two_deleted_accounts_are_not_op():
    deleted = parsed(raw_submission(author="[deleted]"))
    comments = [raw_comment(), raw_comment(id="award", parent_id="t1_reply", author="[deleted]", body="∆ indeed")]
    assert awards(deleted, {comment.id: comment for comment in map(parsed, comments)})[0] == []


@pytest.mark.parametrize(
    "body", ["∆", "have a Δ", "!DELTA for you", "&#8710; yes", "&amp;#8710;", "&Delta;", "x &#916;"]
)
def test_every_token_is_seen(body):
    assert has_token(body)


@pytest.mark.parametrize(
    "body",
    [
        "&gt; ∆ you said",
        "> !delta\n\nno",
        "    ∆ in code",
        "`!delta` is how",
        "```\n∆\n```\nno",
        "delta",
        "!deltas",
        "",
    ],
)
def test_quotes_code_and_words_are_no_tokens(body):
    assert not has_token(body)
