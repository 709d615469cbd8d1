"""Files appear whole or not at all: write beside the target, then rename. JSON is always valid JSON."""

import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path


@contextmanager
def replaced(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` (file or folder); rename it there only on success.

    The temporary name is fixed, so the rerun of a killed stage removes what the kill left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    remove(partial)
    try:
        yield partial
        if partial.is_dir():  # a folder cannot be renamed over another; a file can, at once
            remove(target)
        partial.replace(target)
    finally:
        remove(partial)


@contextmanager
def replaced_folder(target: Path) -> Iterator[Path]:
    """Like ``replaced``, with the temporary folder already made."""
    with replaced(target) as partial:
        partial.mkdir()
        yield partial


def remove(path: Path) -> None:
    """Delete a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with Unix line ends, whole or not at all."""
    with replaced(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: object) -> None:
    """Write sorted, indented JSON; NaN and infinities become null, as JSON has no word for them."""
    write_text(path, json.dumps(finite(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def finite(value: object) -> object:
    """Return ``value`` with every non-finite float inside replaced by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def digest(path: Path) -> str:
    """Return the sha256 of a file, or of a folder's relative names and files in sorted order."""
    hasher = sha256()
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            hasher.update(f"{file.relative_to(path).as_posix()}\0{digest(file)}\n".encode())
    else:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                hasher.update(block)
    return hasher.hexdigest()
