from functools import partial

import pytest

from persuasion import spans, units
from persuasion.forms import inputs
from persuasion.units import read_blocks, read_unit
from tests.builders import awarded_thread, ndjson, raw_comment, source
from tests.extracting import frames
from tests.forms import tan_files, write_tree

CONTENT = ndjson([*awarded_thread(), *(raw_comment(id=f"c{number}") for number in range(200))])


@pytest.mark.parametrize("cuts", [[], [1], [700], [700, 701, 702], [len(CONTENT) // 2, len(CONTENT) - 1], [5, 5, 9000]])
def test_the_units_of_a_file_hold_its_lines_once(cuts, monkeypatch, tmp_path):
    monkeypatch.setattr(units, "spans", partial(spans.spans, least=1))
    (tmp_path / "dump.zst").write_bytes(frames(CONTENT, cuts))
    how = source(tmp_path, block_bytes=1024)
    found = units.units(inputs(how))
    assert len(found) == len(cuts) + 1 and {unit.name for unit in found} == {"dump.zst"}
    blocks = [list(read_blocks(unit, how, lambda _: None)) for unit in found]
    assert b"".join(block.data for held in blocks for block in held) == CONTENT
    assert all(block.data.endswith(b"\n") for held in blocks for block in held)
    assert all(held[0].line == 1 and held[0].offset == 0 for held in blocks if held)


def test_how_much_was_read_is_heard(tmp_path):
    (tmp_path / "dump.zst").write_bytes(frames(CONTENT, [700]))
    (unit,) = units.units(inputs(source(tmp_path)))
    heard = []
    list(read_blocks(unit, source(tmp_path), heard.append))
    assert sum(heard) == unit.end == (tmp_path / "dump.zst").stat().st_size


def test_files_are_units_and_what_is_no_dump_is_one(tmp_path):
    write_tree(tmp_path / "dumps", {"b": CONTENT, "a": CONTENT, "api.json": b'{"data": []}'})
    found = units.units(inputs(source(tmp_path / "dumps")))
    assert [(unit.name, unit.is_dump) for unit in found] == [("a", True), ("b", True), ("api.json", False)]
    write_tree(tmp_path / "cmv", tan_files())
    (unit,) = units.units(inputs(source(tmp_path / "cmv")))
    names = {name for name, _ in read_unit(unit, source(tmp_path / "cmv"))}
    assert not unit.is_dump and len(names) == 6
