"""Synthetic thread tables of any size, as ``extract`` would write them: whole threads in the order of their ids.

Who answers, awards and when comes from ``season``, the words from ``vocabulary``. Texts are plain: they need no
cleaning, so that a benchmark of choosing measures choosing.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.cache import require_room
from benchmarks.dump import THREADS
from benchmarks.fields import base36
from benchmarks.season import Fate, Kind, Post, Reply, Season, rows, season
from benchmarks.vocabulary import Vocabulary, vocabulary
from persuasion.files import replaced_folder
from persuasion.records import BOT, DELETED, PERSON, Comment, Submission
from persuasion.tables import schema, table_writer
from persuasion.threadtables import COMMENTS, SUBMISSIONS

SEASON = 11
BYTES_PER_THREAD = 40_000
GONE = {Kind.DELETED: "[deleted]", Kind.REMOVED: "[removed]"}


def write_threads(folder: Path, threads: int) -> None:
    """Write both tables of about ``threads`` threads and fifty times as many comments."""
    require_room(threads * BYTES_PER_THREAD)
    words = vocabulary()
    seasons = -(-threads // THREADS)
    with (
        replaced_folder(folder) as partial,
        table_writer(partial / SUBMISSIONS, Submission) as submissions,
        table_writer(partial / COMMENTS, Comment) as comments,
    ):
        for index in range(seasons):
            rng = np.random.default_rng([SEASON, index])
            drawn = season(rng, index, seasons, THREADS)
            submissions(pa.Table.from_pylist(_submissions(rng, drawn, words), schema(Submission)))
            comments(pa.Table.from_pylist(_comments(rng, drawn, words), schema(Comment)))


def _submissions(rng: np.random.Generator, drawn: Season, words: Vocabulary) -> list[dict[str, Any]]:
    titles, bodies = (list(words.texts(rng, drawn.posts[name], drawn.topics)) for name in ("title_words", "words"))
    return [
        {
            "id": f"t3_{base36(post.number)}",
            "author": "" if post.kind == Kind.DELETED else _account(post.author),
            "role": DELETED if post.kind == Kind.DELETED else PERSON,
            "created_utc": post.created,
            "score": post.number % 977,
            "title": f"CMV: {title}",
            "selftext": GONE.get(Kind(post.kind), body),
        }
        for post, title, body in zip(rows(drawn.posts, Post), titles, bodies, strict=True)
    ]


def _comments(rng: np.random.Generator, drawn: Season, words: Vocabulary) -> list[dict[str, Any]]:
    replies, posts = rows(drawn.replies, Reply), rows(drawn.posts, Post)
    texts = words.texts(rng, drawn.replies["words"], drawn.topics[drawn.replies["thread"]])
    ids = [f"t1_{base36(reply.number)}" for reply in replies]
    threads = [f"t3_{base36(post.number)}" for post in posts]
    given = defaultdict(list)
    for reply in replies:
        if reply.fate == Fate.CONFIRMED:
            by_op = reply.author == posts[reply.thread].author
            given[reply.parent].append(
                {"by": _account(reply.author), "by_op": by_op, "source": "confirmed", "at": reply.created}
            )
    found = []
    for place, (reply, text) in enumerate(zip(replies, texts, strict=True)):
        found.append(
            {
                "id": ids[place],
                "thread_id": threads[reply.thread],
                "parent_id": ids[reply.parent] if reply.parent >= 0 else threads[reply.thread],
                "author": _account(reply.author) if reply.author >= 0 else "",
                "role": PERSON if reply.author >= 0 else DELETED if reply.kind == Kind.DELETED else BOT,
                "created_utc": reply.created,
                "score": reply.score,
                "body": GONE.get(Kind(reply.kind), text),
                "is_op": reply.author >= 0 and reply.author == posts[reply.thread].author,
                "earned_delta": place in given,
                "deltas": given.get(place, []),
                "rivals": [],
                "order": (reply.thread, reply.created, reply.number),
            }
        )
    return sorted(found, key=lambda row: row.pop("order"))


def _account(number: int) -> str:
    return f"u_{number:016x}"
