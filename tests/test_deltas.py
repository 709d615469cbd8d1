import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.deltalog import Log, Logged
from persuasion.deltas import CATCHING_UP, IGNORED, OLDER, awards
from persuasion.deltatokens import TOKEN_SIGNS, has_token, may_bear_token, negated
from persuasion.reddit import parse, same_author
from tests.builders import AT, raw_comment, raw_submission

GOLDEN = [json.loads(line) for line in Path(__file__).with_name("golden").joinpath("tokens.jsonl").open()]
REFUSAL = {"body": "This delta has been rejected. You can't award yourself a delta."}
REMOVAL = {"body": "A moderator has removed this delta."}
STICKY = {"body": "/u/op_name (OP) has awarded 2 delta(s) in this post.", "parent_id": "t3_post"}
CHAIN = {
    "reply": {},
    "award": {"parent_id": "t1_reply", "author": "op_name", "body": "You are right, short naps help. ∆"},
    "bot": {
        "parent_id": "t1_award",
        "author": "DeltaBot",
        "created_utc": AT + 120,
        "body": "Confirmed: 1 delta awarded to /u/challenger.",
    },
}


def confirmed(name):
    return {"body": f"Confirmed: 1 delta awarded to /u/{name}."}


def later(name, seconds=1000, **changes):
    """DeltaBot's next reply to ``award``."""
    return raw_comment(**CHAIN["bot"] | {"id": name, "created_utc": AT + seconds} | changes)


def entry(awarding="t1_award", awarded="t1_reply", by="op_name", by_op=True, to="challenger"):
    return Logged(awarding=awarding, awarded=awarded, by=by, by_op=by_op, to=to)


def log_of(*entries, **changes):
    """A log of the thread, made soon after the award and seen a day later."""
    fields = {"thread": "t3_post", "at": AT + 150, "seen": AT + 86_400, "written": AT + 5000, "logged": entries}
    return Log(**fields | changes)


def awarded(*extra, log=None, op="op_name", **changes):
    """Awards in the chain of ``reply``, OP's ``award`` and DeltaBot's ``bot``, changed by name; None drops a link."""
    links = {name: fields | (changes.get(name) or {}) for name, fields in CHAIN.items()}
    kept = {name: fields for name, fields in links.items() if changes.get(name, fields) is not None}
    records = [*(raw_comment(**{"id": name} | fields) for name, fields in kept.items()), *extra]
    comments = [parse(record, "changemyview") for record in records]
    post = parse(raw_submission(author=op), "changemyview")
    found, ignored = awards(post, {comment.id: comment for comment in comments}, log)
    assert set(ignored) <= set(IGNORED)
    return found, dict(ignored)


def sources(found):
    return [(award.awarded, award.by, award.by_op, award.source, award.at - AT) for award in found]


THE_AWARD = ("t1_reply", "op_name", True, "confirmed", 60)
THE_LOGGED = ("t1_reply", "op_name", True, "deltalog", 60)


def test_the_grandparent_of_the_confirmation_earns_it():
    found, ignored = awarded()
    assert (sources(found), ignored) == ([THE_AWARD], {})


def test_a_delta_needs_no_token_and_no_op():
    found, _ = awarded(award={"author": "passer_by", "body": "Well said."})
    assert sources(found) == [("t1_reply", "passer_by", False, "confirmed", 60)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reply": {"author": "op_name"}, "award": {"author": "friend"}, "bot": confirmed("op_name")}, "to_op"),
        ({"award": {"author": "challenger"}}, "to_self"),
        ({"award": {"parent_id": "t1_award"}, "bot": confirmed("op_name")}, "to_self"),
        ({"award": {"parent_id": "t1_award", "author": "[deleted]"}}, "to_self"),
        ({"reply": {"author": "AutoModerator"}, "bot": confirmed("AutoModerator")}, "to_bot"),
        ({"reply": {"author": "[deleted]"}, "bot": confirmed("op_name")}, "to_self"),
        ({"award": {"parent_id": "t3_post"}}, "not_to_a_comment"),
        ({"award": {"parent_id": "t1_gone"}}, "no_awarded_comment"),
        ({"award": None}, "no_awarding_comment"),
        ({"bot": confirmed("other")}, "name_differs"),
        ({"bot": REFUSAL}, "bot_rejected"),
        ({"bot": REMOVAL}, "bot_removed"),
        ({"bot": STICKY}, "bot_other"),
        ({"bot": None, "reply": {"author": "[deleted]"}}, "to_deleted"),
        ({"bot": None, "reply": {"author": "op_name"}}, "to_self"),
        ({"bot": None, "award": {"body": "I won't give you a !delta for that."}}, "token_negated"),
    ],
)  # fmt: skip
def test_what_is_ignored_is_counted(changes, reason):
    assert awarded(**changes) == ([], {reason: 1})


def test_deltabot_itself_earns_nothing():
    found, ignored = awarded(reply={"author": "deltabot"}, bot=confirmed("DeltaBot"))
    assert (found, ignored) == ([], {"to_bot": 1, "bot_other": 1})


def test_a_name_is_compared_without_case_and_not_with_a_deleted_account():
    assert len(awarded(bot=confirmed("Challenger"))[0]) == 1
    assert len(awarded(bot=confirmed("challenge\\r"))[0]) == 1
    assert len(awarded(reply={"author": "[deleted]"})[0]) == 1


def test_one_awarding_comment_gives_one_delta_and_a_later_removal_takes_it_back():
    again = later("bot2")
    assert len(awarded(again)[0]) == 1
    assert awarded(again | REMOVAL) == ([], {"bot_removed": 1})
    assert sources(awarded(again, bot=REMOVAL)[0]) == [THE_AWARD]
    assert sources(awarded(again, bot=REFUSAL)[0]) == [THE_AWARD]
    assert sources(awarded(again | REFUSAL)[0]) == [THE_AWARD]


def test_the_bots_last_edit_says_when_it_spoke():
    removal = later("bot2", 300) | REMOVAL
    assert awarded(removal)[0] == []
    assert sources(awarded(removal, bot={"edited": AT + 400})[0]) == [THE_AWARD]


def test_tokens_count_only_for_op_where_neither_bot_nor_log_speaks():
    assert sources(awarded(bot=None)[0]) == [("t1_reply", "op_name", True, "token", 60)]
    assert awarded(bot=None, award={"author": "passer_by"}) == ([], {})
    assert awarded(bot=STICKY)[0] == []
    assert awarded(bot=None, log=log_of()) == ([], {})


def test_a_second_token_for_the_same_comment_gives_no_second_delta():
    again = raw_comment(**CHAIN["award"] | {"id": "award2", "created_utc": AT + 500})
    found, ignored = awarded(again, bot=None)
    assert (sources(found), ignored) == ([("t1_reply", "op_name", True, "token", 60)], {"token_repeated": 1})
    elsewhere = [raw_comment(id="r2"), again | {"parent_id": "t1_r2"}]
    assert len(awarded(*elsewhere, bot=None)[0]) == 2


@pytest.mark.parametrize("nobody", ["[deleted]", None, ""])
def test_two_deleted_accounts_are_not_op(nobody):
    assert awarded(bot=None, award={"author": nobody}, op=nobody) == ([], {})
    found, _ = awarded(award={"author": nobody}, op=nobody)
    assert sources(found) == [("t1_reply", "[deleted]", False, "confirmed", 60)]
    assert len(awarded(reply={"author": nobody}, award={"author": "passer_by"}, op=nobody)[0]) == 1


def test_a_comment_is_never_taken_for_the_post_of_the_same_id():
    found, ignored = awarded(reply={"id": "post"}, award={"parent_id": "t3_post"})
    assert (found, ignored) == ([], {"not_to_a_comment": 1})


@pytest.mark.parametrize("bot", [None, REFUSAL, STICKY])
@pytest.mark.parametrize("named", [entry(), entry(awarded=""), entry(awarding="")])
def test_the_log_repairs_what_the_bot_never_confirmed_in_the_dump(bot, named):
    found, ignored = awarded(bot=bot, log=log_of(named))
    at = 60 if named.awarding else 150
    assert sources(found) == [(*THE_LOGGED[:4], at)]
    assert "bot_rejected" not in ignored or not named.awarding


def test_a_refusal_is_repaired_by_a_log_however_old():
    assert sources(awarded(bot=REFUSAL, log=log_of(entry(), written=0))[0]) == [THE_LOGGED]


@pytest.mark.parametrize("named", [entry(), entry(awarded=""), entry(awarding="")])
def test_what_is_both_confirmed_and_logged_is_one_confirmed_award(named):
    assert sources(awarded(log=log_of(named))[0]) == [THE_AWARD]


def test_a_deleted_giver_may_be_the_one_in_the_log():
    nobody = {"author": "[deleted]"}
    found, _ = awarded(award=nobody, log=log_of(entry(awarding="", by="tea_cosy", by_op=False)))
    assert sources(found) == [("t1_reply", "[deleted]", False, "confirmed", 60)]


def test_two_givers_of_one_comment_are_two_awards():
    other = entry(awarding="", by="tea_cosy", by_op=False)
    found, _ = awarded(log=log_of(entry(awarding=""), other))
    assert sources(found) == [THE_AWARD, ("t1_reply", "tea_cosy", False, "deltalog", 150)]


def test_the_log_speaks_for_a_missing_or_deleted_giver():
    logged = ("t1_reply", "op_name", True, "deltalog", 150)
    assert sources(awarded(bot=None, award=None, log=log_of(entry()))[0]) == [logged]
    assert sources(awarded(bot=None, award=None, log=log_of(entry(by_op=False)))[0]) == [logged]
    assert sources(awarded(award=None, log=log_of(entry()))[0]) == [(*THE_AWARD[:4], 120)]
    assert sources(awarded(award={"author": "[deleted]"}, log=log_of(entry()))[0]) == [THE_AWARD]
    found, _ = awarded(award={"author": "[deleted]"}, log=log_of(entry(by="tea_cosy", by_op=False)))
    assert sources(found) == [("t1_reply", "[deleted]", False, "confirmed", 60)]
    found, _ = awarded(award=None, log=log_of(entry(by="", by_op=False)))
    assert sources(found) == [("t1_reply", "[deleted]", False, "confirmed", 120)]


@pytest.mark.parametrize(
    ("changes", "named", "reason"),
    [
        ({}, entry(to="other"), "name_differs"),
        ({}, entry(by="tea_cosy", by_op=False), "name_differs"),
        ({"award": None}, entry(awarded=""), "no_awarding_comment"),
        ({"reply": None}, entry(), "no_awarded_comment"),
        ({"award": {"parent_id": "t3_post"}}, entry(), "not_to_a_comment"),
        ({"award": None}, entry(by="challenger", by_op=False), "to_self"),
        ({"award": None, "reply": {"author": "op_name"}}, entry(by="x", by_op=False, to="op_name"), "to_op"),
        ({"award": None, "reply": {"author": "[deleted]"}}, entry(to=""), "to_deleted"),
    ],
)  # fmt: skip
def test_what_a_log_claims_must_fit_the_thread(changes, named, reason):
    assert awarded(bot=None, log=log_of(named), **changes) == ([], {reason: 1})


OTHER = entry(awarding="t1_x", awarded="t1_y", to="other")


def test_a_confirmed_award_that_the_log_no_longer_lists_is_withdrawn():
    gone = ([], {"withdrawn": 1, "no_awarded_comment": 1})
    assert awarded(log=log_of(OTHER)) == gone
    assert awarded(log=log_of(OTHER, written=AT + 121, seen=AT + 120 + CATCHING_UP)) == gone
    assert awarded(log=log_of(OTHER, at=AT + 120 + OLDER, written=AT + 2 * OLDER, seen=AT + 2 * OLDER)) == gone


@pytest.mark.parametrize(
    "log",
    [log_of(), log_of(OTHER, written=0), log_of(OTHER, written=AT + 120), log_of(OTHER, seen=AT + 119 + CATCHING_UP),
     log_of(OTHER, seen=0), log_of(OTHER, at=AT + 121 + OLDER, written=AT + 3 * OLDER, seen=AT + 3 * OLDER)],
)  # fmt: skip
def test_a_log_that_cannot_know_takes_nothing_back(log):
    assert sources(awarded(log=log)[0]) == [THE_AWARD]


def test_an_award_confirmed_by_a_later_edit_is_measured_from_there():
    assert awarded(log=log_of(OTHER), bot={"edited": AT + 5000})[0] != []
    assert awarded(log=log_of(OTHER), bot={"edited": AT + 4999})[0] == []


def test_of_a_removal_and_a_log_the_later_counts():
    removal = later("bot2") | REMOVAL
    before, after = log_of(entry(), written=AT + 1000), log_of(entry(), written=AT + 1001)
    assert awarded(removal, log=before) == ([], {"bot_removed": 1})
    assert sources(awarded(removal, log=after)[0]) == [THE_LOGGED]


NAMES = st.sampled_from(["op_name", "challenger", "other", "DeltaBot", "[deleted]"])
BODIES = st.sampled_from(["∆ yes", "no", "&gt; ∆", "won't give a ∆", "Confirmed: 1 delta awarded to /u/challenger",
                          "Confirmed: 1 delta awarded to /u/other", REFUSAL["body"], REMOVAL["body"]])  # fmt: skip


@st.composite
def threads(draw):
    """A random tree of up to twelve comments, and perhaps a log of it."""
    size = draw(st.integers(1, 12))
    parents = [
        "t3_post",
        *(draw(st.sampled_from(["t3_post", *(f"t1_{n}" for n in range(at))])) for at in range(1, size)),
    ]
    comments = [
        raw_comment(id=str(at), parent_id=parent, author=draw(NAMES), body=draw(BODIES), created_utc=AT + at)
        for at, parent in enumerate(parents)
    ]
    ids = st.sampled_from(["", *(f"t1_{at}" for at in range(size + 1))])
    entries = st.builds(Logged, awarding=ids, awarded=ids, by=NAMES, by_op=st.booleans(), to=NAMES)
    logged = [each for each in draw(st.lists(entries, max_size=4)) if each.awarding or each.awarded]
    log = draw(st.sampled_from([None, log_of(*logged), log_of(*logged, at=AT, written=AT + 4)]))
    parsed = [parse(comment, "changemyview") for comment in comments]
    return {comment.id: comment for comment in parsed}, log


def relevant(comments, log):
    named = {id_ for each in (log.logged if log else ()) for id_ in (each.awarding, each.awarded)}
    chosen = {c.id for c in comments.values() if c.author == "DeltaBot" or may_bear_token(c.body) or c.id in named}
    for _ in range(2):
        chosen |= {comments[id_].parent_id for id_ in chosen} & set(comments)
    return {id_: comment for id_, comment in comments.items() if id_ in chosen}


@given(threads())
def test_only_relevant_comments_matter_in_whatever_order_and_the_rules_always_hold(thread):
    comments, log = thread
    post = parse(raw_submission(), "changemyview")
    found, ignored = awards(post, comments, log)
    few = relevant(comments, log)
    assert awards(post, few, log) == (found, ignored)
    assert awards(post, dict(reversed(comments.items())), log) == (found, ignored)
    for award in found:
        assert comments[award.awarded].author not in ("op_name", "DeltaBot")
        assert not same_author(comments[award.awarded].author, award.by)
        assert award.by_op == (award.by == "op_name")


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case["body"][:40])
def test_every_token_is_what_the_golden_file_says(case):
    assert has_token(case["body"]) == case["has_token"]
    assert negated(case["body"]) == case["negated"]


SPELT = ["∆", "Δ", "δ", "!delta", "!DELTA", "!Delta", "&#8710;", "&#x394;", "&#X3B4;", "&Delta;", "&delta;", "&916;"]
NAMED = {"!": "&excl;", "#": "&num;", ";": "&semi;", "&": "&amp;", "Δ": "&Delta;", "δ": "&delta;"}


@st.composite
def spellings(draw):
    """A token, each of its characters as it is or as an entity of some kind."""
    token = draw(st.sampled_from(SPELT))
    return "".join(
        draw(st.sampled_from([c, c, c, NAMED.get(c, c), f"&#{ord(c)};", f"&AMP;#x{ord(c):x};"])) for c in token
    )


@settings(max_examples=1000)
@given(spellings() | st.lists(spellings() | st.text(max_size=3), max_size=3).map("".join))
def test_no_token_escapes_the_quick_test(body):
    signs = any(sign in body.encode() for sign in TOKEN_SIGNS)
    assert may_bear_token(body) or not has_token(body)
    assert signs or not may_bear_token(body)


@pytest.mark.parametrize("body", [*SPELT, "&&num;8710;", "&#8710&semi;", "&Delta&semi;", "&&num;x394&semi;"])
def test_odd_spellings_are_tokens_and_pass_the_quick_test(body):
    assert has_token(body) and may_bear_token(body)


@pytest.mark.parametrize(
    "body", ["", "Deltas, all of them!", "&gt; a quote\n\nrock &amp; roll", "&#x200B;\n\nnew editor"]
)
def test_the_quick_test_passes_over_common_texts(body):
    assert not may_bear_token(body)


HOSTILE = ["`" * 1_000_000, "` `` ``` " * 100_000, "> " * 500_000, "∆ won't give " * 80_000, "not " * 250_000 + "∆",
           "&amp;" * 200_000 + "#8710;", "```\n" * 250_000, "&" * 1_000_000, "\n" * 1_000_000, "n't " * 250_000 + "∆",
           "∆" * 1_000_000, "won't give " + "a " * 500_000 + "∆", "no " * 300_000 + "∆", " " * 1_000_000 + "∆",
           "won't " + "be " * 300_000 + "∆"]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body[:12])
def test_hostile_texts_are_read_in_time(body):
    assert has_token(body) <= may_bear_token(body)
    assert negated(body) <= has_token(body)


def test_a_thread_of_hostile_size_is_judged():
    records = [raw_comment(id=f"c{n}", parent_id=f"t1_c{n - 1}" if n else "t3_post") for n in range(3000)]
    comments = {comment.id: comment for comment in (parse(record, "changemyview") for record in records)}
    entries = [entry(awarding="", awarded=f"t1_c{n}", by=f"u{n}", by_op=False) for n in range(2000)]
    found, _ = awards(parse(raw_submission(), "changemyview"), comments, replace(log_of(), logged=tuple(entries)))
    assert len(found) == 2000
