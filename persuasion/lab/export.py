"""``persuasion export``: pairs and threads as files of other programs' forms, whole or not at all.

What leaves the project this way is other people's words, and neither DVC nor ``persuasion forget``
knows of the copies: every export says so.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from persuasion import chains
from persuasion.errors import DataFailure, UsageFailure
from persuasion.exchange import AXOLOTL, DATASET_INFO, FORMS, Form, to_json, written
from persuasion.files import replaced, replaced_folder
from persuasion.records import SPLITS, Comment, Pair, Submission
from persuasion.tables import stream_rows

PAIRS, THREADS, EXPORTS = Path("data/pairs"), Path("data/threads"), Path("exports")
STDOUT = "-"
NOTE = (
    "export: people wrote these texts; pass them on only where you have the right to, and pass removals on too "
    "(docs/how-to/privacy.md)"
)
OURS = {DATASET_INFO, AXOLOTL, *(f"{split}{form.suffix}" for split in SPLITS for form in FORMS.values())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: ``counts`` by name, ``files`` as given, and the text by which another program loads them."""

    form: str
    counts: dict[str, int]
    files: tuple[str, ...]
    guarded: dict[str, int]
    guide: str
    guide_written: bool


def pairs(root: Path, name: str, split: str, out: str | None, *, raw_csv: bool) -> Exported:
    """Write the pairs of one split, or of all, in the form ``name`` to ``out``.

    ``out``: "-" for stdout, a file, or a folder, which gets a file a split; None for a folder under
    exports/. Raises DataFailure where there is no pair to write, UsageFailure for an ``out`` that would
    overwrite something else.
    """
    form, splits = FORMS[name], SPLITS if split == "all" else (split,)
    target = Path(out) if out is not None else _default(root, f"pairs-{name}")
    apart = out != STDOUT and _is_folder(target, out)
    if apart:
        _require_own(target)
    if out == STDOUT and form.layout == "csv" and sys.stdout.isatty():
        raise UsageFailure("CSV does not go to a terminal", why="texts may hold control characters", fix="use -o FILE")
    _require_rows(Pair, *(root / PAIRS / f"{part}.parquet" for part in splits))
    _say(NOTE)
    writing = _Pairs(root=root, form=form, counts=dict.fromkeys(splits, 0), guarded=None if raw_csv else Counter())
    if apart:
        files, guide = _folder(target, writing)
    else:
        files, guide = (STDOUT if out == STDOUT else str(target),), _file(target, writing, out)
    return Exported(
        form=name,
        counts=writing.counts,
        files=files,
        guarded=dict(sorted((writing.guarded or {}).items())),
        guide=guide,
        guide_written=apart,
    )


def threads(root: Path, out: str | None) -> Exported:
    """Write the records of ``chains`` to ``out``: "-" for stdout, or a file; None for exports/threads.jsonl.

    Raises DataFailure where there is no thread, UsageFailure when ``out`` is a folder.
    """
    target = Path(out) if out is not None else _default(root, "threads.jsonl")
    if out != STDOUT and target.is_dir():
        raise UsageFailure(f"{target} is a folder", fix="name a file, for instance threads.jsonl")
    posts, comments = (root / THREADS / f"{name}.parquet" for name in ("submissions", "comments"))
    _require_rows(Submission, posts)
    _require_rows(Comment, comments)
    _say(NOTE)
    counts: Counter[str] = Counter(dict.fromkeys(("records", "delta", "unplaced", *chains.LEFT_OUT), 0))
    found = chains.threads(stream_rows(posts, Submission), stream_rows(comments, Comment))
    records = chain.from_iterable(chains.records(post, replies, counts) for post, replies in found)
    _write_one(out, target, (f"{to_json(record)}\n" for record in records))
    files = (STDOUT if out == STDOUT else str(target),)
    return Exported(form="jsonl", counts=dict(counts), files=files, guarded={}, guide="", guide_written=False)


def as_json(told: Exported, what: str) -> dict[str, Any]:
    """The summary for ``--json``; ``what`` names the counts."""
    made: dict[str, Any] = {"format": told.form, what: told.counts, "files": list(told.files)}
    if what == "pairs":
        made |= {"guarded_cells": told.guarded, "guide": told.guide or None}
    return made


def text(told: Exported, what: str) -> str:
    """The summary as lines."""
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in told.counts.items())
    lines = [f"{what.capitalize():9} {counts}", "Written   " + "\n          ".join(told.files)]
    if told.guarded:
        cells = ", ".join(f"{count:,} {name}" for name, count in told.guarded.items())
        lines.append(f"Guarded   {cells}: cells that a spreadsheet would run begin with ' (--raw-csv leaves them)")
    if told.guide and not told.guide_written:
        lines.append(f"Load it   with\n\n{told.guide}")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pairs:
    """The pairs of the project on their way to text, counted by split as they pass."""

    root: Path
    form: Form
    counts: dict[str, int]
    guarded: Counter[str] | None

    def texts(self, splits: Iterable[str]) -> Iterator[str]:
        rows = chain.from_iterable(self._rows(split) for split in splits)
        return written((self.form.record(pair) for pair in rows), self.form.layout, self.guarded)

    def _rows(self, split: str) -> Iterator[Pair]:
        for pair in stream_rows(self.root / PAIRS / f"{split}.parquet", Pair):
            self.counts[split] += 1
            yield pair


def _folder(target: Path, writing: _Pairs) -> tuple[tuple[str, ...], str]:
    """Write a file for each split, with the guide; return all their names, and the guide."""
    form, names = writing.form, {split: f"{split}{writing.form.suffix}" for split in writing.counts}
    with replaced_folder(target) as folder:
        for split, name in names.items():
            _write(folder / name, writing.texts((split,)))
        guide = (
            form.guide({split: name for split, name in names.items() if writing.counts[split]}) if form.guide else ""
        )
        if guide:
            _write(folder / form.guide_name, [guide])
    return tuple(str(target / name) for name in (*names.values(), *([form.guide_name] if guide else []))), guide


def _file(target: Path, writing: _Pairs, out: str | None) -> str:
    """Write all to one file or to stdout; return the guide, which would not be safe to write beside it."""
    splits = tuple(writing.counts)
    if len(splits) > 1 and not writing.form.tells_split:
        _say("export: all splits go into one file that does not tell them apart; a folder gets a file for each")
    _write_one(out, target, writing.texts(splits))
    name = "pairs.jsonl" if out == STDOUT else target.name
    return writing.form.guide({splits[0] if len(splits) == 1 else "pairs": name}) if writing.form.guide else ""


def _require_rows(kind: type, *paths: Path) -> None:
    """Raise DataFailure unless the tables can be read and one has a row, before anything is written."""
    firsts = [next(stream_rows(path, kind), None) for path in paths]  # of all, so that each is looked at
    if not any(firsts):
        raise DataFailure(
            f"{paths[0].parent} holds no {kind.__name__} row for this",
            where=", ".join(path.name for path in paths),
            fix="see metrics/extract.json and metrics/pair.json for what was dropped and why",
        )


def _default(root: Path, name: str) -> Path:
    """The place under exports/, as seen from here."""
    return Path(os.path.relpath(root / EXPORTS / name))


def _is_folder(target: Path, out: str | None) -> bool:
    return target.is_dir() or not target.suffix or (out or "").endswith(("/", os.sep))


def _require_own(folder: Path) -> None:
    """Raise UsageFailure for a folder whose files are not all an earlier export's: it is replaced as a whole."""
    if not folder.exists():
        return
    others = (
        sorted(path.name for path in folder.iterdir() if path.name not in OURS) if folder.is_dir() else [folder.name]
    )
    if others:
        raise UsageFailure(
            f"{folder} holds something else",
            why=f"an export replaces its folder as a whole, and there is {others[0]!a}",
            fix="name a new folder",
        )


def _write_one(out: str | None, target: Path, texts: Iterable[str]) -> None:
    """Write to stdout, or to a file that appears whole or not at all."""
    if out != STDOUT:
        with replaced(target) as partial:
            _write(partial, texts)
        return
    stream = sys.stdout.buffer
    try:
        for piece in texts:
            stream.write(piece.encode())
        stream.flush()
    except BrokenPipeError:  # the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise SystemExit(0) from None


def _write(path: Path, texts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.writelines(texts)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
