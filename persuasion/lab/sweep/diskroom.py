"""A full disk: a search that meets one stops, since every trial would fail by it and none is to blame."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from persuasion.errors import SurroundingsFailure

_TRY = "== a try of this trial"
_SAID = ("No space left on device", "Disk quota exceeded", "database or disk is full")
_LEAST = 1 << 20  # bytes; with fewer left no trial can end well


def begin(log: Path) -> None:
    """Begin a try in a trial's log, so that what an earlier one said is not taken for this one's."""
    with suppress(OSError), log.open("a", encoding="utf-8") as stream:
        stream.write(f"{_TRY}\n")


def require(place: Path) -> None:
    """Raise SurroundingsFailure (exit 4) where next to nothing more can be written in ``place``.

    A trial need not fail then: DVC waits for ever for a database that it cannot write.
    """
    if shutil.disk_usage(place).free < _LEAST:
        raise _full(place)


def blame(log: Path) -> None:
    """After a trial that failed: raise SurroundingsFailure (exit 4) where its last try says that the disk was full."""
    try:
        said = log.read_text(encoding="utf-8", errors="replace").rpartition(f"{_TRY}\n")[2]
    except OSError:
        said = ""
    if any(words in said for words in _SAID):
        raise _full(log)


@contextmanager
def named(place: Path) -> Iterator[None]:
    """Say what a full disk means for a search that writes in ``place``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full(Path(error.filename or place)) from None


def _full(where: Path) -> SurroundingsFailure:
    why = "what the search has found so far is kept, and trials at work are run again"
    return SurroundingsFailure(
        "the disk is full", where=where, why=why, fix="free some, and run the same command again"
    )
