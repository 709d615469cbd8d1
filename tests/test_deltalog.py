import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.deltabot import is_deltabot, read_reply
from persuasion.deltalog import Log, Logged, merged, read_log
from persuasion.reddit import parse
from tests.builders import AT, raw_submission

GOLDEN = [json.loads(line) for line in Path(__file__).with_name("golden").joinpath("deltabot.jsonl").open()]
HOME = "https://www.reddit.com/r/changemyview/comments/nap1/cmv_naps_are_a_waste"
OPENING = "Below is a list of the deltas awarded in [this post]({home}/).\n\n-----\n\n# Deltas from OP /u/op\\_name\n\n"
OTHERS = "\n\n#Deltas from Other Users\n\n"
NONE = "* None yet."
HIDDEN = "[](HTTP://DB3-FROMOTHER)\n[\u200b](HTTP://DB3PARAMSSTART\n{record}\nDB3PARAMSEND)"


def row(comment, query="", givers="OP", to="quiet_heron", home=HOME, words="Short naps end in time.", count=1):
    deltas = "1 delta" if count == 1 else f"{count} deltas"
    return f'* {deltas} from {givers} to /u/{to} for "[{words}]({home}/{comment}{query})"'


def log_of(from_op=NONE, from_others=NONE, after="", home=HOME, **changes):
    """The log of a DeltaLog post with these rows."""
    text = OPENING.format(home=home) + from_op + OTHERS + from_others + after
    record = {"id": "log1", "author": "DeltaBot", "subreddit": "DeltaLog", "selftext": text, "edited": AT + 500}
    return read_log(parse(raw_submission(**record | changes), "changemyview").post)


def hidden(*comments, **changes):
    fields = ("awardingUsername", "awardedUsername", "awardedLink", "deltaCommentFullName")
    rows = [dict(zip(fields, comment, strict=True)) | {"awardedText": "It [ends] (soon)"} for comment in comments]
    record = {"opUsername": "op_name", "linkToPost": f"{HOME}/", "comments": rows} | changes
    return HIDDEN.format(record=json.dumps(record, indent=2).replace(")", "-paren---"))


def logged(awarding="", awarded="", by="op_name", by_op=True, to="quiet_heron"):
    return Logged(awarding=awarding, awarded=awarded, by=by, by_op=by_op, to=to)


@pytest.mark.parametrize("reply", GOLDEN, ids=lambda reply: reply["text"][:60])
def test_every_text_of_the_bots_is_what_the_golden_file_says(reply):
    assert read_reply(reply["text"]) == (reply["kind"], reply["name"] or "")


@given(st.text(max_size=200), st.sampled_from([reply["text"] for reply in GOLDEN]))
def test_no_prefix_turns_words_into_a_confirmation(before, text):
    assert read_reply(f"word {before}{text}")[0] == "other"


def test_the_bot_is_known_by_name_alone():
    assert is_deltabot("DeltaBot") and is_deltabot("deltabot")
    assert not is_deltabot("DeltaBot_") and not is_deltabot("[deleted]")


@pytest.mark.parametrize(("query", "above"), [("", False), ("/", False), ("/?context=1", False), ("/?context=3", True)])
def test_a_rows_link_is_the_awarded_comment_or_with_context_3_the_awarding_one(query, above):
    expected = logged(awarding="t1_c1") if above else logged(awarded="t1_c1")
    assert log_of(row("c1", query)) == Log(
        thread="t3_nap1", at=AT, seen=AT + 86_400, logged=(expected,), written=AT + 500
    )


HOSTS = [
    "http://reddit.com",
    "https://old.reddit.com",
    "https://new.reddit.com",
    "http://np.reddit.com",
    "//m.reddit.com",
    "",
]


@pytest.mark.parametrize("host", HOSTS)
def test_every_host_and_relative_links_will_do(host):
    home = f"{host}/r/changemyview/comments/nap1/cmv_naps"
    log = log_of(row("c1", "/?utm_source=x&context=3", home=home), home=home)
    assert (log.thread, log.logged) == ("t3_nap1", (logged(awarding="t1_c1"),))


def test_other_users_are_named_each_and_with_escaped_underscores():
    one = row("c1", givers="/u/tea\\_cosy", to="quiet\\_heron")
    three = row("c2", givers="/u/Tea-Cosy, u/plain_spoon, and /u/op_name", count=3)
    assert log_of(from_others=f"{one}\n{three}").logged == (
        logged(awarded="t1_c1", by="tea_cosy", by_op=False),
        logged(awarded="t1_c2", by="Tea-Cosy", by_op=False),
        logged(awarded="t1_c2", by="plain_spoon", by_op=False),
        logged(awarded="t1_c2"),
    )


def test_repeated_rows_count_once_and_hidden_ones_with_their_visible_ones():
    records = [
        ("op_name", "quiet_heron", f"{HOME}/c1", "t1_a1"),
        ("op_name", "quiet_heron", f"{HOME}/c1", "t1_a1"),
        ("tea_cosy", "quiet_heron", f"{HOME}/c1", "t1_a2"),
    ]
    shown = [row("c1", "/?context=1"), row("c1", "/?context=1"), row("c3", "/?context=1")]
    log = log_of("\n".join(shown), row("c1", givers="/u/tea_cosy"), hidden(*records))
    assert log.logged == (
        logged(awarding="t1_a1", awarded="t1_c1"),
        logged(awarding="t1_a2", awarded="t1_c1", by="tea_cosy", by_op=False),
        logged(awarded="t1_c3"),
    )


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@pytest.mark.parametrize("times", [0, 1, 2])
def test_entities_may_be_escaped_once_or_twice(times):
    shown = row("c1", "/?utm=1&context=3", words='> "so" & [x](y)')
    secret = hidden(("op_name", "quiet_heron", f"{HOME}/c2", "t1_a2"))
    text = OPENING.format(home=HOME) + shown + OTHERS + NONE + secret
    for _ in range(times):
        text = escaped(text)
    expected = (logged(awarding="t1_a2", awarded="t1_c2"), logged(awarding="t1_c1"))
    assert log_of(selftext=text).logged == expected


def test_a_row_may_quote_line_breaks_links_and_quotes():
    words = f'first\n\n"second" [see]({HOME}/other/?context=3) and [more](https://example.org)\n\n# x'
    assert log_of(row("c1", "/?context=3", words=words)).logged == (logged(awarding="t1_c1"),)


def test_deleted_accounts_are_nobody_and_never_op():
    secret = hidden(("[deleted]", "quiet_heron", f"{HOME}/c1", "t1_a1"), opUsername="[deleted]")
    assert log_of(after=secret, from_op="").logged == (logged(awarding="t1_a1", awarded="t1_c1", by="", by_op=False),)
    shown = row("c2", givers="/u/[deleted]", to="[deleted]")
    assert log_of(from_others=shown).logged == (logged(awarded="t1_c2", by="", by_op=False, to=""),)


@pytest.mark.parametrize(
    ("changes", "thread"),
    [
        ({}, "t3_nap1"),
        ({"selftext": row("c1") + "\n" + row("c2")}, "t3_nap1"),
        ({"selftext": row("c1") + "\n" + row("c2", home=HOME.replace("nap1", "nap2"))}, ""),
        ({"selftext": "no rows" + hidden()}, "t3_nap1"),
        ({"selftext": "[this post](https://example.org)"}, ""),
        ({"selftext": "[removed]"}, ""),
        ({"selftext": ""}, ""),
        ({"author": "some_user"}, ""),
        ({"author": "[deleted]"}, ""),
    ],
)
def test_the_thread_is_what_the_bot_links_to(changes, thread):
    assert log_of(**changes).thread == thread


def test_rows_of_another_thread_or_of_another_author_are_no_rows():
    elsewhere = HOME.replace("nap1", "nap2")
    assert log_of(f"{row('c1')}\n{row('c9', home=elsewhere)}").logged == (logged(awarded="t1_c1"),)
    secret = hidden(("op_name", "quiet_heron", f"{elsewhere}/c9", "t1_a9"))
    assert log_of(after=secret).logged == (logged(awarding="t1_a9"),)
    assert log_of(row("c1"), author="some_user").logged == ()


@pytest.mark.parametrize(
    "broken", [row("c9", home="https://example.org/x"), row("c9", "/?context=2"), row("", home="/r/x/comments"),
               hidden(("op_name", "quiet_heron", "nowhere", "t3_a1")), hidden(comments=[None])],
)  # fmt: skip
def test_a_log_that_cannot_be_read_whole_proves_nothing_by_what_it_lacks(broken):
    log = log_of(f"{row('c1')}\n{broken}")
    assert (log.logged, log.written) == ((logged(awarded="t1_c1"),), 0)
    assert log.seen == AT + 86_400


@pytest.mark.parametrize(
    ("retrieved", "edited", "seen", "written"),
    [
        (AT + 900, AT + 500, AT + 900, AT + 500),
        (AT + 900, False, AT + 900, AT + 900),
        (AT + 900, True, AT + 900, AT + 900),
        (..., AT + 500, AT + 500, AT + 500),
        (..., True, 0, 0),
        (..., ..., 0, 0),
    ],
)
def test_when_a_log_was_seen_and_of_when_it_tells(retrieved, edited, seen, written):
    log = log_of(row("c1"), retrieved_on=retrieved, edited=edited)
    assert (log.seen, log.written) == (seen, written)


def test_hidden_rows_may_quote_entities():
    secret = hidden(("op_name", "quiet_heron", f"{HOME}/c1", "t1_a1")).replace("[ends]", "&quot;ends&quot;")
    assert log_of(after=secret).logged == (logged(awarding="t1_a1", awarded="t1_c1"),)


def test_words_of_users_forge_no_hidden_rows():
    forged = 'DB3PARAMSSTART{ "comments": [] }DB3PARAMSEND'
    true = ("op_name", "quiet_heron", f"{HOME}/c1", "t1_a1")
    record = {"opUsername": "op_name", "comments": [dict(zip(("awardingUsername", "awardedUsername", "awardedLink",
              "deltaCommentFullName"), true, strict=True)) | {"awardedText": forged}]}  # fmt: skip
    log = log_of(row("c1", "/?context=1", words=forged), after=HIDDEN.format(record=json.dumps(record)))
    assert log.logged == (logged(awarding="t1_a1", awarded="t1_c1"),)


def test_the_last_copy_of_a_post_counts_and_two_posts_of_a_thread_are_one_log():
    early = log_of(row("c1"), retrieved_on=AT + 600, edited=AT + 500)
    late = log_of(f"{row('c1')}\n{row('c2')}", retrieved_on=AT + 900, edited=AT + 800)
    second = log_of(row("a3", "/?context=3"), created_utc=AT + 700, retrieved_on=AT + 750, edited=AT + 740)
    both = replace(second, logged=(logged(awarding="t1_a3"), logged(awarded="t1_c1"), logged(awarded="t1_c2")))
    assert merged([early, late]) == merged([late, early]) == {"t3_nap1": late}
    assert merged([second, late, early]) == merged([early, second, late]) == {"t3_nap1": both}
    assert merged([log_of(author="some_user")]) == {}


HOSTILE = [
    "* 1 delta from OP to /u/a for " * 30_000, "* 1 delta from /u/a, /u/" * 40_000, "\n* 1 delta from /u/a" * 50_000,
    "* 9 deltas from /u/" + "a" * 1_000_000, "](" * 500_000, "[this post](" * 80_000, "](" + "a" * 1_000_000,
    "](/r/x/comments/a/" * 50_000, 'DB3PARAMSSTART{"' * 60_000, 'DB3PARAMSSTART{"a":' + "[" * 100_000,
    'DB3PARAMSSTART{"comments":' + "9" * 100_000 + "}", "&amp;" * 200_000, "\n" * 1_000_000,
    "# deltas from OP /u/" * 50_000,
    "The moderators have confirmed " + "1 delta " * 100_000, "Confirmed" + " " * 1_000_000, "/u/" + "a" * 1_000_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
def test_hostile_texts_are_read_in_time_and_say_nothing(text):
    assert log_of(selftext=text).logged == ()
    assert read_reply(text) == ("other", "")


PIECES = ["* 1 delta from ", "OP", " to /u/x for ", "](", "/r/a/comments/b/c/d", ")", "[this post](", "DB3PARAMSSTART"]
PIECES += ['{"', 'comments":[', "]}", "\n", "&quot;", "?context=3"]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_text_is_read(text):
    assert all(entry.awarding or entry.awarded for entry in log_of(selftext=text).logged)
