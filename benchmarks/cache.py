"""Dumps kept between runs, in the system's temporary folder and never in the project.

A dump's folder is named by a digest of its shape, the generator's source and the versions beneath, so a
change of any of them writes anew. Old folders may be deleted at any time.
"""

import json
import shutil
import tempfile
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import zstandard

from benchmarks.dump import Planted, Shape, write_dump
from persuasion.errors import SurroundingsFailure
from persuasion.files import replaced_folder, write_json

TEMPORARY = Path(tempfile.gettempdir())
CACHE = TEMPORARY / "persuasion-benchmarks"
BYTES_PER_COMMENT = 400  # compressed
GENERATOR = ("bots", "dump", "dumpfile", "faults", "fields", "season", "speech", "vocabulary")


def cached_dump(shape: Shape) -> tuple[Path, Planted]:
    """The folder of a dump of ``shape`` and what it holds, written unless an earlier run left it.

    Raises SurroundingsFailure when the disk lacks room for it.
    """
    home = CACHE / _digest(shape)
    facts = home / "planted.json"
    if not facts.is_file():
        require_room(shape.comments * BYTES_PER_COMMENT)
        with replaced_folder(home) as partial:
            write_json(partial / "planted.json", asdict(write_dump(partial / "dump", shape)))
    return home / "dump", Planted(**json.loads(facts.read_text(encoding="utf-8")))


def require_room(needed: int) -> None:
    """Raise SurroundingsFailure when the temporary folder's disk has fewer than ``needed`` bytes free."""
    free = shutil.disk_usage(TEMPORARY).free
    if free < needed:
        raise SurroundingsFailure(
            "the disk lacks room for this benchmark",
            where=str(TEMPORARY),
            why=f"{free / 1e9:.1f} GB are free, {needed / 1e9:.1f} GB are needed",
            fix="free some, or set TMPDIR to a folder on a larger disk",
        )


def _digest(shape: Shape) -> str:
    hasher = sha256(json.dumps([asdict(shape), np.__version__, zstandard.__version__]).encode())
    for module in GENERATOR:
        hasher.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return hasher.hexdigest()[:16]
