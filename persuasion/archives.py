"""The files inside a zip or tar archive, or a folder, one after another and never extracted to disk.

A member that could reach outside its folder when extracted (an absolute path, ``..``, a link, a
device) makes the whole archive suspect, although nothing here extracts: it is refused. Tar archives
are read as a stream over their decompressed blocks. Knows nothing of what the files hold.
"""

import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal

from persuasion.errors import DataFailure, IntegrityFailure
from persuasion.unpacking import BOMB_BYTES, BOMB_RATIO, Limits, unpacked

Container = Literal["file", "folder", "zip", "tar"]
ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
MOST_MEMBERS = 100_000
LONGEST_NAME = 1 << 16  # bytes of a name or of extended attributes, which tarfile reads whole
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_EXTENDED = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME)
_DRIVE = re.compile(r"[A-Za-z]:")
_UNREADABLE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError,
    ValueError, OSError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file to read now: the stream ends when the next member is asked for. ``path`` is its place inside."""

    name: str
    path: PurePosixPath
    stream: BinaryIO


def container(head: bytes, unpacked_head: bytes) -> Container:
    """Tell an archive by its first bytes, and by what they are once decompressed."""
    if head.startswith(ZIP_MAGIC):
        return "zip"
    return "tar" if unpacked_head[257:262] == b"ustar" else "file"


def members(path: Path, name: str, kind: Container, limits: Limits) -> Iterator[Member]:
    """Yield the visible files of a folder (two levels), an archive, or the file itself.

    Raises IntegrityFailure for an unsafe member, DataFailure for an unreadable archive or a bomb.
    """
    if kind == "file":
        with path.open("rb") as stream:
            yield Member(name=name, path=PurePosixPath(path.name), stream=stream)
    elif kind == "folder":
        yield from _folder(path, name)
    else:
        yield from _zip(path, name) if kind == "zip" else _tar(path, name, limits)


def _folder(path: Path, name: str) -> Iterator[Member]:
    for file in sorted([*path.glob("*"), *path.glob("*/*")]):
        inside = PurePosixPath(file.relative_to(path).as_posix())
        if file.is_file() and not _hidden(inside):
            with file.open("rb") as stream:
                yield Member(name=f"{name}/{_shown(inside)}" if name else _shown(inside), path=inside, stream=stream)


def _zip(path: Path, name: str) -> Iterator[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
            _few(len(listed), name)
            for info in listed:
                _check_zipped(info, name)
            for info in listed:
                inside = PurePosixPath(info.filename)
                if not info.is_dir() and not _hidden(inside):
                    with archive.open(info) as stream:
                        yield _member(stream, name, inside)
    except _UNREADABLE as error:
        raise _unreadable(name, error) from None


def _check_zipped(info: zipfile.ZipInfo, name: str) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    _check_path(info.filename, name)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _unsafe(info.filename, name, "is a link or a device")
    if info.flag_bits & 0x41:
        raise _unsafe(info.filename, name, "is encrypted")
    if info.file_size > BOMB_BYTES and info.file_size > BOMB_RATIO * info.compress_size:
        raise DataFailure(
            f"{name} unfolds without end",
            why=f"{info.compress_size} bytes are to become {info.file_size}: no text compresses {BOMB_RATIO}-fold",
            fix="remove the file from source.path",
        )


def _tar(path: Path, name: str, limits: Limits) -> Iterator[Member]:
    try:
        with path.open("rb") as file:
            blocks = unpacked(file, name, limits)
            stream = io.BufferedReader(_Blocks(blocks))
            with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
                for count, info in enumerate(archive, start=1):
                    _few(count, name)
                    _check_path(info.name, name)
                    if not info.isdir() and (info.type not in _PLAIN or info.issparse()):
                        raise _unsafe(info.name, name, "is a link or a device")
                    inside = PurePosixPath(info.name)
                    data = archive.extractfile(info)
                    if data is not None and not _hidden(inside):
                        yield _member(data, name, inside)
            for _ in blocks:  # so that a cut or corrupt end is noticed
                pass
    except _UNREADABLE as error:
        raise _unreadable(name, error) from None


class _Header(tarfile.TarInfo):
    """A header that may not end the archive silently when it is broken or cut, nor ask for much memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        try:
            info = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise  # the mark of the archive's end
            raise ValueError(f"the archive is truncated or corrupt ({error})") from None
        if info.type in _EXTENDED and info.size > LONGEST_NAME:
            raise ValueError(f"a member's name or attributes take {info.size} bytes")
        return info


class _Blocks(io.RawIOBase):
    """Blocks of bytes as a stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


class _Sound(io.RawIOBase):
    """A member's bytes; what its archive's reader raises becomes a failure that names the archive."""

    def __init__(self, stream: Any, name: str) -> None:
        self._stream, self._name = stream, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except _UNREADABLE as error:
            raise _unreadable(self._name, error) from None
        buffer[: len(data)] = data
        return len(data)


def _member(stream: Any, name: str, inside: PurePosixPath) -> Member:
    full = f"{name}:{_shown(inside)}"
    return Member(name=full, path=inside, stream=io.BufferedReader(_Sound(stream, full)))


def _shown(inside: PurePosixPath) -> str:
    """A path as text; one that could play tricks on a terminal is escaped."""
    text = str(inside)
    return text if text.isprintable() else ascii(text)


def _check_path(inside: str, name: str) -> None:
    parts = re.split(r"[/\\]", inside)
    if ".." in parts or not parts[0] or _DRIVE.match(inside):
        raise _unsafe(inside, name, "leads outside the archive")


def _hidden(inside: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in inside.parts)


def _few(count: int, name: str) -> None:
    if count > MOST_MEMBERS:
        raise DataFailure(f"{name} holds more than {MOST_MEMBERS} members", fix="this is no archive of CMV")


def _unsafe(inside: str, name: str, why: str) -> IntegrityFailure:
    return IntegrityFailure(
        f"{name} is not safe to read; nothing was written",
        where=ascii(inside)[:120],
        why=f"this member {why}",
        fix="fetch the archive again from its publisher",
    )


def _unreadable(name: str, error: Exception) -> DataFailure:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DataFailure(f"{name} cannot be read", why=why or type(error).__name__, fix="fetch the archive again")
