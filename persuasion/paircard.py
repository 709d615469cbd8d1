"""The card that lies beside the pairs, as a Hugging Face dataset card: what they are, hold and leave out.

Its front matter names the three files, so that ``datasets.load_dataset`` takes the folder as it is. Numbers, and
the words that many posts share; no text of anybody's, no names, no dates of this run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from persuasion.config import Pairs
from persuasion.records import SPLITS
from persuasion.themes import Theme

UNITS = {
    "root": "a top-level comment against another of the same post",
    "path": "what a challenger wrote down one path from a top-level comment (Tan et al. 2016) against another such",
    "nested": "a comment at any depth against another answer to the same text; the prompt shows the path above it",
}
NEGATIVES = {
    "random": "drawn at random",
    "similar": "the most similar in content words of the first comment (Jaccard)",
    "lexical": "the most similar in TF-IDF",
    "length": "the nearest in words",
    "score": "of as many votes or more, then the nearest in votes",
}
SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_HEAD = """---
pretty_name: Preference pairs of persuasion
language: en
license: other
task_categories: [text-generation]
size_categories: [{size}]
tags: [preference, dpo, persuasion, changemyview]
configs:
- config_name: default
  data_files:
{files}---
# Preference pairs

Made by the stage `pair`. `prompt` is the post, `chosen` a comment whose author earned a delta from the post's author,
`rejected` a comment on the same post that earned none: {unit}, {negative}. A delta says that one author changed a
view at one time: it is not truth, and its absence is not failure.
"""
_NOTES = """## Use

- For research on persuasive language. Not therapy, not crisis support, not for undisclosed deployment or for
  targeting persons; not for political or commercial persuasion.
- **Licence**: the texts belong to those who wrote them, under the terms of the source; the pipeline grants no right
  to them. Use them only where you have one, and publish figures rather than texts.
- Whoever wrote them did not write for this purpose. Accounts are keyed pseudonyms; a text can still be found by its
  words. Honour removals (`persuasion forget`), and make the pairs anew after each.
- English, mostly male, and no sample of anyone's patients. Comments by authors who earned a delta anywhere in a
  thread are never rejected ones in it; OP may still not have read what is.
"""


def card(figures: Mapping[str, Any], themes: Sequence[Theme], params: Pairs, hashes: Mapping[str, str]) -> str:
    """Return the card as Markdown. ``figures`` are those of metrics/pair.json; ``hashes``: sha256 by file's name."""
    files = "".join(f"  - split: {split}\n    path: {split}.parquet\n" for split in SPLITS)
    counts = [(split, figures["pairs"][split], figures["threads"][split]) for split in SPLITS]
    words = [(name.removesuffix("_mean"), _number(value)) for name, value in figures["words"].items()]
    return "\n".join([
        _HEAD.format(
            files=files, size=_size(sum(figures["pairs"][split] for split in SPLITS)), unit=UNITS[params.unit],
            negative=NEGATIVES[params.negative],
        ),
        _table("Size", ("split", "pairs", "threads"), counts),
        _table("Files", ("file", "sha256"), sorted(hashes.items())),
        f"Split by {params.split}; threads that share an author of posts or a near-duplicate post stay together.\n",
        _table("Words, on average", ("text", "words"), words),
        _table("Themes of the posts", ("words that mark it", "posts"), [(", ".join(t.words), t.posts) for t in themes]),
        _table("What came to no pair", ("reason", "threads, comments or pairs"), sorted(figures["dropped_by"].items())),
        _table("Leaks, counted in the finished files", ("kind", "found"), figures["leaks"].items(), zeros=True),
        _table("Audit", ("what", "value"), [(name, _number(value)) for name, value in figures["audit"].items()]),
        "`surface_accuracy` is what a classifier reaches that sees lengths, marks, order and votes but reads nothing;\n"
        "`shared_runs` the share of held-out texts with any 13 words in a row that stand in another split;\n"
        "`commenters` who stand in two splits, and the pairs it would cost to part them.\n",
        _NOTES,
    ])  # fmt: skip


def _size(pairs: int) -> str:
    """The Hub's name for so many rows."""
    return next((name for most, name in SIZES if pairs < most), "10M<n<100M")


def _table(title: str, heads: Sequence[str], rows: Any, *, zeros: bool = False) -> str:
    """A Markdown table of the rows whose last value is not zero, or a word that there are none."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in rows if zeros or row[-1]]
    head = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    return "\n".join([f"## {title}", "", *([*head, *lines] if lines else ["None."]), ""])


def _number(value: float | int | None) -> str:
    return "undefined: too few pairs" if value is None else str(value) if isinstance(value, int) else f"{value:.3f}"
