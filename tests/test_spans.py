from io import BytesIO

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from persuasion.spans import spans

SKIPPABLE = b"\x5f\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"hey"
SHAPES = {
    "usual": {},
    "checksum": {"write_checksum": True},
    "no content size": {"write_content_size": False},
    "wide": {"compression_params": zstandard.ZstdCompressionParameters(window_log=27)},
    "raw": {"level": 1},
}


def frame(text, shape="usual"):
    return zstandard.ZstdCompressor(**SHAPES[shape]).compress(text)


def streamed(text):
    """A frame in the way that streams are written: its size unknown, several blocks."""
    flow = zstandard.ZstdCompressor(level=3).compressobj()
    parts = [flow.compress(text), flow.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), flow.compress(text), flow.flush()]
    return b"".join(parts)


FRAMES = [*(frame(b"tea " * 9000, shape) for shape in SHAPES), frame(b""), frame(b"a" * 300_000), streamed(b"toast "),
          frame(bytes(range(256))), SKIPPABLE]  # fmt: skip


def cuts(path, least=1):
    return [(span.start, span.end) for span in spans(path, least)]


@given(st.lists(st.sampled_from(FRAMES), min_size=1, max_size=6), st.integers(1, 3000))
def test_spans_are_whole_frames_that_cover_the_file(tmp_path_factory, found, least):
    path = tmp_path_factory.mktemp("spans") / "it"
    path.write_bytes(b"".join(found))
    ends = [sum(map(len, found[: number + 1])) for number in range(len(found))]
    assert [end for _, end in cuts(path)] == ends
    coarse = cuts(path, least)
    assert [start for start, _ in coarse] == [0, *(end for _, end in coarse[:-1])]
    assert coarse[-1][1] == ends[-1] and {end for _, end in coarse} <= set(ends)
    assert all(end - start >= least for start, end in coarse[:-1])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_span_by_itself_unfolds(shape, tmp_path):
    path = tmp_path / "it"
    path.write_bytes(frame(b"first ", shape) + SKIPPABLE + frame(b"second", shape))
    texts = []
    for start, end in cuts(path):
        with zstandard.ZstdDecompressor().stream_reader(BytesIO(path.read_bytes()[start:end])) as stream:
            texts.append(stream.read())
    assert texts == [b"first ", b"", b"second"]


def test_a_span_knows_its_largest_window(tmp_path):
    (tmp_path / "it").write_bytes(frame(b"tea") + streamed(b"toast"))
    wide = zstandard.ZstdCompressor(**SHAPES["wide"]).compressobj()
    (tmp_path / "wide").write_bytes(frame(b"tea") + wide.compress(b"toast") + wide.flush())
    assert [span.window >= 1 << 27 for span in spans(tmp_path / "it", 1)] == [False, False]
    assert [span.window >= 1 << 27 for span in spans(tmp_path / "wide", 1)] == [False, True]
    assert [span.window >= 1 << 27 for span in spans(tmp_path / "wide")] == [True]


@pytest.mark.parametrize(
    "content",
    [b"", b"plain text", b"\x1f\x8b\x08 gzip", frame(b"tea" * 99)[:-1], frame(b"tea") + b"garbage",
     frame(b"tea") * 2 + b"\0", SKIPPABLE[:-1], frame(b"tea")[:5], frame(b"tea") + b"\x28\xb5\x2f\xfd\xff\xff\xff\xff"],
)  # fmt: skip
def test_what_cannot_be_walked_is_one_span_for_its_reader_to_judge(content, tmp_path):
    (tmp_path / "it").write_bytes(content)
    assert cuts(tmp_path / "it") == [(0, len(content))]
