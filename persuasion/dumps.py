"""Decompressed bytes to lines, each with its place; or to blocks of whole lines, for reading many at once.

A line longer than the limit keeps its place and loses its bytes, so that memory stays bounded.
Knows nothing of Reddit or of formats.
"""

import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import zstandard

from persuasion.errors import DataFailure
from persuasion.reddit import Place
from persuasion.unpacking import Limits, Truncated, blocks, corrupt

BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Whole lines: ``line`` is the first one's number from 1, ``offset`` its place in the decompressed file.

    ``data`` is None for one single line that is longer than the limit; ``length`` counts its end too.
    """

    line: int
    offset: int
    length: int
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line without its end, and where it stood; ``raw`` is None when it is longer than the limit."""

    place: Place
    raw: bytes | None


def lines(stream: BinaryIO, name: str, limits: Limits) -> Iterator[Line]:
    """Yield the lines of a plain, gzip, zstd or bzip2 stream; ``name`` stands in their places and in errors.

    Raises DataFailure when the stream is unreadable, empty, truncated or corrupt.
    """
    for block in cut(blocks(stream, limits), name, limits, BLOCK):
        if block.data is None:
            yield Line(place=Place(file=name, line=block.line, offset=block.offset, length=block.length), raw=None)
            continue
        offset = block.offset
        for number, raw in enumerate(whole_lines(block.data), start=block.line):
            yield Line(place=Place(file=name, line=number, offset=offset, length=len(raw)), raw=raw)
            offset += len(raw) + 1


def cut(pieces: Iterator[bytes], name: str, limits: Limits, size: int) -> Iterator[Block]:
    """Yield blocks of at least ``size`` bytes (but for the last), cut after a line's end. Raises as ``lines``."""
    line, offset = 1, 0
    try:
        for data, length in _joined(pieces, limits.line_bytes, size):
            yield Block(line=line, offset=offset, length=length, data=data)
            line += 1 if data is None else _line_ends(data) + (not data.endswith(b"\n"))
            offset += length
    except Truncated:
        raise DataFailure(
            f"{name} is truncated after {line - 1} records", fix="fetch or compress the file again"
        ) from None
    except (zlib.error, zstandard.ZstdError, ValueError, OSError) as error:
        raise corrupt(name, error, after=f" after {line - 1} records") from None


def _line_ends(data: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def whole_lines(data: bytes) -> list[bytes]:
    """The lines of a block, without their ends."""
    found = data.split(b"\n")
    if not found[-1]:
        found.pop()  # cheaper than cutting the last end off, which would copy the block
    return found


def owned(pieces: Iterator[bytes], beyond: Iterator[bytes], *, first: bool) -> Iterator[bytes]:
    """Yield the bytes of the lines that a part of a file owns, when lines cross the parts' borders.

    A line belongs to the part in which the byte before it lies: every part but the ``first`` leaves
    out what precedes its first line end, and reads ``beyond`` its own end up to the next one.
    """
    if not first and not (yield from _after_line_end(pieces)):
        return
    yield from pieces
    yield from _line_end(beyond)


def _after_line_end(pieces: Iterator[bytes]) -> Generator[bytes, None, bool]:
    """Yield the rest of the piece in which the first line ends; return whether there is one."""
    for piece in pieces:
        end = piece.find(b"\n") + 1
        if end:
            yield piece[end:]
            return True
    return False


def _line_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        end = piece.find(b"\n") + 1
        yield piece[: end or None]
        if end:
            return


def _joined(pieces: Iterator[bytes], limit: int, size: int) -> Iterator[tuple[bytes | None, int]]:
    """Yield (whole lines, their length), or (None, length) for one line of more than ``limit`` bytes."""
    held: list[bytes] = []  # `ready` bytes of finished lines, then `tail` bytes of an unfinished one
    ready = tail = dropped = 0  # dropped: bytes so far of a line beyond the limit
    for piece in pieces:
        if dropped:
            end = piece.find(b"\n") + 1
            dropped += end or len(piece)
            if not end:
                continue
            yield None, dropped
            piece, dropped = piece[end:], 0
        end = piece.rfind(b"\n") + 1
        ready, tail = (ready + tail + end, len(piece) - end) if end else (ready, tail + len(piece))
        held.append(piece)
        if ready >= size or tail > limit:
            whole = b"".join(held)
            yield from _measured(whole[:ready], limit)
            held, ready = [whole[ready:]], 0
        if tail > limit:
            held, dropped, tail = [], tail, 0
    if dropped:
        yield None, dropped
    yield from _measured(b"".join(held), limit)


def _measured(data: bytes, limit: int) -> Iterator[tuple[bytes | None, int]]:
    """Set lines beyond the limit apart; a block shorter than the limit, the usual case, passes whole."""
    if not data:
        return
    if len(data) <= limit:
        yield data, len(data)
        return
    start = here = 0
    for line in whole_lines(data):
        end = min(here + len(line) + 1, len(data))
        if len(line) > limit:
            if here > start:
                yield data[start:here], here - start
            yield None, end - here
            start = end
        here = end
    if here > start:
        yield data[start:here], here - start
