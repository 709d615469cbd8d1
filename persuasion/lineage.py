"""Where a run comes from, in hashes of content, so that the same run gives the same words in every clone.

No commit stands among them. A page is an output of DVC and committed by its hash, so it cannot name the commit that
it is part of, and one that named its parent would be made anew, with other bytes, after every commit. The hashes are
those of dvc.lock, by which git finds the commits that vouch for them: ``git log -S<hash> -- dvc.lock``.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from hashlib import md5, sha256
from pathlib import Path
from typing import Any

BYTELESS = ("source.block_bytes", "source.engine", "source.workers", "train.save_every")
"""Parameters that change no byte of any output."""
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
BLOCK = 1 << 20


def content(path: Path) -> str:
    """The hash by which DVC knows a file or a folder (as ``md5`` in dvc.lock), "" where there is none."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listing = [{"md5": content(file), "relpath": file.relative_to(path).as_posix()} for file in files]
        listing.sort(key=lambda entry: entry["relpath"])
        return _md5(json.dumps(listing, sort_keys=True).encode()) + ".dir"
    if not path.is_file():
        return ""
    hasher = md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def settings(params: Any) -> dict[str, Any]:
    """All parameters that an output can depend on, by dotted name, without secrets or paths of a machine."""
    return {name: _shown(name, value) for name, value in _leaves(params) if name not in BYTELESS}


def settings_hash(shown: dict[str, Any]) -> str:
    """The sha256 of ``settings`` as sorted JSON."""
    return sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def relative(path: str) -> str:
    """A path as written, but of an absolute one the name only: a page tells nothing of the machine."""
    return Path(path).name if Path(path).is_absolute() else CREDENTIALS.sub("", path)


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


def _leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for field in fields(tree):
        value = getattr(tree, field.name)
        if is_dataclass(value):
            yield from _leaves(value, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", value


def _shown(name: str, value: Any) -> Any:
    if name == "source.pseudonym_key_file":  # of a secret's place, only whether it was named
        return "a file" if value else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_shown(name, item) for item in value]
    return relative(value) if isinstance(value, str) else value
