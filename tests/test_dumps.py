import gzip
import io
import random
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.dumps import cut, lines, owned, whole_lines
from persuasion.errors import DataFailure
from persuasion.unpacking import Limits

LIMIT = 6
LIMITS = Limits(line_bytes=LIMIT, window_mb=8)
PIECES = st.lists(st.text("a\n", max_size=9).map(str.encode), max_size=8)


def found_in(content, limits=LIMITS):
    return list(lines(io.BytesIO(content), "it", limits))


def expected(content):
    """(offset, bytes without the end) of every line."""
    found, offset = [], 0
    for line in content.split(b"\n"):
        found.append((offset, line))
        offset += len(line) + 1
    return found[:-1] if not found[-1][1] else found


@given(PIECES)
def test_lines_have_their_places_and_long_ones_no_bytes(pieces):
    content = b"".join(pieces)
    found = found_in(content)
    assert [line.place.line for line in found] == list(range(1, len(found) + 1))
    assert [(line.place.offset, line.raw) for line in found] == [
        (offset, raw if len(raw) <= LIMIT else None) for offset, raw in expected(content)
    ]
    for line in found:
        assert (
            content[line.place.offset :][: line.place.length].rstrip(b"\n")
            == dict(expected(content))[line.place.offset]
        )


@given(PIECES, st.integers(1, 40))
def test_blocks_hold_every_byte_once_and_whole_lines_only(pieces, size):
    content = b"".join(pieces)
    blocks = list(cut(iter(pieces), "it", LIMITS, size))
    line, offset = 1, 0
    for block in blocks:
        held = content[offset : offset + block.length]
        assert (block.line, block.offset, block.data or held) == (line, offset, held)
        assert held.endswith(b"\n") or offset + block.length == len(content)
        assert block.data is not None or len(held.rstrip(b"\n")) > LIMIT
        line += len(whole_lines(held))
        offset += block.length
    assert offset == len(content)


@given(st.text("a\n", max_size=30).map(str.encode), st.lists(st.integers(0, 30), max_size=5), st.data())
def test_the_parts_of_a_file_own_its_lines_exactly_once(content, cuts, data):
    borders = sorted({0, len(content), *(min(place, len(content)) for place in cuts)})

    def bitten(stretch):
        bites = sorted(data.draw(st.lists(st.integers(0, len(stretch)), max_size=3)))
        return iter([stretch[start:end] for start, end in zip([0, *bites], [*bites, len(stretch)], strict=True)])

    found = [
        b"".join(owned(bitten(content[start:end]), bitten(content[end:]), first=start == 0))
        for start, end in pairwise(borders)
    ]
    assert b"".join(found) == content
    assert all(part.endswith(b"\n") for part in found[:-1] if part and not content.endswith(part))


@pytest.mark.parametrize("limit", [100, 1 << 20])
def test_short_lines_stay_together_whatever_the_limit_for_long_ones(limit):
    content = b"a short line\n" * 20_000
    blocks = list(cut(iter([content]), "it", Limits(line_bytes=limit, window_mb=8), 1 << 16))
    assert sum(block.length for block in blocks) == len(content)
    assert len(blocks) < 10


def test_reading_beyond_a_part_stops_at_the_first_line_end():
    def beyond():
        yield b"d\ne"
        pytest.fail("read too far")

    assert b"".join(owned(iter([b"a\nb\nc"]), beyond(), first=False)) == b"b\ncd\n"


def test_a_truncated_file_says_how_many_records_precede():
    content = gzip.compress(random.Random(0).randbytes(1 << 21).replace(b"\n", b" ").replace(b"e", b"\n"))
    with pytest.raises(DataFailure, match=r"it is truncated after [1-9]\d* records"):
        found_in(content[:-9], Limits(line_bytes=1 << 20, window_mb=8))


def test_a_line_of_hundreds_of_megabytes_costs_no_memory():
    flow = zlib.compressobj(wbits=31)
    noise = (random.Random(seed).randbytes(1 << 16).replace(b"\n", b"") * 64 for seed in range(48))
    long = b"".join(map(flow.compress, noise)) + flow.flush()
    content = gzip.compress(b"{}\n") + long + gzip.compress(b"\nafter\n")
    tracemalloc.start()
    found = found_in(content, Limits(line_bytes=1 << 20, window_mb=8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [line.raw for line in found] == [b"{}", None, b"after"]
    assert found[1].place.length > 190 << 20
    assert found[2].place.offset == found[1].place.offset + found[1].place.length
    assert peak < 16 << 20
