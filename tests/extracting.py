"""Extraction as the stage runs it, without the stage: a source in, rows and the whole account out."""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import zstandard

from persuasion.config import Source
from persuasion.extraction import extract, measured
from persuasion.records import Comment, Submission
from persuasion.refusals import joined, write_refusals
from persuasion.tables import read_rows
from persuasion.yaml12 import load_yaml
from tests.builders import source
from tests.closures import ROOT

TABLES = ("submissions.parquet", "comments.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What ``extract`` made of a source; ``tables`` are the bytes of both, ``refusals`` the lines of refused.jsonl."""

    submissions: list[Submission]
    comments: list[Comment]
    refusals: list[dict[str, Any]]
    metrics: dict[str, Any]
    removed: dict[str, dict[str, int]]
    tables: tuple[bytes, ...]

    @property
    def reasons(self) -> Counter[str]:
        """Why records became no row, counted."""
        return Counter(refusal["reason"] for refusal in self.refusals)

    @property
    def by_id(self) -> dict[str, Comment]:
        """The comments by id."""
        return {row.id: row for row in self.comments}

    @property
    def unaccounted(self) -> int:
        """Lines that are neither row nor refusal nor skip: 0, always."""
        fates = [self.metrics[name] for name in ("submissions", "comments", "refused")]
        return self.metrics["lines"] - sum(fates) - sum(self.metrics["skipped_by"].values())


def read(source: Source, folder: Path | None = None) -> Read:
    """Extract ``source`` into ``folder`` (by default one that is gone afterwards)."""
    if folder is None:
        with tempfile.TemporaryDirectory() as name:
            return read(source, Path(name) / "threads")
    extracted = extract(source, folder)
    write_refusals(folder / "refused.jsonl", joined(extracted.refusals))
    return Read(
        submissions=read_rows(folder / TABLES[0], Submission),
        comments=read_rows(folder / TABLES[1], Comment),
        refusals=[json.loads(line) for line in (folder / "refused.jsonl").read_text().splitlines()],
        metrics=measured(extracted),
        removed=extracted.removed,
        tables=tuple((folder / name).read_bytes() for name in TABLES),
    )


def read_files(*contents: bytes, **changes: Any) -> Read:
    """Extract a folder of dump files 0.jsonl, 1.jsonl, ..., with changes to the ``source`` section."""
    with tempfile.TemporaryDirectory() as name:
        for number, content in enumerate(contents):
            (Path(name) / f"{number}.jsonl").write_bytes(content)
        return read(source(Path(name), **changes))


def frames(content: bytes, cuts: Sequence[int]) -> bytes:
    """A zstd file with a frame for each piece of ``content`` between ``cuts``."""
    borders = [0, *sorted(cuts), len(content)]
    pack = zstandard.ZstdCompressor(level=3).compress
    return b"".join(pack(content[start:end]) for start, end in pairwise(borders))


def shuffled(content: bytes, seed: int = 0) -> bytes:
    """The lines of ``content`` in another order."""
    lines = content.splitlines(keepends=True)
    random.Random(seed).shuffle(lines)
    return b"".join(lines)


def stage(
    folder: Path, *, env: dict[str, str] | None = None, timeout: int = 600, **changes: Any
) -> subprocess.CompletedProcess[str]:
    """Run the stage in ``folder`` as DVC does, with ``changes`` to the source section."""
    params = load_yaml(ROOT / "params.yaml")
    params["source"] |= {"removals_file": str(ROOT / "data/removals.txt")} | changes
    (folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML
    return subprocess.run(
        [sys.executable, "-m", "stages.extract"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (env or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
