"""DVC's hashes, computed from the bytes alone: its own shortcuts trust a file's time and size."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from persuasion.lineage import content

FOLDER = ".dir"
_BLOCK = 1 << 20


def stream_md5(stream: BinaryIO) -> str:
    """The MD5 of what is left in an open file."""
    hasher = hashlib.md5(usedforsecurity=False)
    while block := stream.read(_BLOCK):
        hasher.update(block)
    return hasher.hexdigest()


def listing(folder: Path) -> dict[str, str]:
    """The MD5 of every file in a folder by its relative path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): content(path) for path in files}


def folder_text(files: Mapping[str, str]) -> bytes:
    """The object by which DVC lists a folder (dvc-data, ``Tree.as_bytes``)."""
    rows = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return json.dumps(rows, sort_keys=True).encode()


def folder_md5(files: Mapping[str, str]) -> str:
    """DVC's hash of a folder with these files."""
    return hashlib.md5(folder_text(files), usedforsecurity=False).hexdigest() + FOLDER


def output_md5(path: Path) -> str | None:
    """DVC's hash of a file or folder; None where there is neither."""
    return content(path) or None
