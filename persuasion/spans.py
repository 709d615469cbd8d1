"""Where a zstd file may be cut: at frame borders, found by walking headers without decompressing.

The layout is RFC 8878, section 3.1: magic, frame header, blocks of a 3-byte header each, a checksum
if announced; skippable frames carry their size.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from persuasion.unpacking import compression

LEAST = 1 << 25  # compressed bytes worth a unit of work
LONGEST_HEADER = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes ``start`` to ``end`` of a file: whole zstd frames, the largest window among them ``window`` bytes."""

    start: int
    end: int
    window: int


def spans(path: Path, least: int = LEAST) -> list[Span]:
    """Cut a zstd file into spans of whole frames, each of at least ``least`` bytes but for the last.

    Any other file, and one whose headers cannot be walked to the end (its reader says why), is one span.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        frames = _frames(stream, size) if compression(stream.read(4)) == "zstd" else []
    found: list[Span] = []
    start = window = 0
    for end, frame_window in frames:
        window = max(window, frame_window)
        if end - start >= least or end == size:
            found.append(Span(start=start, end=end, window=window))
            start, window = end, 0
    return found or [Span(start=0, end=size, window=0)]


def _frames(stream: BinaryIO, size: int) -> list[tuple[int, int]]:
    """The (end, window) of every frame, or nothing when a frame is broken."""
    found: list[tuple[int, int]] = []
    start = 0
    while start < size:
        stream.seek(start)
        head = stream.read(LONGEST_HEADER)
        try:
            end, window = _skippable(start, head) or _frame(stream, start, head)
        except (zstandard.ZstdError, IndexError, ValueError):
            return []
        if end > size:
            return []
        found.append((end, window))
        start = end
    return found


def _skippable(start: int, head: bytes) -> tuple[int, int] | None:
    if head[1:4] != b"\x2a\x4d\x18":
        return None
    return start + 8 + int.from_bytes(head[4:8], "little"), 0


def _frame(stream: BinaryIO, start: int, head: bytes) -> tuple[int, int]:
    parameters = zstandard.get_frame_parameters(head)
    here, last = start + zstandard.frame_header_size(head), False
    while not last:
        stream.seek(here)
        header = stream.read(3)
        if len(header) < 3:
            raise IndexError("the frame has no last block")
        value = int.from_bytes(header, "little")
        last, kind, length = bool(value & 1), value >> 1 & 3, value >> 3
        here += 3 + (1 if kind == 1 else length)  # a run-length block is one byte, whatever it stands for
    return here + (4 if parameters.has_checksum else 0), parameters.window_size
