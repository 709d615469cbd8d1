import io
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from persuasion import documents
from persuasion.documents import decoded, entries, keys, loaded, rows, whole
from persuasion.errors import DataFailure
from persuasion.reddit import Refuse, Skip
from tests.forms import LIMITS, lines_of

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_the_unrolled_decoder_agrees_with_the_standard_one(value, plain, indent):
    text = json.dumps(value, ensure_ascii=plain, indent=indent)
    assert documents._unrolled(text, 0) == (json.loads(text), len(text))


@given(VALUES, st.integers(0, 400), st.text(max_size=3))
@example([None], 0, "\n")
def test_the_unrolled_decoder_refuses_what_the_standard_one_refuses(value, at, noise):
    text = json.dumps(value)
    broken = (text[:at] + noise + text[at + 1 :]).lstrip(" \t\n\r")  # both are asked where a value begins
    try:
        expected = json.JSONDecoder(strict=False).raw_decode(broken)
    except ValueError:
        with pytest.raises(ValueError):
            documents._unrolled(broken, 0)
    else:
        assert documents._unrolled(broken, 0) == expected


def test_depth_is_no_obstacle_and_not_without_end(monkeypatch):
    deep = "[" * 5000 + "]" * 5000
    assert decoded(deep, 0)[1] == 10_000
    monkeypatch.setattr(documents, "DEEPEST", 4000)
    with pytest.raises(ValueError, match="4000"):
        loaded(deep)


@given(st.lists(VALUES, max_size=5), st.booleans(), st.booleans())
def test_every_entry_lies_where_its_place_says(values, listed, bom):
    encoded = [json.dumps(value, ensure_ascii=False) for value in (values if listed else [[value] for value in values])]
    text = "[" + " , ".join(encoded) + " ]\n" if listed else "\n".join(encoded)
    content = (b"\xef\xbb\xbf" if bom else b"") + text.encode("utf-8", "replace") + b" "
    found = list(entries(whole(io.BytesIO(content), "file", LIMITS), "file"))
    assert len(found) == len(values)
    assert all(json.loads(content[at.offset : at.offset + at.length]) == value for value, at in found)
    assert [place.line for _, place in found] == list(range(1, len(found) + 1))


def test_bytes_that_are_no_utf_8_keep_their_length():
    found = list(entries(whole(io.BytesIO(b'["\xff\xfe", 1]'), "file", LIMITS), "file"))
    assert [(at.offset, at.length, at.repaired) for _, at in found] == [(1, 4, True), (7, 1, False)]


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", "[1,]", "{}{", "tru", "[", "]"])
def test_broken_json_is_a_named_failure(text):
    with pytest.raises(DataFailure, match="file is not valid JSON"):
        list(entries(text, "file"))


@given(VALUES, st.integers(0, 60))
def test_fields_are_told_from_any_beginning(value, cut):
    text = json.dumps({"first": 1, "list": [value, {"inner": 2}], "object": {"deep": value}})
    found = keys(text[:cut])
    assert list(found) == ["first", "list", "object"][: len(found)]
    assert keys(text) == {"first": "value", "list": "[", "object": "{"}
    assert keys(f"[{text}") == keys(text)


def test_a_document_has_a_size_limit(monkeypatch):
    monkeypatch.setattr(documents, "DOCUMENT_BYTES", 9)
    with pytest.raises(DataFailure, match="longer than"):
        whole(io.BytesIO(b"[123456789]"), "file", LIMITS)
    with pytest.raises(DataFailure, match="empty file"):
        whole(io.BytesIO(b""), "file", LIMITS)


def test_rows_are_objects_or_say_why_not():
    long = b'{"a": "' + b"x" * LIMITS.line_bytes + b'"}'
    lines = [b'\xef\xbb\xbf{"a": "\xff"}\r', b"  ", b"[1]", b'{"a"', b"{} {}", b"[" * 5000 + b"]" * 5000, long]
    found = [row for _, row in rows(lines_of(lines))]
    assert found[0] == {"a": "\ufffd"}
    assert found[1] == Skip(reason="blank")
    why = ["not_object", "not_json", "not_json", "not_object", "line_too_long"]
    assert found[2:] == [Refuse(reason=reason) for reason in why]
