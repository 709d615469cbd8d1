from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion import records
from persuasion.errors import DataFailure
from persuasion.records import Comment, Delta, Reference
from persuasion.tables import read_rows, schema, write_rows, write_tsv

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


def test_plot_data_leaves_undefined_cells_empty(tmp_path):
    write_tsv(tmp_path / "p.tsv", [{"a": 1, "b": 0.1}, {"a": 2, "b": None}])
    assert (tmp_path / "p.tsv").read_text() == "a\tb\n1\t0.1\n2\t\n"
