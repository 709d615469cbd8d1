"""Which split a thread belongs to: by its group, so that what was learned in one split is not judged in another.

A group is a connected component of threads that share an OP or a near-duplicate post. Groups join across the
whole input, also through threads that give no pair. Comment authors are not grouped (a few persons answer
everywhere); ``settling`` can make them disjoint, at a price.

- ``hash``: by the hash of the group's name: neither row order nor other threads matter.
- ``time``: a group goes where its latest thread falls between two days. An older thread of it that falls before
  its split's days stays there in name, and its pairs are dropped: training precedes validation precedes test.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from persuasion.dataparams import Pairs, Shares
from persuasion.errors import DataFailure
from persuasion.grams import alike
from persuasion.minhash import Signatures, proposed
from persuasion.records import SPLITS, ThreadSplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """All posts, one entry each: ids, authors' pseudonyms ("" unknown), times, prompts and their MinHash signatures.

    A prompt is "" for a post that can stand in no pair, which then joins others by its OP alone.
    """

    ids: Sequence[str]
    authors: Sequence[str]
    created: NDArray[np.int64]
    prompts: Sequence[str]
    signatures: Signatures


def split_threads(posts: Posts, params: Pairs) -> list[ThreadSplit]:
    """Give every post its group and split, sorted by id. Raises DataFailure for a split by unknown times."""
    groups = Groups(posts.ids)
    for first, second in _same_op(posts):
        groups.join(first, second)
    _join_near_duplicates(groups, posts, params.near_duplicate)
    names = [groups.of(id_) for id_ in posts.ids]
    if params.split == "hash":
        splits = {name: assigned(name, params.shares, params.seed) for name in set(names)}
    else:
        splits = _by_time(names, posts.created, cuts(posts.created, params))
    rows = (
        ThreadSplit(thread_id=id_, group=name, split=splits[name]) for id_, name in zip(posts.ids, names, strict=True)
    )
    return sorted(rows, key=lambda row: row.thread_id)


def assigned(group: str, shares: Shares, seed: int) -> str:
    """The split of a group: its hash as a fraction in [0, 1) against the cumulative shares."""
    fraction = int.from_bytes(sha256(f"{seed}\0{group}".encode()).digest()[:8], "big") / 2**64
    bound = 0.0
    for split in SPLITS[:-1]:
        bound += getattr(shares, split)
        if fraction < bound:
            return split
    return SPLITS[-1]


def cuts(created: NDArray[np.int64], params: Pairs) -> tuple[int, int]:
    """When validation and test begin, Unix seconds: the days given, else where the shares of all threads end."""
    if not (len(created) and created.min() > 0):
        raise DataFailure(
            "threads cannot be split by time",
            where="data/threads",
            why=f"{int((created <= 0).sum())} of {len(created)} posts have no time",
            fix="set pairs.split to hash, or give a form with times",
        )
    ordered = np.sort(created)
    ends = (params.shares.train, params.shares.train + params.shares.validation)
    days = (params.cuts.validation, params.cuts.test)
    first, second = (
        int(ordered[min(int(len(ordered) * end), len(ordered) - 1)]) if day is None else seconds(day)
        for end, day in zip(ends, days, strict=True)
    )
    return first, second


def seconds(day: str) -> int:
    """The Unix time at which a day (YYYY-MM-DD, UTC) begins. Raises ValueError for anything else."""
    return int(datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())


def out_of_order(posts: Posts, rows: Iterable[ThreadSplit], params: Pairs) -> set[str]:
    """Threads that are older than their split's days; none in a split by hash."""
    if params.split == "hash":
        return set()
    begins = dict(zip(SPLITS, (0, *cuts(posts.created, params)), strict=True))
    created = dict(zip(posts.ids, posts.created.tolist(), strict=True))
    return {row.thread_id for row in rows if created[row.thread_id] < begins[row.split]}


class Groups:
    """Union-find over thread ids; a group is named by its smallest id."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._parent = {item: item for item in ids}

    def of(self, item: str) -> str:
        """The smallest id of the component of ``item``."""
        root = item
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[item] != root:
            self._parent[item], item = root, self._parent[item]
        return root

    def join(self, first: str, second: str) -> None:
        """Make one component of the two."""
        small, large = sorted((self.of(first), self.of(second)))
        self._parent[large] = small


def require_threads(rows: Iterable[ThreadSplit], minimum: int) -> None:
    """Refuse (DataFailure, exit 3) splits of which one has fewer than ``minimum`` threads."""
    counts = Counter(row.split for row in rows)
    if min(counts[split] for split in SPLITS) < minimum:
        raise DataFailure(
            "too few threads: " + ", ".join(f"{split} {counts[split]}" for split in SPLITS),
            where="data/threads",
            why=f"every split needs pairs.min_threads = {minimum}",
            fix="give more data (source.path, sample.threads), or change pairs.shares, pairs.cuts or pairs.seed",
        )


def require_pairs(count: int, reasons: Mapping[str, int]) -> None:
    """Refuse (DataFailure, exit 3) to go on without any pair."""
    if not count:
        summary = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
        raise DataFailure(
            "no thread gives a pair",
            where="data/threads",
            why="dropped: " + ", ".join(f"{reason} {number}" for reason, number in summary),
            fix="give more data (source.path), or loosen pairs.min_words, pairs.max_words or pairs.op_must_read",
        )


def _by_time(names: Sequence[str], created: NDArray[np.int64], begins: tuple[int, int]) -> dict[str, str]:
    """The split of each group: that of its latest thread."""
    latest: dict[str, int] = {}
    for name, time in zip(names, created.tolist(), strict=True):
        latest[name] = max(time, latest.get(name, time))
    return {name: SPLITS[sum(time >= begin for begin in begins)] for name, time in latest.items()}


def _same_op(posts: Posts) -> Iterator[tuple[str, str]]:
    """Each thread with the first of its OP; an unknown author ("") is nobody's equal."""
    first_of: dict[str, str] = {}
    for id_, author in zip(posts.ids, posts.authors, strict=True):
        if author:
            yield first_of.setdefault(author, id_), id_


def _join_near_duplicates(groups: Groups, posts: Posts, threshold: float) -> None:
    """Join threads whose prompts are equal or reach ``threshold``.

    Equal prompts join directly, so that a text posted a thousand times is compared once.
    """
    first_with: dict[bytes, int] = {}
    for place, prompt in enumerate(posts.prompts):
        if prompt:
            known = first_with.setdefault(sha256(prompt.encode(errors="replace")).digest(), place)
            groups.join(posts.ids[known], posts.ids[place])
    unique = np.array(list(first_with.values()), np.int64)
    for first, second in proposed(posts.signatures[unique], threshold):
        one, other = unique[first], unique[second]
        if groups.of(posts.ids[one]) == groups.of(posts.ids[other]):
            continue
        if alike(posts.prompts[one], posts.prompts[other], threshold):
            groups.join(posts.ids[one], posts.ids[other])
