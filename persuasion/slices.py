"""The same accuracy by kind of pair: year of the post, what it is about, how long it is, who vouches for the label.

A slice is for finding where to look, not for claims: its interval is wide and there are many of them.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from persuasion import clumps
from persuasion.config import Evaluate
from persuasion.estimates import Scores, Tree, beside
from persuasion.evenly import parts
from persuasion.measures import words
from persuasion.records import Pair
from persuasion.undefined import NO_PAIRS, Undefined

UNKNOWN = "unknown"
QUARTERS = 4
TOO_FEW = Undefined("too few posts to tell topics apart")


def sliced(
    policy: Scores, reference: Scores, pairs: Sequence[Pair], training: Sequence[Pair], settings: Evaluate
) -> list[dict[str, Any]]:
    """Rows ``by``, ``slice``, ``words`` (what it holds) and figures: accuracy of policy and reference, pairs, posts.

    Topics are found in the training posts and then told in the judged ones.
    """
    threads = [pair.thread_id for pair in pairs]
    every = {"year": _years(pairs), "post_length": _post_lengths(pairs), "label_source": _sources(pairs)}
    every |= {"topic": _topics(pairs, training, settings)}
    rows = []
    for by, labels in every.items():
        for name, means in sorted(set(labels)):
            held = [row for row, label in enumerate(labels) if label == (name, means)]
            figures = beside(policy, reference, threads, held, settings)
            posts = len({threads[row] for row in held})
            rows.append({"by": by, "slice": name, "words": means, **figures, "threads": posts})
    return rows


def branch(rows: Sequence[Tree]) -> Tree:
    """The rows as a tree of numbers: by, slice, figure."""
    tree: Tree = {"year": {}, "post_length": {}, "label_source": {}, "topic": {}}
    for row in rows:
        figures = {name: value for name, value in row.items() if name not in ("by", "slice", "words")}
        tree[row["by"]][row["slice"]] = figures
    return {by: found or (TOO_FEW if by == "topic" and rows else NO_PAIRS) for by, found in tree.items()}


Label = tuple[str, str]
"""A slice's name, and in words what it holds."""


def _years(pairs: Sequence[Pair]) -> list[Label]:
    names = [str(datetime.fromtimestamp(p.created_utc, UTC).year) if p.created_utc > 0 else UNKNOWN for p in pairs]
    return [(name, name) for name in names]


def _sources(pairs: Sequence[Pair]) -> list[Label]:
    return [(pair.label_source or UNKNOWN,) * 2 for pair in pairs]


def _post_lengths(pairs: Sequence[Pair]) -> list[Label]:
    """Up to four parts of like mass by words in the prompt, the shortest first."""
    if not pairs:
        return []
    sizes = np.array([words(pair.prompt) for pair in pairs])
    member = parts(sizes, QUARTERS)
    ends = {place: (sizes[member == place].min(), sizes[member == place].max()) for place in set(member.tolist())}
    return [(str(place + 1), "{} to {} words".format(*ends[place])) for place in member.tolist()]


def _topics(pairs: Sequence[Pair], training: Sequence[Pair], settings: Evaluate) -> list[Label]:
    """The topic of each pair's post, numbered from the largest in training; [] when there are too few posts."""
    posts = {pair.thread_id: pair.prompt for pair in sorted(training, key=lambda pair: pair.thread_id)}
    found = clumps.find(list(posts.values()), settings.topics, settings.seed) if pairs else None
    if found is None:
        return []
    width = len(str(settings.topics))
    return [(f"{place + 1:0{width}}", found.names[place]) for place in found.of([p.prompt for p in pairs]).tolist()]
