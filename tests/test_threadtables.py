import random

import pytest

from persuasion.errors import DataFailure
from persuasion.records import Comment, Submission
from persuasion.tables import schema, table_writer
from persuasion.threadtables import COMMENTS, SUBMISSIONS, ranges
from tests.builders import arrow, comment, submission

POSTS = [submission(id=f"t3_{k:x}") for k in range(40)]
REPLIES = [comment(id=f"t1_{k}", thread_id=f"t3_{k % 37:x}") for k in range(300)]


def by_thread(rows):
    return sorted(rows, key=lambda row: int(getattr(row, "thread_id", row.id)[3:], 36))


def write(folder, posts, comments, monkeypatch, group=16):
    monkeypatch.setattr("persuasion.tables.ROW_GROUP", group)
    for name, rows, kind in ((SUBMISSIONS, posts, Submission), (COMMENTS, comments, Comment)):
        with table_writer(folder / name, kind) as writer:
            writer(arrow(rows, kind))


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("group", [1, 16, 1000])
def test_every_row_comes_once_and_every_thread_whole(tmp_path, monkeypatch, ordered, group):
    posts, comments = (
        by_thread(rows) if ordered else random.Random(1).sample(rows, len(rows)) for rows in (POSTS, REPLIES)
    )
    write(tmp_path, posts, comments, monkeypatch, group)
    found = [part.read() for part in ranges(tmp_path, tmp_path / "scratch")]
    assert len(found) > 1 or group == 1000
    assert [id_ for table, _ in found for id_ in table["id"].to_pylist()] == [row.id for row in by_thread(POSTS)]
    assert sorted(id_ for _, table in found for id_ in table["id"].to_pylist()) == sorted(row.id for row in REPLIES)
    for table, replies in found:
        assert set(replies["thread_id"].to_pylist()) <= set(table["id"].to_pylist())


def test_comments_without_a_post_and_posts_without_a_comment_are_kept(tmp_path, monkeypatch):
    write(tmp_path, POSTS[:2], [comment(thread_id="t3_zz")], monkeypatch)
    tables = [part.read() for part in ranges(tmp_path, tmp_path / "scratch")]
    assert sum(len(one) for one, _ in tables) == 2 and sum(len(other) for _, other in tables) == 1


def test_a_missing_table_a_broken_one_and_a_missing_column_are_messages(tmp_path, monkeypatch):
    with pytest.raises(DataFailure, match="is missing"):
        ranges(tmp_path, tmp_path)
    write(tmp_path, POSTS, REPLIES, monkeypatch)
    (tmp_path / COMMENTS).write_bytes(b"no parquet")
    with pytest.raises(DataFailure, match="not a readable Parquet"):
        ranges(tmp_path, tmp_path)
    import pyarrow.parquet as pq

    pq.write_table(arrow(REPLIES, Comment).drop(["role"]), tmp_path / COMMENTS)
    with pytest.raises(DataFailure, match="lacks the columns role"):
        ranges(tmp_path, tmp_path)
    assert "role" in schema(Comment).names
