"""Finished batches survive a kill, torn lines do not, and nobody else's are taken."""

from persuasion.kept import Kept, remove_others

KEY = {"seed": 1}
ROWS = [((1, 2), ("one\n\u2028 \x00", 3, True)), ((3,), ("", 0, False))]


def test_what_was_kept_is_given_back_to_the_same_run_and_role_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Kept(KEY, "tuned").add(ROWS)
    again = Kept(KEY, "tuned")
    assert [again.get(prompt) for prompt, _ in ROWS] == [row for _, row in ROWS]
    assert again.get((9,)) is None
    assert Kept(KEY, "base").get((1, 2)) is None and Kept({"seed": 2}, "tuned").get((1, 2)) is None
    again.clear()
    assert Kept(KEY, "tuned").get((1, 2)) is None


def test_a_torn_or_changed_line_is_passed_over_and_the_next_batch_is_whole(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = Kept(KEY, "tuned")
    kept.add(ROWS[:1])
    kept.add(ROWS[1:])
    whole = kept.path.read_bytes()
    for end in range(0, len(whole), 7):
        kept.path.write_bytes(whole[:end])
        torn = Kept(KEY, "tuned")
        assert torn.get((1, 2)) in (None, ROWS[0][1]) and torn.get((3,)) in (None, ROWS[1][1])
        torn.add(ROWS)
        assert Kept(KEY, "tuned").get((3,)) == ROWS[1][1]
    kept.path.write_bytes(whole.replace(b"one", b"two"))
    assert Kept(KEY, "tuned").get((1, 2)) is None


def test_other_runs_are_removed_but_not_from_a_copy_that_dvc_made(tmp_path, monkeypatch):
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path)
    mine, other = Kept(KEY, "tuned"), Kept({"seed": 2}, "tuned")
    other.add(ROWS)
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert Kept({"seed": 2}, "tuned").get((3,)) == ROWS[1][1]
    remove_others(Kept(KEY, "tuned").path)
    monkeypatch.chdir(tmp_path)
    assert other.path.is_file()
    remove_others(mine.path)
    assert not other.path.exists()
