from dataclasses import fields
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion import records, tables
from persuasion.errors import DataFailure
from persuasion.records import Comment, Delta, Reference
from persuasion.tables import plain, read_rows, schema, table_writer, write_rows, write_tsv
from tests.builders import comment

KINDS = [value for value in vars(records).values() if isinstance(value, type)]


def reference(name: str) -> Reference:
    return Reference(
        pair_id=name,
        reference_chosen_logp=-1.5,
        reference_rejected_logp=-2.5,
        chosen_tokens=3,
        rejected_tokens=4,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_record_has_a_schema_in_its_own_order(kind):
    assert schema(kind).names == [field.name for field in fields(kind)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True, max_size=8), st.randoms())
def test_rows_come_back_sorted_and_order_never_changes_the_bytes(tmp_path_factory, names, chance):
    path = tmp_path_factory.mktemp("t")
    rows = [reference(name) for name in names]
    write_rows(path / "a", rows, Reference, "pair_id")
    chance.shuffle(rows)
    write_rows(path / "b", rows, Reference, "pair_id")
    assert (path / "a").read_bytes() == (path / "b").read_bytes()
    assert read_rows(path / "a", Reference) == sorted(rows, key=lambda row: row.pair_id)


def test_nested_and_missing_values_survive(tmp_path):
    award = Delta(by="u_1", by_op=True, source="confirmed", at=None)
    row = Comment(
        id="t1_a",
        thread_id="t3_a",
        parent_id="t3_a",
        author="",
        role="person",
        created_utc=1,
        score=None,
        body="∆\n\u202e",
        is_op=False,
        earned_delta=True,
        deltas=(award,),
        rivals=("t1_b",),
    )
    write_rows(tmp_path / "c", [row], Comment, "id")
    assert read_rows(tmp_path / "c", Comment) == [row]


def test_equal_keys_and_bad_files_are_refused(tmp_path):
    with pytest.raises(DataFailure, match="share"):
        write_rows(tmp_path / "a", [reference("x"), reference("x")], Reference, "pair_id")
    assert not (tmp_path / "a").exists()
    (tmp_path / "b").write_text("no parquet")
    for name, says in (("b", "not a readable"), ("missing", "is missing")):
        with pytest.raises(DataFailure, match=says):
            read_rows(tmp_path / name, Reference)
    write_rows(tmp_path / "c", [reference("x")], Reference, "pair_id")
    with pytest.raises(DataFailure, match="lacks the columns"):
        read_rows(tmp_path / "c", Comment)


ROWS = st.lists(
    st.integers(0, 40).map(lambda size: comment(body="x" * size, rivals=("t1_a",) * (size % 3))), max_size=30
)


def dealt(path, rows, cuts):
    """Write rows in several tables, cut at places; return the bytes."""
    table = pa.Table.from_pylist([plain(row) for row in rows], schema=schema(Comment))
    borders = [0, *sorted(min(place, len(rows)) for place in cuts), len(rows)]
    with table_writer(path, Comment) as write:
        for start, end in pairwise(borders):
            write(table.slice(start, end - start))
    return path.read_bytes()


@given(ROWS, st.lists(st.integers(0, 30), max_size=5), st.integers(1, 7), st.integers(50, 900))
def test_how_rows_are_dealt_out_leaves_no_trace_and_groups_are_bounded(tmp_path_factory, rows, cuts, most, size):
    path = tmp_path_factory.mktemp("t")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tables, "ROW_GROUP", most)
        patched.setattr(tables, "GROUP_BYTES", size)
        once = dealt(path / "a", rows, [])
        assert dealt(path / "b", rows, cuts) == dealt(path / "c", rows, range(30)) == once
    assert read_rows(path / "a", Comment) == rows
    done = 0
    with pq.ParquetFile(path / "a") as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    for count in groups:
        held = [
            sum(len(value) for value in vars_of(row) if isinstance(value, str)) for row in rows[done : done + count]
        ]
        assert count <= most and (sum(held) <= size or count == 1)
        done += count
    assert done == len(rows)


def vars_of(row):
    return [getattr(row, field.name) for field in fields(row)]


def test_groups_are_as_large_as_they_may_be(monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "ROW_GROUP", 4)
    dealt(tmp_path / "a", [comment()] * 10, range(10))
    with pq.ParquetFile(tmp_path / "a") as file:
        assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [4, 4, 2]


def test_rows_written_at_once_and_in_tables_are_the_same_bytes(tmp_path):
    rows = [comment(id=f"t1_{number}") for number in range(9)]
    write_rows(tmp_path / "a", rows, Comment, "id")
    assert dealt(tmp_path / "b", rows, [2, 5]) == (tmp_path / "a").read_bytes()


def test_a_failure_between_two_tables_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError), table_writer(tmp_path / "a", Comment) as write:
        write(pa.Table.from_pylist([plain(comment())], schema=schema(Comment)))
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_plot_data_leaves_undefined_cells_empty(tmp_path):
    write_tsv(tmp_path / "p.tsv", [{"a": 1, "b": 0.1}, {"a": 2, "b": None}])
    assert (tmp_path / "p.tsv").read_text() == "a\tb\n1\t0.1\n2\t\n"
