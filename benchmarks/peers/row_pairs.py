"""Choosing negatives in careful plain Python: one pass over the rows in batches, each text cut into words once.

``python -m benchmarks.peers.row_pairs THREADS NEGATIVE OUT``. The strong baseline: only columns that are needed, only
threads with an award are looked into, sets of words are kept per thread. Same rules and the same definitions as
ours, so that the choice is the same; nothing of ours is imported.
"""

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

PER_POSITIVE, FEWEST, MOST, LONGEST_POST, ALIKE = 2, 10, 1000, 3000, 0.8
WORD, ANY_WORD = re.compile(r"[a-z0-9'\x80-\uffff]{3,}"), re.compile(r"\w+")
COLUMNS = [
    "id",
    "thread_id",
    "parent_id",
    "author",
    "role",
    "created_utc",
    "score",
    "body",
    "is_op",
    "earned_delta",
    "deltas",
]
POST_COLUMNS = ["id", "author", "role", "title", "selftext"]
Row = dict[str, Any]


def main() -> None:
    """Choose, write the pairs' ids, and say how many there are."""
    threads, negative, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    posts = {
        row["id"]: row["author"]
        for row in pq.read_table(threads / "submissions.parquet", columns=POST_COLUMNS).to_pylist()
        if row["role"] == "person"
        and row["selftext"] not in ("[deleted]", "[removed]")
        and len(row["title"].split()) + len(row["selftext"].split()) <= LONGEST_POST
    }
    found = []
    for thread, group in groupby(_rows(threads / "comments.parquet"), key=lambda row: row["thread_id"]):
        comments = list(group)
        if thread in posts and any(row["earned_delta"] for row in comments):
            found += _choose(comments, posts[thread], negative)
    out.write_text("".join(f"{chosen} {rejected}\n" for chosen, rejected in sorted(found)), encoding="utf-8")
    print(json.dumps({"pairs": len(found)}))


def _rows(path: Path) -> Iterator[Row]:
    for batch in pq.ParquetFile(path).iter_batches(columns=COLUMNS):
        yield from batch.to_pylist()


def _choose(comments: list[Row], op: str, negative: str) -> list[tuple[str, str]]:
    thread = comments[0]["thread_id"]
    winners = {row["author"] for row in comments if row["earned_delta"] and row["author"]}
    read = max((row["created_utc"] for row in comments if row["is_op"]), default=-1)
    free = [
        row
        for row in comments
        if row["parent_id"] == thread and row["role"] == "person" and not row["is_op"] and not row["earned_delta"]
        and row["author"] not in winners and row["created_utc"] < read and row["body"] not in ("[deleted]", "[removed]")
    ]  # fmt: skip
    pairs = []
    words: dict[str, Any] = {}
    for chosen in comments:
        if not (chosen["parent_id"] == thread and chosen["role"] == "person" and not chosen["is_op"]):
            continue
        if not any(delta["by_op"] for delta in chosen["deltas"]) or not FEWEST <= len(chosen["body"].split()) <= MOST:
            continue
        near = _distances(chosen, free, negative, words)
        order = sorted(
            (round(far, 9), _lot(chosen, row), place) for place, (far, row) in enumerate(zip(near, free, strict=True))
        )
        taken = 0
        for _, _, place in order:
            row = free[place]
            if taken < PER_POSITIVE and FEWEST <= len(row["body"].split()) <= MOST and not _alike(chosen, row):
                pairs.append((chosen["id"], row["id"]))
                taken += 1
    return pairs


def _distances(chosen: Row, free: list[Row], negative: str, words: dict[str, Any]) -> list[float]:
    if negative == "similar":
        own, *others = (_once(words, row, _content) for row in (chosen, *free))
        return [-len(own & other) / (len(own | other) or 1) for other in others]
    if negative == "lexical":
        return _cosines([_once(words, row, _counts) for row in (chosen, *free)])
    if negative == "length":
        own = _once(words, chosen, _length)
        return [abs(_once(words, row, _length) - own) for row in free]
    if negative == "score":
        gaps = [row["score"] - chosen["score"] for row in free]
        return [abs(gap) + (1e9 if gap < 0 else 0.0) for gap in gaps]
    return [0.0] * len(free)


def _once(known: dict[str, Any], row: Row, make: Any) -> Any:
    if row["id"] not in known:
        known[row["id"]] = make(row["body"])
    return known[row["id"]]


def _content(text: str) -> set[str]:
    return set(WORD.findall(text.lower())) - ENGLISH_STOP_WORDS


def _counts(text: str) -> Counter[str]:
    return Counter(word for word in WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS)


def _length(text: str) -> int:
    return len(text.split())


def _cosines(counts: list[Counter[str]]) -> list[float]:
    """TF-IDF as scikit-learn has it: sublinear counts, smooth IDF, unit length."""
    held = Counter(word for each in counts for word in each)
    weights = {word: math.log((1 + len(counts)) / (1 + number)) + 1 for word, number in held.items()}
    vectors = [{word: (1 + math.log(number)) * weights[word] for word, number in each.items()} for each in counts]
    norms = [math.sqrt(sum(value * value for value in each.values())) or 1.0 for each in vectors]
    own = vectors[0]
    return [
        -sum(value * own.get(word, 0.0) for word, value in each.items()) / norm / norms[0]
        for each, norm in zip(vectors[1:], norms[1:], strict=True)
    ]


def _lot(chosen: Row, row: Row) -> bytes:
    return sha256(f"1\0{chosen['id']}\0{row['id']}".encode()).digest()


def _alike(chosen: Row, row: Row) -> bool:
    one, other = (_shingles(each["body"]) for each in (chosen, row))
    return len(one & other) / (len(one | other) or 1) >= ALIKE


def _shingles(text: str) -> set[str]:
    words = ANY_WORD.findall(text.lower())
    return set(map(" ".join, zip(words, words[1:], words[2:], strict=False)))


if __name__ == "__main__":
    main()
