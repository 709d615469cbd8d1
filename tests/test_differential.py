"""Delta detection against a second implementation that is slow and obvious, and on any thread that hypothesis finds."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from persuasion.deltas import awards
from persuasion.deltatokens import has_token
from persuasion.reddit import parse
from tests.builders import raw_submission
from tests.slowdeltas import slow_awards, told_token
from tests.test_deltas import spellings, threads

PIECES = [
    "∆",
    "!delta",
    "!Deltas",
    "!delta_",
    "&#8710;",
    "&amp;#8710;",
    "&916;",
    "&gt; ",
    "> ",
    "\n",
    "\n\n",
    "\r\n",
    "\r",
    "    ",
    "\t",
    "`",
    "``",
    "```",
    "~~~",
    "~~~~",
    " ",
    "word",
    "  > ",
    "   ```",
    "``` x",
    "x",
    "a",
]


@given(threads())
def test_awards_are_those_of_the_slow_way(thread):
    comments, log = thread
    post = parse(raw_submission(), "changemyview")
    found, ignored = awards(post, comments, log)
    slow, reasons = slow_awards(post, comments, log)
    assert ([astuple(award) for award in found], ignored) == (slow, reasons)


@given(st.lists(st.sampled_from(PIECES) | spellings() | st.text(max_size=2), max_size=14).map("".join))
def test_tokens_are_those_of_the_slow_way(body):
    assert has_token(body) == told_token(body)
