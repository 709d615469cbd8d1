"""Lines as dumps of all years hold them, and as nobody would write them: hypothesis strategies of bytes."""

import json

from hypothesis import strategies as st

from tests.builders import AT, awarded_thread, logged_thread, ndjson, raw_comment, raw_submission

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["Short naps help.", "[deleted]", "[removed]", "[removed] \n", "[deleted]" + " " * 30, "!delta", "∆", "&#8710; so",
     "Confirmed: 1 delta awarded to /u/challenger.", "u/some_name, your comment has been removed", "x\0y", "\u202eok",
     "mail me@example.org or https://example.org", "[META] Rules", "\ud800 half", "DeltaBot", "AutoModerator"]
)  # fmt: skip
IDS = st.sampled_from(
    ["abc", "abd", "t1_abc", "t3_abc", "t1_abd", "zzzzzzzzzzzz", "zzzzzzzzzzzzz", "0", "00", "01", "Ab", "a_b", "", "é",
     "a\0b", "abc\0", "t1_a\0", "t3_", "t1_t3_a", " abc", "t3_ABC", "x" * 25, "t5_abc"]
)  # fmt: skip
NUMBERS = st.sampled_from(
    [AT, AT + 1.9, str(AT), f"{AT}.5", AT * 1000, str(AT * 1000), 0, -1, 1.5, True, False, 2**31, -(2**31), 2**53,
     2**63, 2**64, 10**30, 10**308, float("nan"), float("inf"), -0.0, 1e-5, "", "soon", "1" * 15, "1" * 16, "٣", " 7 "]
) | st.integers(-5, 5)  # fmt: skip
OTHERS = st.sampled_from([None, [], {}, [1], {"a": [None]}, "text", 5])
NAMES = {
    "id": IDS, "name": IDS, "link_id": IDS, "parent_id": IDS, "author": TEXTS, "created_utc": NUMBERS,
    "score": NUMBERS, "retrieved_on": NUMBERS, "retrieved_utc": NUMBERS, "edited": NUMBERS, "body": TEXTS,
    "title": TEXTS, "selftext": TEXTS, "distinguished": TEXTS | st.sampled_from(["moderator", "admin"]),
    "subreddit": st.sampled_from(["changemyview", "ChangeMyView", "tea", "DeltaLog", ""]), "gilded": OTHERS,
    "children": OTHERS,
    "_meta": st.fixed_dictionaries({"was_deleted_later": st.sampled_from([True, False, None, 1, "true"])})
    | st.sampled_from([{}, {"was_deleted_later": True, "removal_type": "removed"}]),
}  # fmt: skip
PLAIN = [raw_comment(), raw_comment(id="t1_full"), raw_submission(), raw_comment(id="x9", parent_id="t1_reply"),
         logged_thread("post", "postc", "challenger"), *awarded_thread("abc")]  # fmt: skip
HUGE = b"9" * 400
STRANGE = [
    b"", b" ", b"\r", b"\t \r", b"{}", b"null", b"[]", b'"text"', b"{", b"}", b"{}{}", b"{} {}", b"\xef\xbb\xbf",
    b"\xff", b"\x00", b"nan", b"[" * 5000, b"{}}", b"},{", b'{"a": {', b"}}", b'{"a": [{}', b"{}]}", b'"body": "x"}',
]  # fmt: skip
INSERTED = [
    b'"gilded": NaN', b'"gilded": -Infinity', b'"score": ' + HUGE, b'"edited": ' + HUGE, b'"retrieved_on": ' + HUGE,
    b'"created_utc": ' + HUGE, b'"gilded": ' + HUGE, b'"gilded": 1e999', b'"edited": 1e999', b'"gilded": "\xff"',
    b'"body": "\xff"', b'"body": "\xed\xa0\x80"', b'"gilded": "\\ud800"', b'"body": "\\ud800"',
    b'"\\u0062ody": "spelt"',
    b'"gilded": "a\tb"', b'"body": "a\tb"', b'"gilded": "\\q"', b'"gilded": 01', b'"gilded": 1.',
    b'"gilded": tru',
    b'"gilded": ' + b"[" * 5000 + b"]" * 5000, b'"body": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'"gilded": ' + b"[" * 50 + b"]" * 50, b'"gilded": {"body": 5, "id": []}', b'"id": {}', b'"body": null',
    b'"title": null', b'"link_id": null', b'"score": 3.0', b'"score": "7"', b'"author": null', b'"author": []', b'"',
    b",",
]  # fmt: skip


@st.composite
def drifted(draw: st.DrawFn) -> bytes:
    """A record with some fields changed, taken away, or there twice."""
    fields = list(draw(st.sampled_from(PLAIN)).items())
    for name in draw(st.lists(st.sampled_from(sorted(NAMES)), max_size=3)):
        value = draw(NAMES[name] | NAMES[name] | OTHERS)
        if draw(st.booleans()):
            fields = [field for field in fields if field[0] != name]
        if draw(st.integers(0, 4)):
            fields.insert(draw(st.integers(0, len(fields))), (name, value))
    ascii_ = draw(st.booleans())
    parts = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=ascii_)}" for name, value in fields]
    found = [part.encode(errors="surrogatepass") for part in parts]
    for part in draw(st.lists(st.sampled_from(INSERTED), max_size=1)):
        found.insert(draw(st.integers(0, len(found))), part)
    ends = draw(st.sampled_from([(b"", b"")] * 6 + [(b"\xef\xbb\xbf", b""), (b"", b"\r"), (b" ", b"\x0c"), (b"", b"\0"),
                                                    (b"", b"{}"), (b"", b"}"), (b"[", b"]")]))  # fmt: skip
    return ends[0] + b"{" + b", ".join(found) + b"}" + ends[1]


USUAL = st.sampled_from(ndjson(PLAIN).splitlines())
LINES = (
    USUAL
    | drifted()
    | drifted()
    | st.sampled_from(STRANGE)
    | st.binary(max_size=20).map(lambda raw: raw.replace(b"\n", b""))
)
