"""Replies of batches that are finished, kept on the disk until their stage is: a killed one continues from them.

One line of JSON a batch, with its own hash, settled on the disk before the next batch begins; a line that a kill has
torn is passed over. They lie outside every DVC output, under the key of what a reply's text depends on.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from persuasion.places import is_copy, place

FOLDER = "replies"
Row = tuple[str, int, bool]


class Kept:
    """The finished replies of one model under one key; ``role`` tells base and tuned apart."""

    def __init__(self, key: Mapping[str, object], role: str) -> None:
        name = sha256(json.dumps(dict(key), sort_keys=True).encode()).hexdigest()[:16]
        self.path = place(FOLDER) / f"{name}.jsonl"
        self.role = role
        self._rows = self._read()

    def get(self, prompt: Sequence[int]) -> Row | None:
        """The reply to a prompt (token ids), if an earlier run finished it."""
        return self._rows.get(self._name(prompt))

    def add(self, replies: Iterable[tuple[Sequence[int], Row]]) -> None:
        """Keep a batch."""
        rows = [[self._name(prompt), *row] for prompt, row in replies]
        body = json.dumps(rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            # a line of its own, whatever a kill left at the end of the file
            file.write("\n" + json.dumps({"sha256": _hash(body), "rows": body}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def clear(self) -> None:
        """Forget what is kept: the stage has written its outputs."""
        self.path.unlink(missing_ok=True)

    def _name(self, prompt: Sequence[int]) -> str:
        return _hash(f"{self.role}:{','.join(map(str, prompt))}")

    def _read(self) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8", errors="replace").split("\n"):
                rows |= {name: (text, tokens, stopped) for name, text, tokens, stopped in _whole(line)}
        return rows


def remove_others(mine: Path) -> None:
    """Remove what runs with anything else changed have left; a temporary copy leaves the others alone."""
    if not is_copy():
        for other in mine.parent.glob("*.jsonl"):
            if other != mine:
                other.unlink(missing_ok=True)


def _whole(line: str) -> list[tuple[str, str, int, bool]]:
    """The rows of a line, or none where it is not what it says."""
    try:
        record = json.loads(line)
        return list(map(tuple, json.loads(record["rows"]))) if record["sha256"] == _hash(record["rows"]) else []
    except (ValueError, TypeError, KeyError):
        return []


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
