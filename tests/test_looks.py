import pytest

from persuasion.errors import DataFailure
from persuasion.looks import looks, note


def test_each_policy_counts_once_on_each_test_set(tmp_path):
    file = tmp_path / "data/looks.jsonl"
    assert looks(file, "t") == 0
    for policy in ("a", "b", "a"):
        note(file, "t", policy)
    note(file, "other", "a")
    assert (looks(file, "t"), looks(file, "other"), looks(file, "new")) == (2, 1, 0)
    assert len(file.read_text().splitlines()) == 3


def test_the_same_look_again_changes_no_byte(tmp_path):
    file = tmp_path / "looks.jsonl"
    note(file, "t", "a")
    before = file.read_bytes(), file.stat().st_mtime_ns
    note(file, "t", "a")
    assert before == (file.read_bytes(), file.stat().st_mtime_ns)


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", '{"test_sha256": "t"}', "[1]", "7"])
def test_a_count_that_cannot_be_trusted_is_not_given(tmp_path, line):
    file = tmp_path / "looks.jsonl"
    note(file, "t", "a")
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(DataFailure, match="line 2"):
        looks(file, "t")
    with pytest.raises(DataFailure):
        note(file, "t", "b")
