"""A synthetic dump of a subreddit in the true form and of any size: ``*_submissions.zst`` and ``*_comments.zst``.

Drawn season by season from (seed, season), so memory stays the same whatever the size. The same shape
gives the same bytes under the same numpy and zstandard. What it is not: strictly in order of time (only
each season is, about 11,000 comments), nor like real texts in meaning.
"""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import faults, speech
from benchmarks.dumpfile import DumpFile
from benchmarks.fields import SUBREDDIT
from benchmarks.season import QUOTED_TOKEN, TO_NOBODY, Fate, Kind, Season, season
from benchmarks.vocabulary import Vocabulary, vocabulary

SUBMISSIONS, COMMENTS = f"{SUBREDDIT}_submissions.zst", f"{SUBREDDIT}_comments.zst"
THREADS = 250  # of a season: about 20 MB
COMMENTS_PER_THREAD = 46  # with those of bots


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What to write: about so many comments (1.8 kB each), drawn from a seed, in so many zstd frames a file.

    A frame holds at least one season.
    """

    comments: int
    seed: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """What a dump truly holds.

    ``submissions`` and ``comments`` are distinct records, ``orphans`` the comments whose post is missing.
    Awards (``confirmed``, ``rejected``, ``unanswered``) count where their post is there. ``lines`` and
    ``bytes`` are of both files, ``comment_bytes`` of the larger one, all decompressed.
    """

    submissions: int
    comments: int
    missing_submissions: int
    orphans: int
    missing_parents: int
    confirmed: int
    rejected: int
    unanswered: int
    stickies: int
    quoted_tokens: int
    deleted: int
    removed: int
    surrogates: int
    invalid_utf8: int
    cut: int
    garbage: int
    not_object: int
    missing_field: int
    duplicates: int
    newer_versions: int
    lines: int
    bytes: int
    comment_bytes: int


def write_dump(folder: Path, shape: Shape) -> Planted:
    """Write both files under ``folder`` and return what was planted."""
    folder.mkdir(parents=True, exist_ok=True)
    threads = max(1, round(shape.comments / COMMENTS_PER_THREAD))
    seasons = math.ceil(threads / THREADS)
    words, planted = vocabulary(), Counter[str]()
    with closing(DumpFile(folder / SUBMISSIONS)) as posts, closing(DumpFile(folder / COMMENTS)) as replies:
        for index in range(seasons):
            rng = np.random.default_rng([shape.seed, index])
            drawn = season(rng, index, seasons, _share(threads, index, seasons))
            posts.write(_submission_lines(rng, drawn, words))
            replies.write(_comment_lines(rng, drawn, words, planted))
            planted.update(_counted(drawn))
            if _share(shape.frames, index, seasons) and index + 1 < seasons:
                posts.end_frame()
                replies.end_frame()
        planted["cut"] += 1
        replies.write([faults.LAST_LINE], end=b"")
    lines, size = posts.lines + replies.lines, posts.bytes + replies.bytes
    return Planted(lines=lines, bytes=size, comment_bytes=replies.bytes, **planted)


def _share(whole: int, index: int, parts: int) -> int:
    """The ``index``-th of ``parts`` parts of a whole number, as equal as can be."""
    return whole * (index + 1) // parts - whole * index // parts


def _submission_lines(rng: np.random.Generator, drawn: Season, words: Vocabulary) -> Iterator[bytes]:
    for thread, record in enumerate(speech.submissions(rng, drawn, words)):
        if record is not None:
            yield faults.encoded(record, int(record["created_utc"]), thread)


def _comment_lines(
    rng: np.random.Generator, drawn: Season, words: Vocabulary, planted: Counter[str]
) -> Iterator[bytes]:
    """A season's comments; only plain ones are damaged, so that every award stays what it is."""
    number = planted["comments"]
    for reply, record in speech.comments(rng, drawn, words):
        line = faults.encoded(record, reply.created, reply.thread)
        if reply.kind == Kind.SAID:
            yield from faults.faulty(line, number, planted)
            number += 1
        else:
            yield line


def _counted(drawn: Season) -> dict[str, int]:
    """What a season holds before its lines are damaged."""
    fetched, replies = drawn.posts["fetched"] == 1, drawn.replies
    kind, fate, here = replies["kind"], replies["fate"], fetched[replies["thread"]]
    flags = {
        "submissions": fetched,
        "missing_submissions": ~fetched,
        "comments": kind >= 0,
        "orphans": ~here,
        "missing_parents": replies["parent"] == TO_NOBODY,
        "confirmed": here & (fate == Fate.CONFIRMED),
        "rejected": here & (fate == Fate.REJECTED),
        "unanswered": here & (fate == Fate.IGNORED),
        "stickies": kind == Kind.STICKY,
        "quoted_tokens": replies["quote"] == QUOTED_TOKEN,
        "deleted": kind == Kind.DELETED,
        "removed": kind == Kind.REMOVED,
    }
    return dict.fromkeys(faults.NAMES, 0) | {name: int(found.sum()) for name, found in flags.items()}
