"""Does anything of one split reappear in another? Asked of the finished pairs, whatever made them.

The checks share no search with ``splits``: near-duplicates are found by an exact prefix-filtered
join, so that a pair missed by the hashing there is still seen here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

from persuasion.errors import DataFailure
from persuasion.records import Pair
from persuasion.residue import announces_delta
from persuasion.shingles import jaccard, shingles


def leaks(pairs: Sequence[Pair], near_duplicate: float) -> dict[str, int]:
    """Count leaks by kind over the pairs of all splits; all 0 when the splits are honest.

    ``thread`` and ``author`` (OP pseudonyms) stand in two splits or more; ``near_duplicate`` counts
    pairs of threads in different splits whose prompts reach that Jaccard similarity; ``label`` counts
    texts (prompts and completions) that announce the verdict; ``chosen_rejected`` counts comments
    that are chosen in one pair and rejected in another.
    """
    texts = {text for pair in pairs for text in (pair.prompt, pair.chosen, pair.rejected)}
    chosen = {pair.chosen_id for pair in pairs}
    return {
        "thread": _in_two_splits((pair.thread_id, pair.split) for pair in pairs),
        "author": _in_two_splits((pair.op_author, pair.split) for pair in pairs if pair.op_author),
        "near_duplicate": sum(1 for _ in _near_duplicates(pairs, near_duplicate)),
        "label": sum(announces_delta(text) for text in texts),
        "chosen_rejected": len(chosen & {pair.rejected_id for pair in pairs}),
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


def _in_two_splits(items: Iterable[tuple[str, str]]) -> int:
    """How many names stand with more than one split."""
    splits = defaultdict(set)
    for name, split in items:
        splits[name].add(split)
    return sum(len(found) > 1 for found in splits.values())


def _near_duplicates(pairs: Sequence[Pair], threshold: float) -> Iterator[tuple[str, str]]:
    """Thread pairs of different splits with near-duplicate prompts: a prefix-filtered join (Bayardo et al. 2007).

    Two sets of Jaccard similarity ≥ t share a shingle among the first |A| − ⌈t·|A|⌉ + 1 of each, in
    any one order of all shingles; rarest first keeps the lists short.
    """
    prompts = {(pair.thread_id, pair.split): shingles(pair.prompt) for pair in pairs}
    frequency = Counter(shingle for found in prompts.values() for shingle in found)
    seen_with: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in sorted(prompts):
        ranked = sorted(prompts[key], key=lambda shingle: (frequency[shingle], shingle))
        prefix = ranked[: len(ranked) - ceil(threshold * len(ranked) - 1e-9) + 1]
        others = {other for shingle in prefix for other in seen_with[shingle] if other[1] != key[1]}
        for other in sorted(others):
            if jaccard(prompts[key], prompts[other]) >= threshold:
                yield other[0], key[0]
        for shingle in prefix:
            seen_with[shingle].append(key)
