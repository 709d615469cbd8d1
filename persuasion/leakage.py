"""Does anything of one split reappear in another? Asked of the finished files, whatever made them.

The checks share no search with ``splits``, ``settling`` and ``copies``: near-duplicates are found by an exact
prefix-filtered join, so that a pair missed by the hashing there is still seen here; copied texts by looking each
text's runs up in the other splits' files, one split after another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from math import ceil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from persuasion.config import Pairs
from persuasion.errors import DataFailure
from persuasion.grams import COPIED, SHINGLE, Grams, grams, jaccard
from persuasion.records import SPLITS
from persuasion.residue import announces_delta

TEXTS = ("prompt", "chosen", "rejected")
Column = dict[str, list[str]]
"""One column of the files, by split."""


def leaks(folder: Path, awarded: Set[str], params: Pairs) -> dict[str, int]:
    """Count leaks by kind over the pairs of all splits; all 0 when the splits are honest.

    ``thread`` and ``author`` (OP pseudonyms) stand in two splits or more. ``near_duplicate`` counts pairs of
    prompts in different splits that reach that Jaccard similarity. ``label`` counts texts (prompts and
    completions) that announce the verdict. ``text`` counts texts of which a share of ``pairs.copied_text`` of the
    13-word runs stands in another split. ``awarded_rejected`` counts rejected comments that earned a delta from
    anyone (``awarded``: the ids of those that did).
    """
    texts = {name: _column(folder, name) for name in TEXTS}
    chosen = set().union(*_column(folder, "chosen_id").values())
    rejected = set().union(*_column(folder, "rejected_id").values())
    distinct = {text for column in texts.values() for found in column.values() for text in found}
    return {
        "thread": _in_two_splits(_column(folder, "thread_id")),
        "author": _in_two_splits(_column(folder, "op_author")),
        "near_duplicate": sum(1 for _ in near_duplicates(texts["prompt"], params.near_duplicate)),
        "label": sum(map(announces_delta, distinct)),
        "text": sum(int((share >= params.copied_text).sum()) for share in copied(texts).values()),
        "awarded_rejected": len(rejected & (chosen | awarded)),
    }


def refuse_leaks(found: Mapping[str, int], *, allow: bool) -> None:
    """Raise DataFailure (exit 3) when any leak is found and none is allowed."""
    if any(found.values()) and not allow:
        raise DataFailure(
            "the splits leak: " + ", ".join(f"{kind} {count}" for kind, count in found.items() if count),
            where="data/pairs",
            why="a figure measured on the test split would not be about unseen threads or would read the verdict",
            fix="report this as a fault of the pair stage; pairs.allow_leaks: true counts leaks and goes on",
        )


def copied(texts: Mapping[str, Column]) -> dict[str, NDArray[np.float64]]:
    """For each split, the share of each distinct text's 13-word runs that stand in a text of another split."""
    found = {split: [grams(text, COPIED) for text in sorted({t for column in texts.values() for t in column[split]})]
             for split in SPLITS}  # fmt: skip
    held = {split: _union(runs) for split, runs in found.items()}
    shares = {}
    for split, runs in found.items():
        others = _union([held[other] for other in SPLITS if other != split])
        shares[split] = np.array([_within(own, others).mean() for own in runs if len(own)])
    return shares


def near_duplicates(prompts: Column, threshold: float) -> Iterator[tuple[str, str]]:
    """Prompts of different splits that are near-duplicates: a prefix-filtered join (Bayardo et al. 2007).

    Two sets of Jaccard similarity ≥ t share a run among the first |A| − ⌈t·|A|⌉ + 1 of each, in any one order of
    all runs; rarest first keeps the lists short.
    """
    rows = [(split, text, grams(text, SHINGLE)) for split in SPLITS for text in sorted(set(prompts[split]))]
    every, count = np.unique(
        np.concatenate([np.zeros(0, np.uint64), *(found for _, _, found in rows)]), return_counts=True
    )
    seen_with: defaultdict[int, list[int]] = defaultdict(list)
    for place, (split, text, own) in enumerate(rows):
        ranked = own[np.lexsort((own, count[np.searchsorted(every, own)]))]
        prefix = ranked[: len(ranked) - ceil(threshold * len(ranked) - 1e-9) + 1].tolist()
        for other in sorted({other for run in prefix for other in seen_with[run] if rows[other][0] != split}):
            if jaccard(own, rows[other][2]) >= threshold:
                yield rows[other][1], text
        for run in prefix:
            seen_with[run].append(place)


def _column(folder: Path, name: str) -> Column:
    return {split: pq.read_table(folder / f"{split}.parquet", columns=[name])[name].to_pylist() for split in SPLITS}


def _in_two_splits(column: Column) -> int:
    """How many names stand in more than one split; "" is nobody's."""
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for split, names in column.items():
        for name in filter(None, names):
            splits[name].add(split)
    return sum(len(found) > 1 for found in splits.values())


def _within(own: Grams, others: Grams) -> NDArray[np.bool_]:
    """Which of ``own`` are among the sorted ``others``: each is looked up, as the others are far more."""
    if not len(others):
        return np.zeros(len(own), bool)
    return others[np.minimum(np.searchsorted(others, own), len(others) - 1)] == own


def _union(sets: Sequence[Grams] | Iterable[Grams]) -> Grams:
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *sets]))
