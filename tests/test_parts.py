import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.dumps import Block
from persuasion.masking import masked
from persuasion.parts import Reader, read_block, read_outcomes
from persuasion.reddit import Place, Skip, outcome
from tests.builders import awarded_thread, ndjson, raw_comment, raw_submission
from tests.drifting import LINES

READER = Reader(subreddit="changemyview", mask=False)
MASKING = Reader(subreddit="changemyview", mask=True)
BAD_LINES = [
    (b'{"id": "x", "body": ', "not_json"),
    (b"[" * 90_000, "not_json"),
    (b'"text"', "not_object"),
    (b'{"children": ["a"], "count": 1, "id": "x", "name": "t1_x", "parent_id": "t1_y"}', "stub"),
    (json.dumps(raw_comment(body=None)).encode(), "missing_field"),
    (json.dumps(raw_comment(body=5)).encode(), "wrong_type"),
    (json.dumps(raw_comment(created_utc="soon")).encode(), "wrong_type"),
    (json.dumps(raw_comment(created_utc=12)).encode(), "out_of_range"),
    (json.dumps(raw_comment(id="a\0b")).encode(), "wrong_type"),
    (json.dumps(raw_submission(body=None, link_id=None)).encode(), "missing_field"),
]


def block(lines, line=1, offset=0):
    data = b"".join(one + b"\n" for one in lines)
    return Block(line=line, offset=offset, length=len(data), data=data)


def carefully(lines, reader):
    """The part that the careful reader alone makes of the lines."""
    outcomes, offset = [], 0
    for number, line in enumerate(lines, start=1):
        text = line.decode(errors="replace").removeprefix("\ufeff").strip()
        place = Place(file="it", line=number, offset=offset, length=len(line))
        outcomes.append((place, outcome(text, "changemyview") if text else Skip(reason="blank")))
        offset += len(line) + 1
    return read_outcomes(outcomes, reader)


def told_rows(table):
    """The rows of a table; null and no rivals are one, as the join makes them."""
    return [row | ({"rivals": row["rivals"] or []} if "rivals" in row else {}) for row in table.to_pylist()]


def told(*parts):
    """All that parts say, whatever the order of their rows; what was ``repaired`` is told by the bytes alone."""
    rows = [
        sorted((row.items() for part in parts for row in told_rows(getattr(part, name))), key=repr)
        for name in ("submissions", "comments")
    ]
    accounts = [part.account for part in parts]
    refusals = [row for account in accounts for row in account.refusals.to_pylist()]
    return (
        rows,
        sorted(refusals, key=lambda row: row["line"]),
        sum((account.skipped for account in accounts), start=type(accounts[0].skipped)()),
        sorted(repr(log) for account in accounts for log in account.logs),
        sum(account.lines for account in accounts),
    )


@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from([READER, MASKING]))
@settings(max_examples=500)
def test_a_block_is_read_as_the_careful_reader_reads_its_lines(lines, reader):
    assert told(read_block(block(lines), "it", reader)) == told(carefully(lines, reader))


@given(st.lists(LINES, min_size=1, max_size=6))
@settings(max_examples=200)
def test_the_rows_of_a_block_do_not_depend_on_their_neighbours(lines):
    offsets = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    alone = [
        read_block(block([line], number + 1, offset), "it", READER)
        for number, (line, offset) in enumerate(zip(lines, offsets, strict=True))
    ]
    whole = read_block(block(lines), "it", READER)
    assert told(whole) == told(*alone)
    assert whole.account.repaired == sum(part.account.repaired for part in alone)


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_refused_by_name_where_it_stands(line, reason):
    usual = ndjson([raw_submission(), raw_comment()]).splitlines()
    part = read_block(block([usual[0], line, usual[1]], 7, 100), "it", READER)
    assert part.account.refusals.to_pylist() == [
        {"file": "it", "line": 8, "offset": 101 + len(usual[0]), "length": len(line), "reason": reason}
    ]
    assert (part.submissions.num_rows, part.comments.num_rows, part.account.lines) == (1, 1, 3)


def test_a_line_that_is_too_long_is_refused_unread():
    part = read_block(Block(line=3, offset=50, length=10**9, data=None), "it", READER)
    assert part.account.refusals.to_pylist() == [
        {"file": "it", "line": 3, "offset": 50, "length": 10**9, "reason": "line_too_long"}
    ]
    assert (part.account.lines, part.account.length) == (1, 10**9)


def test_bytes_that_are_no_text_are_replaced_and_their_lines_counted():
    line = json.dumps(raw_comment(body="half \ud800 pair")).encode().replace(b"half", b"h\xffalf")
    part = read_block(block([line, *ndjson([raw_comment(body="\ud800")]).splitlines()]), "it", READER)
    assert sorted(part.comments["body"].to_pylist()) == ["h\ufffdalf \ufffd pair", "\ufffd"]
    assert part.account.repaired == 1


def test_masking_changes_texts_alone_and_what_was_said_is_kept_for_the_award():
    body = "Confirmed: 1 delta awarded to /u/challenger ([1∆](/r/changemyview/wiki/user/challenger))."
    lines = ndjson(
        [raw_submission(title="CMV: u/someone", selftext="a@example.org"), raw_comment(body=body)]
    ).splitlines()
    plain, hidden = (read_block(block(lines), "it", reader) for reader in (READER, MASKING))
    assert hidden.comments["body"].to_pylist() == [masked(body)] != [body]
    assert hidden.comments["said"].to_pylist() == [body]
    assert hidden.submissions["selftext"].to_pylist() == ["EMAIL"]
    for table, other in ((plain.comments, hidden.comments), (plain.submissions, hidden.submissions)):
        names = [name for name in table.column_names if name not in ("body", "title", "selftext")]
        assert table.select(names) == other.select(names)


@pytest.mark.parametrize("body", ["[deleted]", "[removed]", "\n[deleted]" + " " * 30, " " * 30 + "[removed]"])
def test_what_is_gone_is_nobodys_in_either_lane(body):
    lines = [
        *ndjson([raw_comment(body=body)]).splitlines(),
        b"\xef\xbb\xbf" + ndjson([raw_comment(id="odd", body=body)])[:-1],
    ]
    assert read_block(block(lines), "it", READER).comments["role"].to_pylist() == ["deleted", "deleted"]


def test_only_what_may_award_a_delta_is_kept_unmasked():
    bodies = {row["id"]: row["body"] for row in awarded_thread() if "body" in row}
    part = read_block(block(ndjson(awarded_thread()).splitlines()), "it", READER)
    said = dict(zip(part.comments["id"].to_pylist(), part.comments["said"].to_pylist(), strict=True))
    assert said == {"t1_posta": None, "t1_postb": None, "t1_postc": bodies["postc"], "t1_postd": bodies["postd"]}
