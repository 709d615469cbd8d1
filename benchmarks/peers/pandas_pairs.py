"""Choosing negatives as one writes it first: a data frame, grouped by thread, and a function of two texts.

``python -m benchmarks.peers.pandas_pairs THREADS NEGATIVE OUT``. The naive way: rows of a group by masks, distances by
mapping a function over texts, scikit-learn's vectors per comment. Same rules and the same definitions as ours, so
that the choice is the same; nothing of ours is imported.
"""

import json
import re
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

PER_POSITIVE, FEWEST, MOST, LONGEST_POST, ALIKE = 2, 10, 1000, 3000, 0.8
WORD, ANY_WORD = re.compile(r"[a-z0-9'\x80-\uffff]{3,}"), re.compile(r"\w+")
GONE = ("[deleted]", "[removed]")
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


def main() -> None:
    """Choose, write the pairs' ids, and say how many there are."""
    threads, negative, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    posts = pd.read_parquet(threads / "submissions.parquet", columns=["id", "role", "title", "selftext"])
    words_of_post = (posts["title"] + " " + posts["selftext"]).str.split().str.len()
    here = (posts["role"] == "person") & ~posts["selftext"].isin(GONE)
    usable = set(posts[here & (words_of_post <= LONGEST_POST)]["id"])
    comments = pd.read_parquet(threads / "comments.parquet", columns=COLUMNS)
    found: list[tuple[str, str]] = []
    for thread, group in comments.groupby("thread_id", sort=False):
        if thread in usable and group["earned_delta"].any():
            found += choose(group, str(thread), DISTANCES[negative])
    out.write_text("".join(f"{chosen} {rejected}\n" for chosen, rejected in sorted(found)), encoding="utf-8")
    print(json.dumps({"pairs": len(found)}))


def choose(
    group: pd.DataFrame, thread: str, distances: Callable[[pd.Series, pd.DataFrame], pd.Series]
) -> list[tuple[str, str]]:
    """The pairs of one thread."""
    top = group[(group["parent_id"] == thread) & (group["role"] == "person") & ~group["is_op"]]
    winners = set(group[group["earned_delta"] & (group["author"] != "")]["author"])
    read = group[group["is_op"]]["created_utc"].max()
    free = top[
        ~top["earned_delta"] & ~top["author"].isin(winners) & (top["created_utc"] < read) & ~top["body"].isin(GONE)
    ]
    pairs = []
    for _, chosen in top[top["earned_delta"]].iterrows():
        if not any(delta["by_op"] for delta in chosen["deltas"]) or not fits(chosen["body"]):
            continue
        near = free.assign(
            far=distances(chosen, free).astype(float).round(9),
            lot=free["id"].map(lambda id_, own=chosen["id"]: lot(own, id_)),
        )
        taken = 0
        for _, row in near.sort_values(["far", "lot"]).iterrows():
            if (
                taken < PER_POSITIVE
                and fits(row["body"])
                and jaccard(shingles(chosen["body"]), shingles(row["body"])) < ALIKE
            ):
                pairs.append((chosen["id"], row["id"]))
                taken += 1
    return pairs


def fits(text: str) -> bool:
    """Whether a text's length is within the limits."""
    return FEWEST <= len(text.split()) <= MOST


def lot(chosen: str, candidate: str) -> bytes:
    """The draw among equals."""
    return sha256(f"1\0{chosen}\0{candidate}".encode()).digest()


def words(text: str) -> set[str]:
    """A text's content words."""
    return set(WORD.findall(text.lower())) - ENGLISH_STOP_WORDS


def shingles(text: str) -> set[tuple[str, ...]]:
    """A text's runs of three words."""
    found = ANY_WORD.findall(text.lower())
    return set(zip(found, found[1:], found[2:], strict=False))


def jaccard(one: set[Any], other: set[Any]) -> float:
    """Shared over all."""
    return len(one & other) / (len(one | other) or 1)


def _similar(chosen: pd.Series, free: pd.DataFrame) -> pd.Series:
    return free["body"].map(lambda text: -jaccard(words(chosen["body"]), words(text)))


def _lexical(chosen: pd.Series, free: pd.DataFrame) -> pd.Series:
    if free.empty:
        return free["body"]
    tfidf = TfidfVectorizer(sublinear_tf=True, token_pattern=WORD.pattern, stop_words=list(ENGLISH_STOP_WORDS))
    vectors = tfidf.fit_transform([chosen["body"], *free["body"]])
    return pd.Series((-(vectors[1:] @ vectors[0].T)).toarray().ravel(), index=free.index)


def _length(chosen: pd.Series, free: pd.DataFrame) -> pd.Series:
    return free["body"].map(lambda text: abs(len(text.split()) - len(chosen["body"].split())))


def _score(chosen: pd.Series, free: pd.DataFrame) -> pd.Series:
    gap = free["score"] - chosen["score"]
    return gap.abs() + (gap < 0) * 1e9


def _random(chosen: pd.Series, free: pd.DataFrame) -> pd.Series:
    return pd.Series(0.0, index=free.index)


DISTANCES = {"random": _random, "similar": _similar, "lexical": _lexical, "length": _length, "score": _score}

if __name__ == "__main__":
    main()
