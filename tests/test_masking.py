import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.hiding import BLOCK, masked_column
from persuasion.markdown import clean
from persuasion.masking import EMAIL, PHONE, URL, USER, WORDS, masked

IDENTITIES = {
    USER: ["/u/Some_One-1", "u/some\\_one", "\\/u\\/someone", "reddit.com/user/someone", "/user/someone", "@some_one",
           "/r/u_someone", "old.reddit.com/u/someone/submitted", "@someone@chat.example", "/u/a1"],
    EMAIL: ["me@example.org", "john\\_doe+x@mail.example.co.uk", "J.Doe@EXAMPLE.ORG"],
    PHONE: ["+44 20 7946 0958", "+1 (555) 123-4567", "+15551234567", "+49 (0)30 123456", "555-123-4567",
            "(555) 123-4567", "(555)123-4567 x12", "1-800-555-0199", "555.123.4567", "1 800 555 0199", "020 7946 0958",
            "07700 900123", "(020) 7946 0958", "01.23.45.67.89", "030/1234567", "555\u2011123\u20114567",
            "+1 - (5) - 55 - 55 - 55"],
    URL: ["https://www.example.org/a?b=1&amp;c=2#d", "HTTP://example.org/a_(b)", "www.example.org", "WWW.Example.ORG/x",
          "ftp://example.org/x", "https://reddit.com/user/someone", "http://me:word@example.org", "redd.it/1abc",
          "/r/changemyview/comments/1abc/some_title/c2d", "np.reddit.com/r/tea/comments/1abc", "http://example.org:80",
          "old.reddit.com/message/someone"],
}  # fmt: skip
PLANTED = [(text, word) for word, texts in IDENTITIES.items() for text in texts]
KEPT = [
    "2013-06-12 10:30", "1990-2000", "1,000,000", "$1,000,000", "10:30", "555", "555-1234", "1 000 000", "+1 000 000",
    "100-1000 people", "192.168.100.200", "3.1415926535", "1234567890", "978-0-306-40615-7", "12/05/2013",
    "01.02.2013 15:30", "123-45-6789", "call 911 or 116 123", "and/or, he/she, 24/7, w/o", "r/changemyview",
    "/r/changemyview/wiki/rules", "Nick@Night", "at 5 @ noon or @5pm", "the user/admin split", "AT&amp;T &lt;3",
    "&gt; quoted", "_____", "http and www", "f@*#", "example.org", "¯\\_(ツ)_/¯", "∆ !delta", "www", "://",
]  # fmt: skip
PIECES = st.sampled_from(
    [*(text for text, _ in PLANTED), *KEPT, *WORDS, "@", "u/", "/u/", "\\", "://", "http://", "www.", "](", "[", ")",
     "(", "+", "1", "555", "-", " ", ".", "com", "\n", "_", "\u200b", "é", "\ud800", "/user/", "wiki/", "/comments/"]
)  # fmt: skip
PROSE = st.sampled_from(
    ["tea", "and toast", "matter,", "truly", "(so", "it)", "seems", "**bold**", "&gt;", "Why?", "5"]
)
HOSTILE = st.text() | st.lists(PIECES, max_size=20).map("".join) | st.lists(PIECES, max_size=12).map(" ".join)
STORABLE = HOSTILE.map(lambda text: text.encode(errors="ignore").decode())


@pytest.mark.parametrize(("text", "word"), PLANTED)
def test_an_identity_becomes_one_word_and_the_prose_around_it_stays(text, word):
    for before, after in (("Ask ", " now"), ("(", ")"), ("", "."), ("&gt; ", ",\n\nso"), ("*", "*"), ("“", "”")):
        assert masked(f"{before}{text}{after}") == f"{before}{word}{after}"


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_identity_stays(text):
    assert masked(text) == text
    assert masked(f"So {text}, they say.") == f"So {text}, they say."


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("[text](http://example.org/a_(b) \"title\") z", '[text](URL "title") z'),
        ("[text](example.org/~someone) and [text](/r/tea)", "[text](URL) and [text](/r/tea)"),
        ("[http://example.org](http://example.org)", "[URL](URL)"),
        ("[/u/someone](https://reddit.com/u/someone)", "[USER](URL)"),
        ("[mail](mailto:me@example.org) or [call](tel:+15551234567)", "[mail](mailto:EMAIL) or [call](tel:PHONE)"),
        ("&lt;http://example.org&gt; &amp;lt;http://example.org&amp;gt;", "&lt;URL&gt; &amp;lt;URL&amp;gt;"),
        ("[History](/r/changemyview/wiki/user/some_one)", "[History](/r/changemyview/wiki/USER)"),
        ('[\u200b](HTTP://DB3PARAMSSTART{"parentUserName": "some one"\n}DB3PARAMSEND) so', "[\u200b](URL) so"),
        ("call me at 555-1234, not 555-1235", "call me at PHONE, not 555-1235"),
        ("/u/one/u/two, u/three's and @four.five", "USER/USER, USER's and USER"),
        ("https://web.example/http://example.org/x y", "URL y"),
        ("see...www.example.org!", "see...URL!"),
        ("@http://example.org u/+1 555 123 4567 @u/@u/someone", "USER USER USER"),
    ],
)  # fmt: skip
def test_masked(raw, expected):
    assert masked(raw) == expected


@given(HOSTILE)
@settings(max_examples=600, deadline=None)
def test_masking_is_idempotent_and_leaves_no_address(text):
    once = masked(text)
    assert masked(once) == once
    assert "http://" not in once.casefold() and "https://" not in once.casefold()
    assert not [part for part in once.split() if part.casefold().startswith("www.") and part[4:].isalnum()]


@given(st.lists(PROSE | st.sampled_from(PLANTED), max_size=12))
@settings(max_examples=300, deadline=None)
def test_everything_else_stays_byte_for_byte(parts):
    raw = " and ".join(part if isinstance(part, str) else part[0] for part in parts)
    assert masked(raw) == " and ".join(part if isinstance(part, str) else part[1] for part in parts)


FOOTNOTE = (
    "\n\n_____\n\n&gt; *Hello, users of CMV! This is a footnote from your moderators. Please* ***[read the rules]"
    "(http://www.reddit.com/r/changemyview/wiki/rules)***. *Any questions?* ***[message us](http://www.reddit.com/"
    "message/compose?to=/r/changemyview)***. *Happy CMVing!*"
)


@given(st.lists(PROSE | st.sampled_from([text for text, _ in PLANTED]), min_size=1, max_size=8), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_masked_body_cleans_to_the_same_text(parts, quoted):
    body = ("_____\n\n" if quoted else "") + " ".join(parts)
    for raw in (body, body + FOOTNOTE, body + FOOTNOTE.replace("&gt; ", ""), f"&gt; {parts[0]}\n\n{body}"):
        assert clean(masked(raw)) == clean(raw)
        assert "CMVing" not in clean(raw)


@given(
    st.lists(st.none() | STORABLE, max_size=12), st.integers(0, 3), st.sampled_from([pa.string(), pa.large_string()])
)
@settings(max_examples=400, deadline=None)
def test_a_column_is_masked_as_its_texts_are_whatever_its_slice(texts, skipped, kind):
    column = pa.array(texts, kind).slice(skipped)
    result = masked_column(column)
    result.validate(full=True)
    assert result.type == kind
    assert result.to_pylist() == [None if text is None else masked(text) for text in texts[skipped:]]


def test_no_identity_is_missed_where_two_blocks_meet():
    planted = [text for text, _ in PLANTED]
    for shift in range(sum(map(len, planted))):
        column = pa.array(["." * (BLOCK - shift), *planted])
        assert masked_column(column).to_pylist()[1:] == [masked(text) for text in planted]


def test_a_column_without_identities_is_returned_as_it_is():
    column = pa.array([*KEPT, None, "", "Tea and toast."])
    assert masked_column(column) is column
    empty = pa.array([], pa.string())
    assert masked_column(empty) is empty
    assert masked_column(pa.array([None, None], pa.string())).to_pylist() == [None, None]


@pytest.mark.timeout(60)  # a pattern that is not linear needs hours
@pytest.mark.parametrize(
    "unit",
    ["@", "1", "+1 ", "555-", "(", "u/", "/u/", "@u/", "u\\/", "www.", "http://", "http://a(", "a.", "a@", "a@b.",
     "[a](", "](a.", "/", "reddit.com/", "a-", "://", "HTTP://DB3PARAMSSTART", "&amp;", "\\", "0 1", "call "],
)  # fmt: skip
def test_a_megabyte_of_anything_is_masked_in_linear_time(unit):
    text = unit * (1_000_000 // len(unit))
    assert masked_column(pa.array([text])).to_pylist() == [masked(text)]
