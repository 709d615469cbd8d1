"""``persuasion preview pairs``: pairs in a terminal, token by token, in colours or with plain marks."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO
from unicodedata import combining, east_asian_width

from persuasion import preview
from persuasion.config import Encoding, load_params
from persuasion.errors import UsageFailure
from persuasion.inert import visible
from persuasion.models import load_tokenizer
from persuasion.preview import Preview, Run
from persuasion.records import SPLITS, Pair
from persuasion.tables import plain, read_rows, require_rows

PAIRS, BASE = Path("data/pairs"), Path("models/base")
INDENT, NARROWEST = 19, 40
BAR = "│"
"""Between two tokens where there are no colours."""
# black on two shades a role, told apart by colour-blind readers too, on dark and on light terminals
SHADES = {
    preview.FRAME: ("30;48;5;252", "30;48;5;247"),
    preview.PROMPT: ("30;48;5;153", "30;48;5;117"),
    preview.CHOSEN: ("30;48;5;158", "30;48;5;115"),
    preview.REJECTED: ("30;48;5;223", "30;48;5;215"),
    preview.CUT: ("9;30;48;5;225", "9;30;48;5;218"),
}
LEGEND = (
    (preview.FRAME, "template, begin and end"),
    (preview.PROMPT, "the post"),
    (preview.CHOSEN, "earned the delta"),
    (preview.REJECTED, "did not"),
    (preview.CUT, "not seen: over the token budget"),
)


def laid_out(root: Path, split: str | None, pair_id: str | None, count: int) -> list[Preview]:
    """The first ``count`` pairs of ``split`` (default train) by id, or the one named, in whatever split.

    Raises UsageFailure for an unknown split or pair, DataFailure without pairs, SurroundingsFailure without a base.
    """
    pairs = _named(root, split, pair_id) if pair_id else _first(root, split or SPLITS[0], count)
    return preview.previews(load_tokenizer(root / BASE), pairs, budgets(root))


def budgets(root: Path) -> Encoding:
    """The section `encoding` of params.yaml."""
    return load_params(root / "params.yaml").encoding


def as_json(pairs: Sequence[Preview], settings: Encoding) -> dict[str, Any]:
    """The budgets, and every pair with its runs of tokens."""
    given = {"prompt_tokens": settings.prompt_tokens, "total_tokens": settings.total_tokens}
    return {"budgets": given, "pairs": [plain(pair) for pair in pairs]}


def rendered(pairs: Sequence[Preview], settings: Encoding, width: int, colours: bool) -> str:
    """The pairs as lines, tokens within ``width`` columns; in ``colours``, or with a bar between two tokens."""
    lines = [*_legend(colours)]
    for pair in pairs:
        lines += ["", *_pair(pair, settings, max(width, NARROWEST), colours)]
    return "\n".join(lines)


def wants_colours(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour: NO_COLOR forbids it (no-color.org), FORCE_COLOR asks for it, else a terminal does."""
    if environment.get("NO_COLOR"):
        return False
    return bool(environment.get("FORCE_COLOR")) or (stream.isatty() and environment.get("TERM") != "dumb")


def _first(root: Path, split: str, count: int) -> list[Pair]:
    return sorted(require_rows(_file(root, split), Pair), key=lambda pair: pair.pair_id)[:count]


def _named(root: Path, split: str | None, pair_id: str) -> list[Pair]:
    pairs = {pair.pair_id: pair for one in ([split] if split else SPLITS) for pair in read_rows(_file(root, one), Pair)}
    if pair_id not in pairs:
        close = get_close_matches(pair_id, pairs, n=1)
        fix = f"did you mean {visible(close[0])}?" if close else "`persuasion preview pairs` shows some"
        raise UsageFailure(f"there is no pair {pair_id}", where=f"{PAIRS}, {split or 'every'} split", fix=fix)
    return [pairs[pair_id]]


def _file(root: Path, split: str) -> Path:
    if split not in SPLITS:
        raise UsageFailure(f"there is no split {split!r}", where="--split", fix=f"one of {', '.join(SPLITS)}")
    return root / PAIRS / f"{split}.parquet"


def _legend(colours: bool) -> Iterator[str]:
    yield "+ marks the tokens that carry loss." + ("" if colours else f" {BAR} stands between two tokens.")
    for role, words in LEGEND:
        yield f"  {_shaded(role, f'{role:<9}', 0) if colours else f'{role:<9}'} {words}"


def _pair(pair: Preview, settings: Encoding, width: int, colours: bool) -> Iterator[str]:
    dropped = f": DROPPED, {pair.unfit.replace('_', ' ')}" if pair.unfit else ""
    yield visible(f"Pair {pair.pair_id} of {pair.split}, thread {pair.thread_id}").replace("\n", "↵") + dropped
    room = settings.total_tokens - preview.kept(pair.prompt)
    for name, runs, budget in (
        ("prompt", pair.prompt, settings.prompt_tokens),
        ("chosen", pair.chosen, room),
        ("rejected", pair.rejected, room),
    ):
        lost = preview.cut(runs)
        yield f"{name}: {preview.kept(runs):,} of at most {budget:,} tokens" + (f", {lost:,} cut" if lost else "")
        for run in runs:
            yield from _run(run, width, colours)


def _run(run: Run, width: int, colours: bool) -> Iterator[str]:
    """A run as lines: mark, role and count, then its tokens."""
    start = f"{'+' if run.scored else ' '} {run.role:<9}{run.tokens:>6}  "
    texts = run.texts if colours else [f"{text}{BAR}" for text in run.texts[:-1]] + [run.texts[-1]]
    for line in _wrapped(texts, width - INDENT):
        yield start + "".join(_shaded(run.role, words, at) if colours else words for at, words in line)
        start = " " * INDENT


def _wrapped(texts: Iterable[str], width: int) -> Iterator[list[tuple[int, str]]]:
    """Lines of (number of the token, text) within ``width`` columns; a newline ends its line, and is seen."""
    line: list[tuple[int, str]] = []
    used = 0
    for at, whole in enumerate(texts):
        for piece in _pieces(whole, width):
            if used + columns(piece) > width and line:
                yield line
                line, used = [], 0
            line.append((at, piece))
            used += columns(piece)
            if "↵" in piece:
                yield line
                line, used = [], 0
    if line:
        yield line


def _pieces(text: str, width: int) -> Iterator[str]:
    """``text`` cut behind every newline (and its bar) and where it is wider than a line."""
    for part in re.findall(f"[^\n]*\n{BAR}?|[^\n]+", text):
        piece = ""
        for one in part.replace("\n", "↵"):
            if columns(piece + one) > width:
                yield piece
                piece = ""
            piece += one
        yield piece


def columns(text: str) -> int:
    """Columns that ``text`` takes in a terminal: wide characters two, combining ones none."""
    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)


def _shaded(role: str, words: str, at: int) -> str:
    return f"\x1b[{SHADES[role][at % 2]}m{words}\x1b[0m"
