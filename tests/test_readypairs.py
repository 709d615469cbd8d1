import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.errors import DataFailure
from persuasion.readypairs import delimiter, records, rows, unused
from tests.forms import PAIR_ROWS, posts, reasons, replies


def table(entries, delimiter=",", names=None):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerows([names or list(entries[0]), *(list(entry.values()) for entry in entries)])
    return stream.getvalue()


FORMS = {
    "json": json.dumps(PAIR_ROWS),
    "lines": "\n".join(json.dumps(row) for row in PAIR_ROWS),
    "csv": table(PAIR_ROWS),
    "bom": "\ufeff" + table(PAIR_ROWS),
    "tsv": table(PAIR_ROWS, "\t", ["post", "positive", "negative"]),
    "semicolon": table(PAIR_ROWS, ";"),
    "extra": json.dumps([{**row, "author": "nobody"} for row in PAIR_ROWS]),
}


def read(text):
    return list(records(rows(text, "file")))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_come_of_every_form(form):
    found = read(FORMS[form])
    assert [raw for _, raw in found] == [raw for _, raw in read(FORMS["json"])]
    assert [place.line for place, _ in found] == [line for line in range(1, 6) for _ in range(3)]


def test_a_row_is_three_records():
    found = read(FORMS["json"])
    assert sorted(reasons(found)) == ["empty_text"] * 3 + ["repeated"] * 2 + ["same_completions"] * 3
    assert len(found) == 15 == len(posts(found)) + len(replies(found)) + len(reasons(found))
    winners = {row.body: len(row.rivals) for row in replies(found).values() if row.given == "given"}
    assert winners == {"Short ones help.": 2, "With milk.": 1}
    assert {rival for row in replies(found).values() for rival in row.rivals} <= replies(found).keys()


def test_ids_are_hashes_of_the_texts():
    found = read(FORMS["json"])
    post, chosen = (raw for _, raw in found[:2])
    assert (post.id, post.title, post.selftext, post.author) == ("t3_0a3978e18db1b7eb", "", "Naps?", "")
    assert (chosen.id, chosen.thread_id, chosen.parent_id) == ("t1_1ee973f900f05c29", post.id, post.id)


@given(st.lists(st.tuples(*[st.text(st.characters(exclude_categories=["Cs"]))] * 3), min_size=1, max_size=5))
def test_a_csv_row_lies_where_its_place_says(texts):
    entries = [dict(zip(PAIR_ROWS[0], row, strict=True)) for row in texts if any(row)]
    text = "\ufeff" + table([PAIR_ROWS[0], *entries])
    content = text.encode()
    for place, row in rows(text, "file"):
        line = content[place.offset : place.offset + place.length].decode()
        assert next(csv.reader(io.StringIO(line, newline=""))) == list(row.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"prompt": "a", "chosen": "b"}]', "row 1: rejected is nothing"),
        ('[{"prompt": "a", "chosen": "b", "rejected": ["c"]}]', r"row 1: rejected\[0\] is str"),
        ('[{"prompt": "a", "chosen": "b", "rejected": 5}]', "row 1: rejected is int"),
        ('[{"prompt": "a", "chosen": "b", "rejected": "c"}, 5]', "row 2: the row is int"),
        ('{"prompt": "a", "chosen": "b", "rejected": "c"}\n{"post": "a"}', "row 2: positive is nothing"),
        ('[{"prompt": "a"', "not valid JSON"),
        ("prompt,chosen,rejected\na,b\n", "row 1: rejected is nothing"),
        ('prompt,chosen,rejected\na,b,"c\n', "not valid CSV"),
        ("prompt,chosen\na,b\n", "not a file of ready pairs"),
        ("", "not a file of ready pairs"),
    ],
)
def test_a_wrong_row_is_named(content, words):
    with pytest.raises(DataFailure, match=words):
        read(content)


def said(role, text):
    return {"role": role, "content": text}


ODD = [
    ({"prompt": [said("user", "a"), said("assistant", "b"), said("user", "c")]}, "prompt is a list of 3", "turns"),
    ({"prompt": [said("system", "Be kind."), said("user", "a")]}, "prompt is a list of 2", "one message by the user"),
    ({"prompt": []}, "prompt is a list of 0", "one message"),
    ({"prompt": said("assistant", "a")}, "prompt.role is 'assistant'", "user or human"),
    ({"chosen": [said("user", "a"), said("assistant", "b")]}, "chosen is a list of 2", "one message by the assistant"),
    ({"chosen": {"from": "human", "value": "b"}}, "chosen.from is 'human'", "assistant or gpt"),
    ({"chosen": {"content": "b"}}, "chosen.role is nothing", "assistant or gpt"),
    ({"chosen": said("\x1b[2J", "b")}, r"chosen.role is '\x1b[2J'", "assistant or gpt"),
    ({"chosen": [said("assistant", [{"type": "text"}])]}, "chosen[0].content is list", "a text"),
    ({"rejected": said("assistant", None)}, "rejected.content is nothing", "a text"),
    ({"prompt": ..., "messages": "a", "rejected": ...}, "rejected is nothing", "a text"),
    ({"prompt": ..., "conversations": [{"from": "human"}]}, "conversations[0].value is nothing", "a text"),
    ({"prompt": ..., "instruction": "a", "input": 5}, "input is int", "a text"),
    ({"prompt": ..., "instruction": "a", "history": [["b", "c"]]}, "history is a list with turns", "none"),
]


@pytest.mark.parametrize(("changes", "got", "expected"), ODD)
def test_what_is_no_single_message_is_refused_by_name(changes, got, expected):
    row = {"prompt": "a", "chosen": "b", "rejected": "c"}
    wrong = {name: value for name, value in {**row, **changes}.items() if value is not ...}
    with pytest.raises(DataFailure) as failure:
        read(json.dumps([row, wrong]))
    assert failure.value.what == f"row 2: {got}" and expected in failure.value.why
    assert failure.value.where == "file" and failure.value.exit_code == 3


def test_alpacas_instruction_and_input_are_one_prompt():
    rows_ = [{"instruction": "Naps?", "input": more, "chosen": "a", "rejected": "b"} for more in ("", None, "Why?")]
    assert {post.selftext for post in posts(read(json.dumps(rows_))).values()} == {"Naps?", "Naps?\nWhy?"}


def test_columns_that_are_not_read_are_known():
    assert unused({**PAIR_ROWS[0], "b": 1, "a": 2, None: 3}) == ["a", "b"]
    assert unused({"post": "", "positive": "", "negative": "", "prompt_id": 1}) == ["prompt_id"]
    assert unused(5) == []


def test_a_header_tells_its_delimiter():
    assert [delimiter(line) for line in ('"prompt", "rejected" ,chosen,x', "post\tpositive\tnegative")] == [",", "\t"]
    assert delimiter("prompt,chosen\trejected") is None


def test_invalid_bytes_and_lone_surrogates_are_replaced():
    text = '[{"prompt": "a\udcff", "chosen": "\\ud800b", "rejected": "c"}]'
    post, chosen, _ = (raw for _, raw in read(text))
    assert (post.selftext, chosen.body) == ("a\ufffd", "\ufffdb")
