"""Pairs of all threads, range by range: what a range of threads gives lies in files until the splits are known.

A range is worked on alone, in a process of its own; what must be seen across threads (groups, copies, caps by
author) needs only ids, signatures and runs of words, so memory does not grow with the texts.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa

from persuasion.config import Pairs
from persuasion.corpus import corpus
from persuasion.discussions import Discussions, discussions
from persuasion.gathering import load, save
from persuasion.grams import COPIED, SHINGLE, Grams, grams
from persuasion.minhash import Signatures, signature
from persuasion.pairing import Dropped, build_pairs
from persuasion.records import CorpusThread, Pair
from persuasion.settling import Draft
from persuasion.splits import Posts
from persuasion.tables import plain, schema
from persuasion.threadtables import Range

PAIRS, CORPUS, POSTS, DRAFTS, RUNS = "pairs", "corpus", "posts", "drafts", "runs"
_TEXTS = ("prompt", "chosen", "rejected")
_NAMES = ("pair_id", "thread_id", "chosen_id", "chosen_author", "rejected_author")
_DRAFTS = pa.schema([(name, pa.string()) for name in _NAMES] + [(name, pa.binary(16)) for name in _TEXTS])
_RUNS = pa.schema([("digest", pa.binary(16)), ("runs", pa.list_(pa.uint64()))])
_POSTS = pa.schema([("id", pa.string()), ("author", pa.string()), ("created_utc", pa.int64()), ("prompt", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A range to work on, and where to leave what it gives."""

    range: Range
    folder: Path
    params: Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a range gave: tables in files, and in memory what concerns other ranges too.

    ``awarded``: how many comments earned a delta; ``signatures`` has shape (posts, PERMUTATIONS).
    """

    folder: Path
    dropped: list[Dropped]
    awarded: int
    signatures: Signatures

    def table(self, name: str) -> pa.Table:
        """One kind of table (PAIRS, CORPUS, …), mapped into memory."""
        return load(self.folder / name)


def work(job: Job) -> Made:
    """Make all that a range of threads gives."""
    talk = discussions(*job.range.read(), clean=job.params.clean)
    pairs, dropped = build_pairs(talk, job.params)
    order = {post.id: place for place, post in enumerate(talk.posts)}
    pairs.sort(key=lambda pair: (order[pair.thread_id], pair.pair_id))  # the same wherever ranges are cut
    job.folder.mkdir(parents=True)
    for name, table in _tables(talk, pairs, job.params).items():
        save(table, job.folder / name)
    found = [signature(grams(post.prompt, SHINGLE)) for post in talk.posts]
    return Made(
        folder=job.folder,
        dropped=dropped,
        awarded=int(talk.awarded.sum()),
        signatures=np.array(found, np.uint32).reshape(len(found), -1),
    )


def posts(made: Sequence[Made]) -> Posts:
    """All ranges' posts; their prompts stay on disk until one is asked for."""
    every = pa.concat_tables([one.table(POSTS) for one in made])
    return Posts(
        ids=every["id"].to_pylist(),
        authors=every["author"].to_pylist(),
        created=every["created_utc"].to_numpy(),
        prompts=_Column(every["prompt"]),
        signatures=np.concatenate([one.signatures for one in made if len(one.signatures)]),
    )


def drafts(made: Sequence[Made], splits: dict[str, str]) -> tuple[list[Draft], list[Grams]]:
    """All pairs without their texts, and the runs of words of each distinct text, by the numbers that drafts name."""
    number: dict[bytes, int] = {}
    runs: list[Grams] = []
    for one in made:
        table = one.table(RUNS)
        for digest, found in zip(table["digest"].to_pylist(), table["runs"], strict=True):
            if digest not in number:
                number[digest] = len(runs)
                runs.append(found.values.to_numpy())
    found = [_draft(row, splits, number) for one in made for row in one.table(DRAFTS).to_pylist()]
    return found, runs


def routed(
    made: Sequence[Made], name: str, key: str, split_of: Callable[[str], str | None]
) -> Iterator[tuple[str, pa.Table]]:
    """Yield (split, rows) of one kind of table, range after range; ``split_of`` a row's ``key`` is None if it went."""
    for one in made:
        table = one.table(name)
        owner = np.array([split_of(value) or "" for value in table[key].to_pylist()], dtype=object)
        for split in sorted(set(owner.tolist()) - {""}):
            rows = table.take(pa.array(np.flatnonzero(owner == split)))
            place = rows.schema.get_field_index("split")
            yield split, rows if place < 0 else rows.set_column(place, rows.field(place), pa.array([split] * len(rows)))


class _Column(Sequence[str]):
    """A column of texts, read from disk one by one."""

    def __init__(self, column: pa.ChunkedArray) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        found = self._column[place]
        return _Column(found) if isinstance(place, slice) else found.as_py()


def _tables(talk: Discussions, pairs: Sequence[Pair], params: Pairs) -> dict[str, pa.Table]:
    texts = {_digest(text): text for pair in pairs for text in (getattr(pair, name) for name in _TEXTS)}
    runs = [{"digest": digest, "runs": grams(text, COPIED)} for digest, text in texts.items()]
    light = [{name: getattr(post, name) for name in _POSTS.names} for post in talk.posts]
    names = [
        {name: getattr(pair, name) for name in _NAMES} | {name: _digest(getattr(pair, name)) for name in _TEXTS}
        for pair in pairs
    ]
    return {
        PAIRS: pa.Table.from_pylist([plain(pair) for pair in pairs], schema(Pair)),
        CORPUS: pa.Table.from_pylist([plain(row) for row in corpus(talk, params)], schema(CorpusThread)),
        POSTS: pa.Table.from_pylist(light, _POSTS),
        DRAFTS: pa.Table.from_pylist(names, _DRAFTS),
        RUNS: pa.Table.from_pylist(runs, _RUNS),
    }


def _draft(row: dict[str, str], splits: dict[str, str], number: dict[bytes, int]) -> Draft:
    prompt, chosen, rejected = (number[row[name]] for name in _TEXTS)  # type: ignore[index]
    return Draft(
        **{name: row[name] for name in _NAMES},
        split=splits[row["thread_id"]],
        texts=(prompt, chosen, rejected),
    )


def _digest(text: str) -> bytes:
    return blake2b(text.encode(errors="replace"), digest_size=16).digest()
