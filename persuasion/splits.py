"""Which split a thread belongs to: by hash of its group, so neither row order nor other threads matter.

A group is a connected component of threads that share an OP or a near-duplicate post: what must
not be learned in one split and judged in another. Groups join across the whole input, also through
threads that give no pair. Comment authors are not grouped (a few persons answer everywhere).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from datasketch import MinHash, MinHashLSH

from persuasion.config import Pairs, Split
from persuasion.errors import DataFailure
from persuasion.records import SPLITS, Pair, Submission, ThreadSplit
from persuasion.shingles import alike, shingles

PERMUTATIONS = 128
MINHASH_SEED = 1
MISSED = 1e-6


def split_threads(submissions: Iterable[Submission], prompts: Mapping[str, str], params: Pairs) -> list[ThreadSplit]:
    """Give every submission its group and split.

    Args:
        submissions: all threads, paired or not.
        prompts: thread id to cleaned prompt; "" for a post that can stand in no pair, which then
            joins others by its OP alone.
        params: the shares, the Jaccard threshold of near-duplicates and the seed.

    """
    rows = sorted(submissions, key=lambda row: row.id)
    groups = Groups(row.id for row in rows)
    for first, second in _same_op(rows):
        groups.join(first, second)
    join_near_duplicates(groups, {row.id: prompts[row.id] for row in rows}, params.near_duplicate)
    return [
        ThreadSplit(thread_id=row.id, group=group, split=assigned(group, params.split, params.seed))
        for row in rows
        for group in [groups.of(row.id)]
    ]


def assigned(group: str, shares: Split, seed: int) -> str:
    """The split of a group: its hash as a fraction in [0, 1) against the cumulative shares."""
    fraction = int.from_bytes(sha256(f"{seed}\0{group}".encode()).digest()[:8], "big") / 2**64
    bound = 0.0
    for split in SPLITS[:-1]:
        bound += getattr(shares, split)
        if fraction < bound:
            return split
    return SPLITS[-1]


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


def join_near_duplicates(groups: Groups, prompts: Mapping[str, str], threshold: float) -> None:
    """Join threads whose prompts reach ``threshold`` in Jaccard similarity of three-word shingles.

    MinHash LSH (Broder 1997; Leskovec, Rajaraman & Ullman, ch. 3) proposes, the exact similarity
    decides. Equal prompts join directly, so that a text posted a thousand times is compared once.
    """
    first_with: dict[str, str] = {}
    for thread_id, prompt in prompts.items():
        if prompt:
            groups.join(first_with.setdefault(prompt, thread_id), thread_id)
    unique = {thread_id: prompt for prompt, thread_id in first_with.items()}
    for first, second in _candidates(unique, threshold):
        if groups.of(first) == groups.of(second):
            continue
        if alike(unique[first], unique[second], threshold):
            groups.join(first, second)


def require_threads(rows: Iterable[ThreadSplit], minimum: int) -> None:
    """Refuse (DataFailure, exit 3) splits of which one has fewer than ``minimum`` threads."""
    counts = Counter(row.split for row in rows)
    if min(counts[split] for split in SPLITS) < minimum:
        raise DataFailure(
            "too few threads: " + ", ".join(f"{split} {counts[split]}" for split in SPLITS),
            where="data/threads",
            why=f"every split needs pairs.min_threads = {minimum}",
            fix="give more data (source.path, sample.threads), or change pairs.split or pairs.seed",
        )


def paired_threads(pairs: Sequence[Pair], why: str) -> dict[str, int]:
    """Count the threads with pairs per split; DataFailure (exit 3) when there is no pair at all."""
    if not pairs:
        raise DataFailure(
            "no thread gives a pair",
            where="data/threads",
            why=why,
            fix="give more data (source.path), or loosen pairs.min_words, pairs.max_words or pairs.op_must_read",
        )
    return {split: len({pair.thread_id for pair in pairs if pair.split == split}) for split in SPLITS}


def _same_op(rows: Iterable[Submission]) -> Iterator[tuple[str, str]]:
    """Each thread with the first of its OP; an unknown author ("") is nobody's equal."""
    first_of: dict[str, str] = {}
    for row in rows:
        if row.author:
            yield first_of.setdefault(row.author, row.id), row.id


def _candidates(prompts: Mapping[str, str], threshold: float) -> Iterator[tuple[str, str]]:
    """Pairs of thread ids that LSH takes for near-duplicates, each at most once."""
    index = MinHashLSH(num_perm=PERMUTATIONS, params=_bands(threshold))
    encoded = ([shingle.encode() for shingle in shingles(prompt)] for prompt in prompts.values())
    hashes = MinHash.generator(encoded, num_perm=PERMUTATIONS, seed=MINHASH_SEED)
    for thread_id, minhash in zip(prompts, hashes, strict=True):
        for other in sorted(index.query(minhash)):
            yield other, thread_id
        index.insert(thread_id, minhash)


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows per band: the most rows that miss a pair at the threshold less than once in a million."""
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands < MISSED:
            return bands, rows
    return PERMUTATIONS, 1
