"""Compressed bytes to plain ones: gzip, zstd or bzip2 by magic bytes, in bounded memory.

A file that ends inside a frame is an error here, never a shorter file: decompressors are fed small
chunks and asked whether their frame ended. Knows nothing of lines.
"""

import bz2
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import zstandard

from persuasion.errors import DataFailure

CHUNK = 8192  # zstd can unfold a chunk 32,768-fold at once, so this bounds memory to 256 MiB
PLAIN_CHUNK = 1 << 20
BITE = 1 << 22  # bytes that bzip2 gives out at once: a hundred bytes of it may stand for 100 MB
BOMB_BYTES, BOMB_RATIO = 1 << 28, 1000  # real dumps unfold 5- to 30-fold
MAGIC = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip", b"BZh": "bzip2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The longest line kept (bytes) and the largest zstd window accepted (MiB)."""

    line_bytes: int
    window_mb: int


class Truncated(Exception):
    """The stream ended inside a compressed frame."""


def compression(head: bytes) -> str:
    """Name what the first bytes say: zstd, gzip, bzip2, or "" for none of them."""
    if head[1:4] == b"\x2a\x4d\x18" and head[:1] in b"PQRSTUVWXYZ[\\]^_":  # a skippable zstd frame
        return "zstd"
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "")


def unpacked(stream: BinaryIO, name: str, limits: Limits) -> Iterator[bytes]:
    """Yield the decompressed blocks of ``stream``, of any size; plain bytes come as they are.

    Raises DataFailure when the stream is truncated, corrupt or a bomb; ``name`` says which.
    """
    try:
        yield from blocks(stream, limits)
    except Truncated:
        raise DataFailure(f"{name} is truncated", fix="fetch or compress the file again") from None
    except (zlib.error, zstandard.ZstdError, ValueError, OSError) as error:
        raise corrupt(name, error) from None


def corrupt(name: str, error: Exception, after: str = "") -> DataFailure:
    """What to say of a stream that no decompressor takes."""
    if isinstance(error, OSError) and error.errno is not None:
        return DataFailure(f"{name} cannot be read{after}", why=error.strerror or str(error))
    window = "window" in str(error) or "too much memory" in str(error)
    return DataFailure(
        f"{name} cannot be decompressed{after}",
        why=str(error),
        fix="raise source.zst_window_mb (at most 2048)" if window else "fetch the file again",
    )


def blocks(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    """Like ``unpacked``, with Truncated and the decompressor's own errors."""
    head = stream.read(CHUNK)
    kind = compression(head)
    chunks = _chunks(head, stream, CHUNK if kind else PLAIN_CHUNK)
    return _unfolded(chunks, _starter(kind, limits)) if kind else chunks


def _chunks(head: bytes, stream: BinaryIO, size: int) -> Iterator[bytes]:
    chunk = head
    while chunk:
        yield chunk
        chunk = stream.read(size)


def _starter(kind: str, limits: Limits) -> Callable[[], Any]:
    if kind == "zstd":
        return zstandard.ZstdDecompressor(max_window_size=limits.window_mb << 20).decompressobj
    return bz2.BZ2Decompressor if kind == "bzip2" else lambda: zlib.decompressobj(wbits=31)


def _unfolded(chunks: Iterator[bytes], start: Callable[[], Any]) -> Iterator[bytes]:
    """Decompress frame after frame. Raises Truncated when the last one has no end."""
    frame: Any = None
    read = written = 0
    for chunk in chunks:
        read += len(chunk)
        more = True
        while more:
            frame = frame or start()
            limited = isinstance(frame, bz2.BZ2Decompressor)
            block = frame.decompress(chunk, BITE) if limited else frame.decompress(chunk)
            written += len(block)
            if written > BOMB_BYTES and written > BOMB_RATIO * read:
                raise DataFailure(
                    "a file unfolds without end",
                    why=f"{read} bytes became more than {written}: no text compresses {BOMB_RATIO}-fold",
                    fix="remove the file from source.path",
                )
            if block:
                yield block
            if frame.eof:
                chunk, frame = frame.unused_data, None
                more = bool(chunk)
            else:
                chunk, more = b"", limited and not frame.needs_input
    if frame is not None:
        raise Truncated
