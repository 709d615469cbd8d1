"""Checkpoints as folders that are whole or not there: a run killed at any moment finds the newest whole one again.

They lie outside every DVC output, under the key of what the run's result depends on, so a run
with anything else changed never finds them. In a temporary copy that DVC makes for an
experiment they lie in the main repository, since DVC deletes the copy of a killed one.
This room knows folders and hashes; what stands in them is ``snapshots``' business.
"""

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from persuasion.errors import SurroundingsFailure
from persuasion.files import digest, remove
from persuasion.places import PLACE, is_copy, place

MARK = "whole.json"  # written last: the hash of every file beside it
KEY = "key.json"
KEPT = 2  # whole checkpoints of a run: the newest, and one more should the disk have lied about it

Key = Mapping[str, str]


class Checkpoints:
    """The checkpoints of one run; made by ``opened``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Let ``write`` fill a folder; it counts from the moment its mark stands, last of all and on the disk."""
        target = self.folder / f"step-{step:08d}"
        partial = self.folder / ".step.partial"
        for path in (partial, target):
            remove(path)
        partial.mkdir(parents=True)
        write(partial)
        hashes = {file.name: digest(file) for file in sorted(partial.iterdir())}
        for file in partial.iterdir():
            _settle(file)
        _settle(partial)
        partial.replace(target)
        _settle(self.folder)
        _write_settled(target / MARK, hashes)
        for old in self._all()[KEPT:]:
            remove(old)

    def newest(self) -> Path | None:
        """The newest whole checkpoint; says which ones are not whole and passes them over."""
        for folder in self._all():
            if _is_whole(folder):
                return folder
            print(f"training: the checkpoint {folder.name} is not whole and is passed over", file=sys.stderr)
        return None

    def clear(self) -> None:
        """Remove them all: the run has succeeded."""
        remove(self.folder)

    def _all(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"), reverse=True)


@contextmanager
def opened(key: Key, *, leads: bool = True) -> Iterator[Checkpoints | None]:
    """Yield the checkpoints of the run that ``key`` names; those of other, ended runs here are removed.

    Yields None when a run of the same key is at work elsewhere: the two would write the same. Of
    several processes of one run only the one that ``leads`` claims and tidies.
    """
    home = place("checkpoints")
    folder = home / sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:16]
    if not leads:
        yield Checkpoints(folder)
        return
    with _claimed(folder) as mine:
        if not mine:
            print("training: the same run is at work elsewhere, so this one keeps no checkpoints", file=sys.stderr)
        elif not is_copy():  # a temporary copy leaves the others alone: they may be tried again
            _remove_stale(home, folder, key)
        if mine and not (folder / KEY).is_file():
            _write_settled(folder / KEY, dict(key))
        yield Checkpoints(folder) if mine else None


@contextmanager
def alone() -> Iterator[None]:
    """Refuse a second training in this folder: both would write the same outputs (SurroundingsFailure)."""
    with _claimed(PLACE) as mine:
        if not mine:
            raise SurroundingsFailure(
                "another training is at work in this folder",
                where=Path.cwd(),
                fix="wait for it or end it (`pgrep -af 'stages.(train|lm|sft)'` shows it), then run this again",
            )
        yield


def _remove_stale(home: Path, mine: Path, key: Key) -> None:
    for other in sorted(path for path in home.iterdir() if path != mine and path.is_dir()):
        with _claimed(other) as ended:
            if not ended:
                continue
            known = _read(other / KEY)
            changed = [name for name in key if known.get(name) != key[name]]
            print(f"training: checkpoints of another run are removed (other {', '.join(changed)})", file=sys.stderr)
            remove(other)


@contextmanager
def _claimed(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock, which ends with the process however it ends; yields whether it was free."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        free = False
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        yield free
    finally:
        os.close(handle)


def _is_whole(folder: Path) -> bool:
    """Whether the mark stands and every file is what it says, and nothing else is there."""
    hashes = _read(folder / MARK)
    there = {file.name: digest(file) for file in folder.iterdir() if file.name != MARK}
    return bool(hashes) and there == hashes


def _read(path: Path) -> dict[str, str]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write_settled(path: Path, value: Mapping[str, str]) -> None:
    """Write JSON beside, settle it on the disk, then rename it into place."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    _settle(partial)
    partial.replace(path)
    _settle(path.parent)


def _settle(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
