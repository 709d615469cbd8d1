import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.markdown import announces_delta, clean, clean_title

PIECES = st.sampled_from(
    ["&amp;", "&#38;", "amp;", "#8710;", "&gt; ", "> ", "\n", "\n\n", "EDIT", "Edit 2:", "**", "_____", "[a", "](b)",
     "http://", "www.", "x.org/y", "/u/", "u/name", " ", "\u200b", "\u202e", "\xa0", "\r", "∆", "!delta", "delta",
     "CMV", ":", "Hello, users of CMV!", "Happy CMVing!", ".", "(edit", ")", ">!", "word", "\ud800", "&", ";"]
)  # fmt: skip
HOSTILE = st.text() | st.lists(PIECES, max_size=30).map("".join)


@given(HOSTILE)
@settings(max_examples=500, deadline=None)
def test_cleaning_is_idempotent_and_leaves_nothing_invisible(text):
    once = clean(text)
    assert clean(once) == once
    assert not set(once) & set("\u200b\u200e\u202a\u202e\ufeff\xa0\r\x00")
    assert not any("\ud800" <= character <= "\udfff" for character in once)
    assert not set(once) & set("∆Δ")
    assert clean_title(clean_title(text)) == clean_title(text)
    announces_delta(text)


@pytest.mark.parametrize(
    "unit", ["*", " ", "[", "[a](", "(", "&#38;", "&amp;", "www.", "> ", "a ", "\n", "EDIT", "view has "]
)
def test_cleaning_a_long_hostile_text_takes_no_time(unit):
    start = time.process_time()
    announces_delta(clean(unit * (60_000 // len(unit))))
    clean_title(unit * 5000)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Tea &amp;amp; toast &lt;3", "Tea & toast <3"),
        ("AT&T; R&D &notanentity; &", "AT&T; R&D &notanentity; &"),
        ("&gt; You said this\n\nI say that", "I say that"),
        ("> quoted\n> more\nmine", "mine"),
        (">!hidden!< words", "hidden words"),
        ("one\u200b\u2060 two\u00a0three\r\nfour", "one two three\nfour"),
        ("Ask /u/Some_One-1 or u\\/x, and /r/tea", "Ask someone or u\\/x, and /r/tea"),
        ("see [this study](https://www.example.org/a_(b)) now", "see this study now"),
        ("see https://www.example.org/a/b?c=d, now", "see example.org now"),
        ("[/u/someone](http://reddit.com/u/someone) wrote", "someone wrote"),
        ("\n_____\n\nAlright, so I start with a line.", "Alright, so I start with a line."),
        ("Mine.\n\n_____\n\n&gt; *Hello, users of CMV! This is a footnote from your moderators. Happy CMVing!*",
         "Mine."),
        ("Mine.\n_____\n*Hello, users of CMV! Read.* ***[rules](http://x.org/r)***.\n\nMore. *Happy CMVing!*", "Mine."),
        ("Mine. *This is a footnote from the CMV moderators. Be kind.*", "Mine."),
        ("Mine.\n\nPlease leave the footnote below the following line, but remember to delete this.", "Mine."),
        ("Sleep matters.\n\nEDIT: you win", "Sleep matters."),
        ("Sleep matters.\n\n**Edit 2:** you win\n\nmore", "Sleep matters."),
        ("Sleep matters.\n\nUpdate - you win", "Sleep matters."),
        ("Sleep matters.\n\nHUGE EDIT: So you win", "Sleep matters."),
        ("Sleep matters.\n\n(Edit: typo)\n\nmore", "Sleep matters."),
        ("Sleep matters.\n\n***EDIT****\n\nmore", "Sleep matters."),
        ("Sleep matters.\nEdited for clarity", "Sleep matters."),
        ("Sleep matters. EDIT: you win", "Sleep matters."),
        ("Sleep (edit: eight hours) matters.", "Sleep matters."),
        ("EDIT: new title.\n\nSleep matters.", "Sleep matters."),
        ("(Edit: new title) Sleep matters.", "Sleep matters."),
        ("Sleep matters.\n\n**edit spelling", "Sleep matters."),
        ("Edit your drafts in the morning.\nUpdate software at night.",
         "Edit your drafts in the morning.\nUpdate software at night."),
        ("Thanks for the delta! Sleep matters.", "Sleep matters."),
        ("Sleep matters. !delta", "Sleep matters."),
        ("&amp;#8710; for you.\n\nSleep matters.", "Sleep matters."),
        ("", ""),
    ],
)  # fmt: skip
def test_clean(raw, expected):
    assert clean(raw) == expected


@pytest.mark.parametrize(
    "raw",
    ["CMV: Naps help", "Naps help CMV", "Naps help. CMV", "[CMV] Naps help", "cmv - Naps help", "Naps help (CMV)",
     "Naps help, please change my view!", "CMV: Naps help [∆(s) from OP]", "CMV:Naps   help"],
)  # fmt: skip
def test_titles_get_one_shape(raw):
    assert clean_title(raw).rstrip(".,") == "CMV: Naps help"


def test_a_title_that_says_nothing_is_empty():
    assert clean_title(" CMV. ") == clean_title("") == ""


@pytest.mark.parametrize(
    "text",
    ["Have a ∆", "!delta for that", "I awarded two Deltas", "DeltaBot agrees", "You changed my view",
     "you've really changed my mind", "My view has been changed", "I'd say my view has been successfully changed",
     "View changed!", "my views have shifted", "my view hasn't been changed, my views are now changed",
     "You guys have convinced me", "Glad I could change your view"],
)  # fmt: skip
def test_a_verdict_is_noticed(text):
    assert announces_delta(text)


@pytest.mark.parametrize(
    "text",
    ["Please change my view", "CMV", "I would love to have my view changed", "What would change your view?",
     "My view can be changed", "the weather changed", "Nobody has convinced me yet", "a view of a changing coast"],
)  # fmt: skip
def test_asking_is_no_verdict(text):
    assert not announces_delta(text)
