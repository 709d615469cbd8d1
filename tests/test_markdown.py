import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.markdown import clean, clean_title, visible
from persuasion.masking import WORDS
from persuasion.residue import FORMS, announces_delta

PIECES = st.sampled_from(
    ["&amp;", "&#38;", "amp;", "#8710;", "&gt; ", "> ", "\n", "\n\n", "EDIT", "Edit 2:", "**", "_____", "[a", "](b)",
     "http://", "www.", "x.org/y", "/u/", "u/name", " ", "\u200b", "\u202e", "\xa0", "\r", "∆", "!delta", "delta",
     "CMV", ":", "Hello, users of CMV!", "Happy CMVing!", ".", "(edit", ")", ">!", "word", "\ud800", "&", ";", "@",
     "my", "view", "changed", "has", "You", "convinced", "me", "*", "'ve", "<", "+1 555 123 4567", *WORDS]
)  # fmt: skip
HOSTILE = st.text() | st.lists(PIECES, max_size=30).map("".join) | st.lists(PIECES, max_size=30).map(" ".join)
PROSE = st.sampled_from(
    ["Sleep matters", "I wake up dull", "and the evening is gone", "so naps help", "as the view from my desk shows",
     "because the weather changed", "please change my view", "I want to have my view changed", "it costs 5 dollars"]
)  # fmt: skip
BREAKS = st.sampled_from([". ", "! ", "\n\n", "\n", ", ", " ", "... ", "; ", " – ", '." '])
ANNOUNCEMENTS = st.sampled_from(
    ["∆", "Δ", "&#8710;", "&amp;#8710;", "&Delta;", "!delta", "!DELTA", "! delta", "Delta awarded to /u/some_one",
     "Thanks for the delta; I'm afraid", "EDIT: thanks for the deltas", "I gave out two ∆s", "DeltaBot has spoken",
     "Confirmed: 1 delta awarded to /u/someone", "1 point awarded to u/someone", "my view has been changed",
     "I'd say my view has been successfully changed", "You changed my view", "you **changed** my *view*",
     "you changed\nmy view", "View changed by /u/someone with [this comment!](http://x.org)", "My view's changed",
     "**Edit:** View changed", "okay, my views been changed", "this totally changed a lot of my view",
     "you've convinced me", "you guys have _really_ convinced me", "that made me change my mind", "I stand corrected",
     "Consider my view officially changed", "thanks to you all for changing my mind", "I've been convinced otherwise",
     "Glad I could change your view", "so happy that we helped change your mind", "I changed OP’s view",
     "Kudos to u/someone, who changed my view!", "UPDATE: delta to @someone", "opinion: changed", "you’ve persuaded me",
     "you _changed_ my _view_", "My vıew has shıfted", "my vİew has shİfted",
     "it made me rethink my view", "it made me reconsider my stance"]
)  # fmt: skip


@given(HOSTILE)
@settings(max_examples=500, deadline=None)
def test_cleaning_is_idempotent_and_leaves_nothing_invisible_and_no_verdict(text):
    once = clean(text)
    assert clean(once) == once
    assert visible(once) == once
    assert not set(once) & set("\xa0\r∆Δ")
    assert not announces_delta(once)
    assert clean_title(clean_title(text)) == clean_title(text)


def test_no_control_no_format_character_and_no_surrogate_is_visible():
    left = visible("".join(map(chr, range(sys.maxunicode + 1))))
    assert len(left) > 1_000_000
    assert not {unicodedata.category(character) for character in left.replace("\n", "")} & {"Cc", "Cf", "Cs"}


@given(st.lists(PROSE | ANNOUNCEMENTS, min_size=1, max_size=8), st.lists(BREAKS, min_size=8, max_size=8))
@settings(max_examples=800, deadline=None)
def test_no_planted_announcement_survives(parts, breaks):
    text = "".join(part + gap for part, gap in zip(parts, breaks, strict=False))
    assert not announces_delta(clean(text))


@pytest.mark.parametrize("form", FORMS)
@given(st.data(), BREAKS, BREAKS)
@settings(max_examples=150, deadline=None)
def test_whatever_the_residue_check_would_find_is_cut(form, data, before, after):
    announcement = data.draw(st.from_regex(re.compile(form, re.IGNORECASE)))
    assert not announces_delta(clean(f"Sleep matters{before}{announcement}{after}so naps help"))


@pytest.mark.parametrize("form", FORMS)
@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_announcement_lacks_the_stems_that_are_looked_for_first(form, data):
    drawn = data.draw(st.from_regex(re.compile(form, re.IGNORECASE)))
    plain = re.sub('[*_~`^\\\\"“”]', " ", drawn).replace("’", "'").strip()
    plain = re.sub(r"\s+", lambda gap: "\n" * min(gap[0].count("\n"), 2) or " ", plain)
    assert announces_delta(drawn) == bool(re.search("|".join(FORMS), plain, re.IGNORECASE))


@given(st.lists(PROSE, min_size=1, max_size=6), st.sampled_from([". ", "!\n\n", "?\n"]))
def test_prose_without_a_verdict_stays_word_for_word(parts, gap):
    text = gap.join(parts)
    assert clean(text) == text


@pytest.mark.timeout(60)  # a pattern that is not linear needs hours
@pytest.mark.parametrize(
    "unit",
    ["*", " ", "[", "[a](", "(", ">", "1", "@", "&#38;", "&amp;", "amp;", "www.", "> ", "a ", "\n", "EDIT", "(edit ",
     "view has ", "my ", "changed ", "you ", "thanks ", "a\n", "_", "Hello, users of CMV!\n", "delta\n", "'", "∆a"],
)  # fmt: skip
def test_a_megabyte_of_anything_is_cleaned_in_linear_time(unit):
    text = unit * (1_000_000 // len(unit))
    assert not announces_delta(clean(text))
    announces_delta(text)
    clean_title(text[:10_000])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Tea &amp;amp; toast &lt;3", "Tea & toast <3"),
        ("AT&T; R&D &notanentity; &", "AT&T; R&D &notanentity; &"),
        ("&gt; You said this\n\nI say that", "I say that"),
        ("> quoted\n> more\nmine", "mine"),
        (">!hidden!< words", "hidden words"),
        ("one\u200b\u2060 two\u00a0three\r\nfour", "one two three\nfour"),
        ("Ask /u/Some_One-1 or u\\/x_y, and /r/tea", "Ask USER or USER, and /r/tea"),
        ("see [this study](https://www.example.org/a_(b)) now", "see this study now"),
        ("see https://www.example.org/a/b?c=d, now", "see URL, now"),
        ("[/u/someone](http://reddit.com/u/someone) wrote", "USER wrote"),
        ("[http://x.org](http://x.org), <http://x.org> or me@x.org, +1 555 123 4567", "URL, URL or EMAIL, PHONE"),
        ("> a line\n\n&gt; &gt; another\n\n &gt;third\n\nmine", "mine"),
        ("\n_____\n\nAlright, so I start with a line.", "Alright, so I start with a line."),
        ("Mine.\n\n_____\n\n&gt; *Hello, users of CMV! This is a footnote from your moderators. Happy CMVing!*",
         "Mine."),
        ("Mine.\n_____\n*Hello, users of CMV! Read.* ***[rules](http://x.org/r)***.\n\nMore. *Happy CMVing!*", "Mine."),
        ("Mine. *This is a footnote from the CMV moderators. Be kind.*", "Mine."),
        ("Mine.\n\nPlease leave the footnote below the following line, but remember to delete this.", "Mine."),
        ("Mine.\n\n---\n\n> *Hello, users of CMV! This is a footnote from your moderators.*\n> *Happy CMVing!*\n\nSo.",
         "Mine.\n\nSo."),
        ("Mine.\n\n&gt; *This is a footnote from the CMV moderators. Read* ***[this](http://x.org)***. *Happy CMVing!*",
         "Mine."),
        ("Mine.\n*Hello, users of /r/changemyview! This is a footnote from your mods. Happy CMVing!* More.",
         "Mine.\nMore."),
        ("_____\n\nMine.\n\n_____\n\n> *Hello, users of CMV! Happy CMVing!*", "Mine."),
        ("Mine.\n\n&amp;gt; *Hello, users of CMV! This is a footnote.*\n\n***Happy CMVing!***", "Mine."),
        ("As a footnote, tea is fine.", "As a footnote, tea is fine."),
        ("Sleep matters.\n\nEDIT: you win", "Sleep matters."),
        ("Sleep matters.\n\n**Edit 2:** you win\n\nmore", "Sleep matters."),
        ("Sleep matters.\n\nUpdate - you win", "Sleep matters."),
        ("Sleep matters.\n\nHUGE EDIT: So you win", "Sleep matters."),
        ("Sleep matters.\n\n(Edit: typo)\n\nmore", "Sleep matters."),
        ("Sleep matters.\n\n***EDIT****\n\nmore", "Sleep matters."),
        ("Sleep matters.\nEdited for clarity", "Sleep matters."),
        ("Sleep matters. EDIT: you win", "Sleep matters."),
        ("Sleep (edit: eight hours) matters.", "Sleep matters."),
        ("Sleep (EDIT: see [this](http://x.org/a_(b))) matters. (edit) More [EDIT 2].", "Sleep matters. More."),
        ("[Edit] sorry for the typos\n\nSleep matters.", "Sleep matters."),
        ("_____\nEDIT: new title.\n\nSleep matters.", "Sleep matters."),
        ("Sleep matters. All of it edit: typo", "Sleep matters. All of it"),
        ("EDIT: new title.\n\nSleep matters.", "Sleep matters."),
        ("(Edit: new title) Sleep matters.", "Sleep matters."),
        ("Sleep matters.\n\n**edit spelling", "Sleep matters."),
        ("Edit your drafts in the morning.\nUpdate software at night.",
         "Edit your drafts in the morning.\nUpdate software at night."),
        ("Thanks for the delta! Sleep matters.", "Sleep matters."),
        ("Thanks for the delta; I'm afraid sleep matters.", "I'm afraid sleep matters."),
        ("Sleep matters. You **changed\nmy view** on it. Naps too.", "Sleep matters. Naps too."),
        ("Sleep matters.\n\n**View changed** by [this comment](http://x.org).\n\nNaps too.",
         "Sleep matters.\n\nNaps too."),
        ("I want my view changed. My mind is ready for change. Thanks all, please change my view!",
         "I want my view changed. My mind is ready for change. Thanks all, please change my view!"),
        ("Sleep matters. My view has been change a bit.", "Sleep matters."),
        ("Sleep matters. !delta", "Sleep matters."),
        ("&amp;#8710; for you.\n\nSleep matters.", "Sleep matters."),
        ("", ""),
    ],
)  # fmt: skip
def test_clean(raw, expected):
    assert clean(raw) == expected


@pytest.mark.parametrize(
    "note",
    ["EDIT: x", "Edit - x", "Edit 2: x", "EDIT 2 - x", "EDIT2: x", "edit: x", "**EDIT** x", "**EDIT**: x", "*Edit*: x",
     "***EDIT:*** x", "\\*EDIT\\* x", "**Edit (2):** x", "EDIT_1: x", "EDIT#3 x", "[Edit] x", "[EDIT]: x",
     "(edit: x y)", "Edited: x", "Edited to add x", "Edit for clarity", "Edit in response to u/x", "edit thanks all",
     "UPDATE: x", "Update 3: x", "**UPDATE** x", "Updated: x", "ETA: x", "Final edit: x", "Ninja edit: x",
     "mini-edit: x", "ADDENDUM so x", "One more edit: x", "Second edit - x", "Addendum: x", "Editted: x",
     "> EDIT: x", "&gt; EDIT x", "* Edit: x",
     "Edit：x", "EDIT thanks for the replies", "Edit – x", "Edit— x", "~~Edit:~~ x", "Edit.\nx", "EDIT\n\nx"],
)  # fmt: skip
def test_an_edit_note_goes_in_every_spelling_with_all_behind_it(note):
    assert clean(f"Sleep matters.\n\n{note}\n\nYou win.").removesuffix("\n\nYou win.") == "Sleep matters."
    quoted = note.startswith((">", "&gt;"))
    assert ("You win" in clean(f"Sleep matters.\n\n{note}\n\nYou win.")) == quoted


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
     "You guys have convinced me", "Glad I could change your view", "you **changed** my\nview", "&#8710;",
     "that made me change my mind", "I was convinced otherwise", "I stand corrected", "Consider my view changed",
     "1 point awarded to USER", "Thanks for changing my mind", "it changed a lot of my view"],
)  # fmt: skip
def test_a_verdict_is_noticed(text):
    assert announces_delta(text)


@pytest.mark.parametrize(
    "text",
    ["Please change my view", "CMV", "I would love to have my view changed", "What would change your view?",
     "deltoid", "#metoo", "My view can be changed", "my view is open to being changed", "it changed.\n\nMy view stays",
     "the weather changed", "Nobody has convinced me yet", "a view of a changing coast"],
)  # fmt: skip
def test_asking_is_no_verdict(text):
    assert not announces_delta(text)
