"""Units of work: a file, or a span of a file's frames, read to parts.

A unit is read alike in this process, in several, or on another machine. Lines and offsets count
within the unit, as nobody knows yet how many lines precede it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import BinaryIO, cast

from persuasion import readers
from persuasion.config import Source
from persuasion.dumps import Block, cut, owned
from persuasion.forms import Input, limits
from persuasion.parts import Part, Reader, read_block, read_outcomes
from persuasion.spans import spans
from persuasion.unpacking import blocks

CHUNK_RECORDS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Inputs read as one; of a dump, bytes ``start`` to ``end``, for which zstd needs ``window`` bytes."""

    inputs: tuple[Input, ...]
    start: int
    end: int
    window: int

    @property
    def is_dump(self) -> bool:
        """Whether the unit holds lines of Reddit's own form, which may be read in blocks."""
        return self.inputs[0].form == "dump"

    @property
    def name(self) -> str:
        """The (first) file's name, for places and messages."""
        return self.inputs[0].name


def units(inputs: Sequence[Input]) -> list[Unit]:
    """Cut dumps at frame borders; what has another form is one unit."""
    dumps = [one for one in inputs if one.form == "dump"]
    others = tuple(one for one in inputs if one.form != "dump")
    found = [
        Unit(inputs=(one,), start=span.start, end=span.end, window=span.window)
        for one in dumps
        for span in spans(one.path)
    ]
    return [*found, Unit(inputs=others, start=0, end=0, window=0)] if others else found


def reader(source: Source) -> Reader:
    """How the parameters say that records are read."""
    return Reader(subreddit=source.subreddit, mask=source.mask)


def read_blocks(unit: Unit, source: Source, shown: Callable[[int], object]) -> Iterator[Block]:
    """Yield the blocks of a dump unit; ``shown`` hears how many compressed bytes were read. Raises DataFailure."""
    bound = limits(source)
    path = unit.inputs[0].path
    with path.open("rb") as own, path.open("rb") as beyond:
        pieces = blocks(_stream(own, unit.start, unit.end, shown), bound)
        rest = blocks(_stream(beyond, unit.end, path.stat().st_size, lambda _: None), bound)
        yield from cut(owned(pieces, rest, first=unit.start == 0), unit.name, bound, source.block_bytes)


def read_unit(unit: Unit, source: Source) -> Iterator[tuple[str, Part]]:
    """Yield a unit's parts, each with the name of the file that its places count in."""
    if unit.is_dump:
        for block in read_blocks(unit, source, lambda _: None):
            yield unit.name, read_block(block, unit.name, reader(source))
        return
    for name, group in groupby(readers.read(unit.inputs, source), key=lambda found: found[0].file):
        while chunk := list(islice(group, CHUNK_RECORDS)):
            yield name, read_outcomes(chunk, reader(source))


class _Slice:
    """A stretch of an open file, as a stream."""

    def __init__(self, stream: BinaryIO, start: int, end: int, shown: Callable[[int], object]) -> None:
        self._stream, self._left, self._shown = stream, end - start, shown
        stream.seek(start)

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(min(size, self._left))
        self._left -= len(chunk)
        self._shown(len(chunk))
        return chunk


def _stream(stream: BinaryIO, start: int, end: int, shown: Callable[[int], object]) -> BinaryIO:
    return cast(BinaryIO, _Slice(stream, start, end, shown))
