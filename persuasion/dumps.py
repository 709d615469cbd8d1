"""Bytes on disk to lines: plain, gzip or zstd by magic bytes, in bounded memory.

A compressed file that ends inside a frame is an error here, never a shorter dump:
decompressors are fed small chunks and asked whether their frame ended. Knows nothing of Reddit.
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from persuasion.errors import DataFailure
from persuasion.progress import bar

CHUNK = 4096  # zstd can unfold a chunk 32,768-fold at once, so this bounds memory to 128 MiB
BOMB_BYTES, BOMB_RATIO = 1 << 28, 1000  # real dumps unfold 5- to 30-fold
HEAD = 1 << 16
_MAGIC = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"PAR1", "Parquet"),
    (b"SQLite format 3", "a SQLite database"),
    (b"%PDF", "a PDF"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


def files(path: Path) -> list[Path]:
    """Return the dump files of ``path``: itself, or a folder's visible top-level files by name.

    Raises DataFailure when there is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataFailure(
            f"{path} does not exist", why="source.path names it", fix="correct source.path in params.yaml"
        )
    found = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    if not found:
        raise DataFailure(f"{path} holds no files", why="source.path names it", fix="put the dump's files there")
    return found


def lines(path: Path, max_line_bytes: int, zst_window_mb: int) -> Iterator[bytes | None]:
    """Yield the lines of a dump file without their line ends; None for one longer than ``max_line_bytes``.

    Raises DataFailure when the file is unreadable, empty, of another format, truncated or corrupt.
    """
    count = 0
    try:
        with path.open("rb") as stream, bar(path.stat().st_size, path.name, "B", scale=True) as shown:
            blocks = _blocks(stream, detected(path), zst_window_mb, shown)
            for line in _split(blocks, max_line_bytes):
                yield line
                count += 1
        if not count:
            raise DataFailure(f"{path.name} holds no line once decompressed", where=path, fix="fetch the file again")
    except _Truncated:
        raise DataFailure(
            f"{path.name} is truncated after {count} records", where=path, fix="fetch or compress the file again"
        ) from None
    except (zlib.error, zstandard.ZstdError) as error:
        window = "window" in str(error) or "too much memory" in str(error)
        raise DataFailure(
            f"{path.name} cannot be decompressed after {count} records",
            where=path,
            why=str(error),
            fix="raise source.zst_window_mb (at most 2048)" if window else "fetch the file again",
        ) from None
    except OSError as error:
        raise DataFailure(f"{path.name} cannot be read", where=path, why=error.strerror or str(error)) from None


def detected(path: Path) -> str:
    """Return "zstd", "gzip" or "text" (newline-delimited JSON). Raises DataFailure for anything else."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    kind = next((name for magic, name in _MAGIC if head.startswith(magic)), None) or _text_kind(head)
    if kind in ("zstd", "gzip", "text"):
        return kind
    raise DataFailure(
        f"{path.name} is not a dump file",
        where=path,
        why=f"expected newline-delimited JSON (plain, gzip or zstd), detected {kind}",
        fix="convert it, or move it out of source.path",
    )


def _text_kind(head: bytes) -> str:
    """Name what uncompressed bytes look like; one line that opens an object makes them a dump."""
    rows = [line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    if not rows:
        return "blank lines only" if head else "an empty file"
    if any(row.startswith(b"{") for row in rows):
        return "text"
    if b"\0" in head:
        return "binary data"
    if rows[0].startswith(b"["):
        return "a JSON list"
    if rows[0].startswith(b"<"):
        return "HTML or XML"
    return "CSV or TSV" if b"," in rows[0] or b"\t" in rows[0] else "plain text"


class _Truncated(Exception):
    """The file ended inside a compressed frame."""


def _blocks(stream: Any, kind: str, zst_window_mb: int, shown: Any) -> Iterator[bytes]:
    """Yield uncompressed blocks of any size."""
    chunks = _chunks(stream, HEAD if kind == "text" else CHUNK, shown)
    if kind == "text":
        yield from chunks
        return
    zstd = zstandard.ZstdDecompressor(max_window_size=zst_window_mb << 20)
    start = zstd.decompressobj if kind == "zstd" else lambda: zlib.decompressobj(wbits=31)
    yield from _unfolded(chunks, start)


def _chunks(stream: Any, size: int, shown: Any) -> Iterator[bytes]:
    while chunk := stream.read(size):
        shown.update(len(chunk))
        yield chunk


def _unfolded(chunks: Iterator[bytes], start: Callable[[], Any]) -> Iterator[bytes]:
    """Decompress frame after frame. Raises _Truncated when the last one has no end."""
    frame: Any = None
    read = written = 0
    for chunk in chunks:
        read += len(chunk)
        while chunk:
            frame = frame or start()
            block = frame.decompress(chunk)
            written += len(block)
            if written > BOMB_BYTES and written > BOMB_RATIO * read:
                raise DataFailure(
                    "a dump file unfolds without end",
                    why=f"{read} bytes became more than {written}: no text compresses {BOMB_RATIO}-fold",
                    fix="remove the file from source.path",
                )
            yield block
            chunk, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise _Truncated


def _split(blocks: Iterator[bytes], limit: int) -> Iterator[bytes | None]:
    """Cut blocks at newlines; of a line beyond ``limit`` only the length is kept."""
    parts: list[bytes] = []
    held = 0
    for block in blocks:
        *whole, last = block.split(b"\n")
        for piece in whole:
            yield None if held + len(piece) > limit else b"".join([*parts, piece])
            parts, held = [], 0
        held += len(last)
        parts = [*parts, last] if held <= limit else []
    if held:
        yield None if held > limit else b"".join(parts)
