from multiprocessing import get_context

import pytest

from persuasion.errors import DataFailure
from persuasion.looks import KEPT, ledgers, looks, note


def test_each_policy_counts_once_on_each_test_set(tmp_path):
    files = [tmp_path / "data/looks.jsonl"]
    assert looks(files, "t") == 0
    for policy in ("a", "b", "a"):
        note(files, "t", policy)
    note(files, "other", "a")
    assert (looks(files, "t"), looks(files, "other"), looks(files, "new")) == (2, 1, 0)
    assert len(files[0].read_text().splitlines()) == 3


def test_the_same_look_again_changes_no_byte(tmp_path):
    files = [tmp_path / "looks.jsonl"]
    note(files, "t", "a")
    before = files[0].read_bytes(), files[0].stat().st_mtime_ns
    note(files, "t", "a")
    assert before == (files[0].read_bytes(), files[0].stat().st_mtime_ns)


def test_experiments_side_by_side_lose_no_look(tmp_path):
    files = [tmp_path / "looks.jsonl"]
    many = [get_context("spawn").Process(target=note, args=(files, "t", str(policy))) for policy in range(6)]
    for one in many:
        one.start()
    for one in many:
        one.join()
    assert looks(files, "t") == 6


def test_a_look_in_a_copy_outlives_the_experiment_and_its_application(tmp_path, monkeypatch):
    """DVC copies the repository, and `dvc exp apply` puts the copy's file in the place of the repository's."""
    copies = [tmp_path / ".dvc/tmp/exps" / name for name in ("one", "two")]
    for copy in copies:
        (copy / "data").mkdir(parents=True)
        monkeypatch.chdir(copy)
        monkeypatch.setenv("DVC_ROOT", str(tmp_path))
        note(ledgers(), "t", copy.name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT")
    assert looks([KEPT], "t") == 2
    (tmp_path / KEPT).write_bytes((copies[0] / KEPT).read_bytes())  # applied
    assert looks([KEPT], "t") == 1 and looks(ledgers(), "t") == 2
    note(ledgers(), "t", "one")
    assert looks([KEPT], "t") == 2  # what was lost stands again, for git


@pytest.mark.parametrize("line", ["<<<<<<< HEAD", '{"test_sha256": "t"}', "[1]", "7"])
def test_a_count_that_cannot_be_trusted_is_not_given(tmp_path, line):
    files = [tmp_path / "looks.jsonl"]
    note(files, "t", "a")
    files[0].write_text(files[0].read_text() + line + "\n")
    with pytest.raises(DataFailure, match="line 2"):
        looks(files, "t")
    with pytest.raises(DataFailure):
        note(files, "t", "b")
