import json

import pytest

from persuasion.files import digest, replaced, replaced_folder, write_json


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replaced(target) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_kill_left_behind_is_cleared_by_the_rerun(tmp_path):
    (tmp_path / ".out.partial").mkdir()
    (tmp_path / ".out.partial/stale").write_text("x")
    with replaced_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("y")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_json_is_always_valid_json(tmp_path):
    write_json(tmp_path / "m.json", {"b": [float("nan"), (float("inf"), 1)], "a": 0.1, "é": True})
    text = (tmp_path / "m.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {"a": 0.1, "b": [None, [None, 1]], "é": True}


def test_a_digest_sees_names_and_bytes(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_text("1")
    first = digest(tmp_path / "a")
    (tmp_path / "a/x").rename(tmp_path / "a/y")
    assert digest(tmp_path / "a") != first
