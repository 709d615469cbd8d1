"""``data/reference/preview.jsonl`` made ready for a page: runs of tokens, shortened; in public without people's words.

Knows no tokenizer and imports no torch: `preview` wrote these lines.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from persuasion.errors import DataFailure
from persuasion.findings import number
from persuasion.inert import clean, visible

Tree = Mapping[str, Any]
START, END = 300, 60
"""Tokens shown of a long run: so many of its start and of its end."""
LINE = 40
"""Tokens shown of each text where there is no room for colours."""
WITHHELD = "[withheld: written by a real person]"
PARTS = {"prompt": "Prompt", "chosen": "Chosen", "rejected": "Rejected"}


def read_previews(path: Path) -> list[dict[str, Any]]:
    """The lines that `reference` wrote. Raises DataFailure where there are none to read."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        raise DataFailure(f"{path} is missing", fix="run `dvc repro` to make it") from None
    except ValueError as error:
        raise DataFailure(f"{path} is no JSON Lines", why=str(error), fix="run `dvc repro reference`") from None


def shown(previews: Sequence[Tree], *, hidden: bool) -> list[dict[str, Any]]:
    """What the templates print of each pair; ``hidden``: token counts and the template's own tokens only."""
    return [
        {
            "name": "" if hidden else f"{clean(pair['pair_id'])}, post {clean(pair['thread_id'])}",
            "unfit": pair["unfit"].replace("_", " "),
            "parts": [_part(words, pair[part], hidden) for part, words in PARTS.items()],
        }
        for pair in previews
    ]


def _part(name: str, runs: Sequence[Tree], hidden: bool) -> dict[str, Any]:
    lost = sum(run["tokens"] for run in runs if run["role"] == "cut")
    every = sum(run["tokens"] for run in runs)
    laid_out = [_run(run, hidden) for run in runs]
    return {"name": name, "kept": number(every - lost), "cut": number(lost), "runs": laid_out, "line": _line(laid_out)}


def _run(run: Tree, hidden: bool) -> dict[str, Any]:
    """``start`` and ``end`` of a run's tokens, with how many are ``left`` out between them ("" for none)."""
    withheld = hidden and run["role"] != "frame"
    # made visible again: the page does not rely on who wrote the file
    texts = [WITHHELD] if withheld else [visible(text).replace("\n", "↵\n") for text in run["texts"]]
    left = len(texts) - START - END
    start, end = (texts[:START], texts[-END:]) if left > 0 else (texts, [])
    return {
        "role": run["role"] if run["role"] in {"frame", "cut", *PARTS} else "frame",
        "scored": bool(run["scored"]),
        "start": start,
        "left": number(left) if left > 0 else "",
        "end": end,
    }


def _line(runs: Sequence[Tree]) -> str:
    """One line of plain text: a bar between two tokens, ⟦cut⟧, each run shortened."""
    words = []
    for run in runs:
        more = " …" if run["left"] or len(run["start"]) > LINE else ""
        tokens = "│".join(text.replace("\n", "") for text in run["start"][:LINE]) + more
        words.append(f"⟦{tokens}⟧" if run["role"] == "cut" else tokens)
    return "│".join(words)
