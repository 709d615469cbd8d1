import bz2
import errno
import gzip
import io
import random
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from persuasion import unpacking
from persuasion.errors import DataFailure
from persuasion.unpacking import CHUNK, Limits, compression, unpacked

LIMITS = Limits(line_bytes=1 << 20, window_mb=8)
TEXT = b"".join(b"%d bottles of tea\n" % number for number in range(5000))
ZSTD = zstandard.ZstdCompressor(level=3).compress
SKIPPABLE = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"notes"
PACKED = {
    "plain": (TEXT, ""),
    "gzip": (gzip.compress(TEXT), "gzip"),
    "members": (gzip.compress(TEXT[:7]) + gzip.compress(b"") + gzip.compress(TEXT[7:]), "gzip"),
    "bzip2": (bz2.compress(TEXT[:99]) + bz2.compress(TEXT[99:]), "bzip2"),
    "zstd": (ZSTD(TEXT), "zstd"),
    "frames": (ZSTD(TEXT[:7]) + ZSTD(b"") + SKIPPABLE + ZSTD(TEXT[7:]), "zstd"),
    "skippable first": (SKIPPABLE + ZSTD(TEXT), "zstd"),
}


def unfolded(content, limits=LIMITS):
    return b"".join(unpacked(io.BytesIO(content), "it", limits))


@pytest.mark.parametrize("packing", PACKED)
def test_every_packing_unfolds_to_the_same_bytes(packing):
    content, kind = PACKED[packing]
    assert compression(content[:4]) == kind
    assert unfolded(content) == TEXT


@pytest.mark.parametrize("packing", [name for name in PACKED if name != "plain"])
@pytest.mark.parametrize("cut", [1, 2, 100])
def test_a_stream_that_ends_too_early_is_truncated_and_no_shorter_text(packing, cut):
    with pytest.raises(DataFailure, match="it is truncated"):
        unfolded(PACKED[packing][0][:-cut])


@pytest.mark.parametrize("packing", [name for name in PACKED if name != "plain"])
def test_garbage_behind_a_stream_is_named(packing):
    with pytest.raises(DataFailure, match="it cannot be decompressed"):
        unfolded(PACKED[packing][0] + b"no compressed bytes")


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, zstandard.ZstdCompressor(write_checksum=True).compress]
)  # fmt: skip
@given(st.data())
def test_a_changed_byte_is_named_or_changes_nothing(pack, data):
    content = bytearray(pack(TEXT[:3000]))
    content[data.draw(st.integers(4, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert unfolded(bytes(content)) == TEXT[:3000]  # a byte of gzip's header, say
    except DataFailure as failure:
        assert "it " in failure.what


def test_a_wider_window_than_allowed_is_explained():
    wide = zstandard.ZstdCompressionParameters(window_log=24)
    flow = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    content = flow.compress(TEXT) + flow.flush()
    with pytest.raises(DataFailure) as failure:
        unfolded(content)
    assert "source.zst_window_mb" in failure.value.fix
    assert unfolded(content, Limits(line_bytes=1 << 20, window_mb=16)) == TEXT


@pytest.mark.parametrize("pack", [ZSTD, gzip.compress, bz2.compress])
def test_a_bomb_is_stopped_in_bounded_memory(pack, monkeypatch):
    monkeypatch.setattr(unpacking, "BOMB_BYTES", 1 << 24)
    monkeypatch.setattr(unpacking, "BOMB_RATIO", 100)
    content = pack(bytes(1 << 22)) * 40
    tracemalloc.start()
    with pytest.raises(DataFailure, match="unfolds without end"):
        for _ in unpacked(io.BytesIO(content), "it", LIMITS):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 26


def test_a_bomb_in_a_few_bytes_of_bzip2_unfolds_bite_by_bite(monkeypatch):
    monkeypatch.setattr(unpacking, "BOMB_BYTES", 1 << 24)
    content = bz2.compress(bytes(1 << 27))
    assert len(content) < 1000
    tracemalloc.start()
    with pytest.raises(DataFailure, match="unfolds without end"):
        for _ in unpacked(io.BytesIO(content), "it", LIMITS):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25


def test_a_text_that_only_compresses_well_is_no_bomb(monkeypatch):
    monkeypatch.setattr(unpacking, "BOMB_BYTES", 1 << 20)
    content = (b"tea " * 50 + b"\n") * 20_000
    assert unfolded(gzip.compress(content)) == content


def test_a_disk_that_fails_is_not_called_a_bad_file():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() >= CHUNK:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    with pytest.raises(DataFailure, match="cannot be read") as failure:
        b"".join(unpacked(Failing(ZSTD(random.Random(0).randbytes(1 << 16))), "it", LIMITS))
    assert failure.value.why == "Input/output error"
