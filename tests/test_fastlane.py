import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from persuasion.fastlane import TOGETHER, edges, sort_lines
from persuasion.keys import keys
from persuasion.reddit import RawComment, RawSubmission, Skip, outcome
from tests.builders import AT, ndjson, raw_comment, raw_submission
from tests.drifting import LINES, USUAL


def sorted_lines(lines):
    data = b"".join(line + b"\n" for line in lines)
    return sort_lines(data, *edges(data), "changemyview")


def careful(line):
    return outcome(line.decode(errors="replace").removeprefix("\ufeff").strip(), "changemyview")


def fields(lane, at):
    """What the lane says of a record, as far as both kinds have it."""
    said = {name: column[at] for name, column in lane.said.items()}
    text = said["body"] if "title" not in said else (said["title"], said["selftext"] or "")
    times = int(lane.created[at]), (int(lane.retrieved[at]), int(lane.edited[at]))
    return said["id"].as_py(), said["author"], said["score"], said["distinguished"] or "", text, times


def read(raw):
    text = (raw.title, raw.selftext) if isinstance(raw, RawSubmission) else raw.body
    return raw.id[3:], raw.author, raw.score, raw.distinguished, text, (raw.created_utc, raw.version)


@given(st.lists(LINES, min_size=1, max_size=6))
@settings(max_examples=500)
def test_what_the_lane_takes_the_careful_reader_reads_the_same(lines):
    found = sorted_lines(lines)
    for lane, kind in ((found.comments, RawComment), (found.submissions, RawSubmission)):
        for at, number in enumerate(lane.line.tolist()):
            raw = careful(lines[number])
            assert isinstance(raw, kind)
            assert read(raw) == fields(lane, at)
            assert [lane.key[at]] == keys([raw.id[3:]]).tolist()
            if kind is RawComment:
                assert [lane.thread[at], lane.parent[at]] == keys([raw.thread_id[3:], raw.parent_id[3:]]).tolist()
                ids = [lane.said[name][at].as_py() for name in ("link_id", "parent_id")]
                assert [raw.thread_id, raw.parent_id] == ids
    taken = {*found.comments.line.tolist(), *found.submissions.line.tolist(), *found.odd}
    elsewhere = [line for number, line in enumerate(lines) if number not in taken]
    assert len(elsewhere) == found.elsewhere
    assert all(careful(line) == Skip(reason="other_subreddit") for line in elsewhere)


@given(st.lists(USUAL | st.sampled_from([b"", b"odd"]), min_size=1, max_size=5), st.integers(0, 2 * TOGETHER))
@settings(max_examples=40)
def test_no_line_is_lost_or_taken_for_another_in_long_blocks(lines, before):
    usual = ndjson([raw_comment(id=f"c{number}") for number in range(before)]).splitlines()
    found = sorted_lines([*usual, *lines])
    assert found.comments.line.tolist()[:before] == list(range(before))
    assert found.comments.said["id"].to_pylist()[:before] == [f"c{number}" for number in range(before)]
    alone = [sorted_lines([line]) for line in lines]
    assert [number - before for number in found.odd] == [number for number, one in enumerate(alone) if one.odd]


@pytest.mark.parametrize(
    "changes",
    [{}, {"created_utc": str(AT)}, {"created_utc": float(AT)}, {"edited": AT + 5.0}, {"score": None}, {"score": ...},
     {"distinguished": "moderator"}, {"retrieved_on": ..., "retrieved_utc": AT}, {"gilded": {"a": [1, None, "x"]}},
     {"body": "∆ \u202e\0"}, {"id": "zzzzzzzzzzzz"}],
)  # fmt: skip
def test_lines_of_the_usual_shape_are_taken(changes):
    post = {name: value for name, value in changes.items() if name != "body"}
    found = sorted_lines(ndjson([raw_comment(**changes), raw_submission(**post)]).splitlines())
    assert (found.comments.line.tolist(), found.submissions.line.tolist(), found.odd) == ([0], [1], [])


def test_edges_are_those_of_the_lines():
    for data in (b"a", b"a\n", b"\n", b"a\n\nbc", b"\n\n"):
        starts, ends = edges(data)
        found = data.split(b"\n")
        assert [data[start:end] for start, end in zip(starts, ends, strict=True)] == (
            found if found[-1] else found[:-1]
        )
