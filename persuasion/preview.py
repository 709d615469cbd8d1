"""Pairs as the model meets them: every token with its role, and what the budgets cut off.

The ids come from ``encoding``, as those of training do. Texts are made visible, so that nothing
in a post acts on a terminal or a page. Writes ``data/reference/preview.jsonl``.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from persuasion.config import Encoding
from persuasion.encoding import EncodedPair, Frame, encode_pair, frame
from persuasion.files import write_text
from persuasion.inert import visible
from persuasion.records import Pair
from persuasion.tables import plain

FRAME, PROMPT, CHOSEN, REJECTED, CUT = "frame", "prompt", "chosen", "rejected", "cut"
SHARED = 4
"""Tokens that may share one character: it has at most four bytes of UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Neighbouring tokens of one role. ``scored``: the loss counts them.

    ``texts`` has an item a token, but tokens that share a character share an item.
    """

    role: str
    scored: bool
    tokens: int
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A pair laid out. ``unfit`` says why it is dropped ("" where it is not); ids are those of ``Pair``."""

    pair_id: str
    thread_id: str
    split: str
    chosen_id: str
    rejected_id: str
    unfit: str
    prompt: tuple[Run, ...]
    chosen: tuple[Run, ...]
    rejected: tuple[Run, ...]


def previews(tokenizer: Any, pairs: Iterable[Pair], settings: Encoding) -> list[Preview]:
    """Encode ``pairs`` as every stage does, and lay them out."""
    around = frame(tokenizer, settings)
    return [_preview(tokenizer, around, pair, encode_pair(tokenizer, around, pair, settings)) for pair in pairs]


def write_previews(path: Path, laid_out: Iterable[Preview]) -> None:
    """Write JSON Lines, a pair a line: a form in which `persuasion forget` finds pairs by their ids."""
    lines = (json.dumps(plain(one), ensure_ascii=False, sort_keys=True) + "\n" for one in laid_out)
    write_text(path, "".join(lines))


def kept(runs: Iterable[Run]) -> int:
    """Tokens that the model sees of ``runs``."""
    return sum(run.tokens for run in runs if run.role != CUT)


def cut(runs: Iterable[Run]) -> int:
    """Tokens of ``runs`` that the budgets took."""
    return sum(run.tokens for run in runs if run.role == CUT)


def _preview(tokenizer: Any, around: Frame, pair: Pair, encoded: EncodedPair) -> Preview:
    before = encoded.prompt
    return Preview(
        pair_id=pair.pair_id,
        thread_id=pair.thread_id,
        split=pair.split,
        chosen_id=pair.chosen_id,
        rejected_id=pair.rejected_id,
        unfit=encoded.unfit,
        prompt=_runs(tokenizer, _prompt(around, encoded), ()),
        chosen=_runs(tokenizer, _completion(CHOSEN, encoded.chosen, encoded.chosen_lost), before),
        rejected=_runs(tokenizer, _completion(REJECTED, encoded.rejected, encoded.rejected_lost), before),
    )


Part = tuple[str, bool, tuple[int, ...]]


def _prompt(around: Frame, encoded: EncodedPair) -> list[Part]:
    """(role, scored, ids) of the frame, the post, what the post lost, and the frame again."""
    start, end = len(around.head), len(encoded.prompt) - len(around.tail)
    return [
        (FRAME, False, around.head),
        (PROMPT, False, encoded.prompt[start:end]),
        (CUT, False, encoded.prompt_lost),
        (FRAME, False, around.tail),
    ]


def _completion(role: str, ids: tuple[int, ...], lost: tuple[int, ...]) -> list[Part]:
    """A whole completion and its end, or a cut one and what it lost."""
    if lost:
        return [(role, True, ids), (CUT, False, lost)]
    return [(role, True, ids[:-1]), (FRAME, True, ids[-1:])]


def _runs(tokenizer: Any, parts: Sequence[Part], before: tuple[int, ...]) -> tuple[Run, ...]:
    runs = []
    for role, scored, ids in parts:
        if ids:
            runs.append(Run(role=role, scored=scored, tokens=len(ids), texts=_texts(tokenizer, ids, before)))
            before = ids
    return tuple(runs)


def _texts(tokenizer: Any, ids: tuple[int, ...], before: tuple[int, ...]) -> tuple[str, ...]:
    """The visible text of every token; some decoders show a token's leading space only behind another token."""
    texts, held, context = [], [], list(before[-SHARED:])
    for place, one in enumerate(ids):
        held.append(one)
        text = _behind(tokenizer, context, held)
        if text.endswith("\ufffd") and len(held) < SHARED and place + 1 < len(ids):
            continue  # part of a character
        texts.append(visible(text))
        context, held = held, []
    return tuple(texts)


def _behind(tokenizer: Any, context: list[int], ids: list[int]) -> str:
    """What ``ids`` add to the text of ``context``."""
    known = tokenizer.decode(context, clean_up_tokenization_spaces=False)
    both = tokenizer.decode(context + ids, clean_up_tokenization_spaces=False)
    whole: str = both[len(known) :] if both.startswith(known) else tokenizer.decode(ids)
    return whole
