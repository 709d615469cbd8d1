"""A season of a subreddit as columns: threads, who answers whom and when, and who earns a delta.

A dump is a row of seasons, each drawn from its own generator, so that memory does not grow with the
dump. Awards follow DeltaBot's rules: to the parent comment, never to OP, oneself or a bot. Knows
nothing of words and fields.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeVar

import numpy as np

from benchmarks.vocabulary import NAMES, TOPIC, WORDS, Whole

FIRST, LAST = 1_359_676_800, 1_704_067_200  # February 2013 to the end of 2023, Unix seconds
GROWTH = 0.6  # below 1: later years hold more threads
COMMENTS_PER_THREAD, MOST = 45, 1500
IDS_FROM, ROOM = 30_000_000_000, 4_000_000  # ids per season; posts and comments share them, as on Reddit
NEVER_FETCHED, FETCH_OFFSET = 211, 5  # one post in so many is not in the dump
GONE, DELTABOT, AUTOMODERATOR = -1, -2, -3  # authors who are no row of the vocabulary's names
TO_POST, TO_NOBODY = -1, -2  # parents that are no comment: the post, a comment that is not in the dump
QUOTE, QUOTED_TOKEN = 1, 2
Columns = dict[str, Whole]


class Kind(IntEnum):
    """What a post or comment is."""

    SAID, AWARD, DELETED, REMOVED, AUTOMODERATOR, CONFIRMED, REJECTED, STICKY = range(8)


class Fate(IntEnum):
    """What DeltaBot answers to an award."""

    NONE, CONFIRMED, REJECTED, IGNORED = range(4)


class Post(NamedTuple):
    """A thread; ``author`` is a row of the vocabulary's names, ``words`` and ``title_words`` are lengths."""

    number: int
    created: int
    author: int
    kind: int
    fetched: int
    comments: int
    words: int
    title_words: int


class Reply(NamedTuple):
    """A comment. ``parent`` is a row of its season's replies, TO_POST or TO_NOBODY; ``thread`` a row of its posts.

    ``fate`` is what became of an award, ``named`` the author of whom it or a bot speaks, ``awards`` how
    many deltas a sticky counts, ``quote`` 0, QUOTE or QUOTED_TOKEN.
    """

    number: int
    thread: int
    parent: int
    created: int
    author: int
    kind: int
    fate: int
    named: int
    awards: int
    words: int
    quote: int
    edited: int
    score: int


Row = TypeVar("Row", Post, Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Threads of one stretch of time, replies in order of time, and each thread's words (rows of words, x TOPIC)."""

    posts: Columns
    replies: Columns
    topics: Whole


def season(rng: np.random.Generator, index: int, seasons: int, threads: int) -> Season:
    """Draw the ``index``-th of ``seasons`` equal parts of all threads."""
    posts = _posts(rng, index, seasons, threads)
    talk = _talk(rng, posts)
    talk |= _awards(rng, posts, talk)
    answers = _answers(posts, talk)
    replies = {name: np.concatenate((column, answers[name])) for name, column in talk.items()}
    order = np.argsort(replies["created"], kind="stable")
    parent = replies["parent"]
    replies["parent"] = np.where(parent >= 0, np.argsort(order)[parent], parent)
    replies = {name: column[order] for name, column in replies.items()}
    replies["number"] = IDS_FROM + index * ROOM + 4 * np.arange(len(order)) + rng.integers(0, 3, len(order))
    return Season(
        posts=posts,
        replies=replies | _manner(rng, replies["kind"]),
        topics=rng.integers(0, WORDS, (threads, TOPIC)),
    )


def rows(columns: Columns, kind: type[Row]) -> list[Row]:
    """Columns as named tuples."""
    return list(map(kind._make, zip(*(columns[name].tolist() for name in kind._fields), strict=True)))


def _posts(rng: np.random.Generator, index: int, seasons: int, threads: int) -> Columns:
    share = (index + np.sort(rng.random(threads))) / seasons
    size = rng.negative_binomial(0.9, 0.9 / (0.9 + COMMENTS_PER_THREAD), threads)
    place = np.arange(threads)
    kinds = [Kind.DELETED, Kind.REMOVED, Kind.SAID]
    return {
        "number": IDS_FROM + index * ROOM + 7 * place + rng.integers(0, 7, threads),
        "created": (FIRST + (LAST - FIRST) * share**GROWTH).astype(np.int64),
        "author": _people(rng, threads),
        "kind": rng.choice(kinds, threads, p=[0.04, 0.08, 0.88]),
        "fetched": (place % NEVER_FETCHED != FETCH_OFFSET).astype(np.int64),
        "comments": np.clip(size, 0, MOST),
        "words": _lengths(rng, threads, 200, 0.75, 4000),
        "title_words": rng.integers(5, 22, threads),
    }


def _people(rng: np.random.Generator, count: int) -> Whole:
    """Rows of names: some write much, most write little."""
    return (NAMES * rng.random(count) ** 2.5).astype(np.int64)


def _lengths(rng: np.random.Generator, count: int, median: int, spread: float, most: int) -> Whole:
    return np.clip(rng.lognormal(np.log(median), spread, count), 1, most).astype(np.int64)


def _talk(rng: np.random.Generator, posts: Columns) -> Columns:
    """What people write, thread by thread and in order of time, before DeltaBot answers."""
    size = posts["comments"]
    thread = np.repeat(np.arange(len(size)), size)
    first = (np.cumsum(size) - size)[thread]
    rank = np.arange(len(thread)) - first
    luck = rng.random((5, len(thread)))
    top = (rank == 0) | (luck[0] < 0.35)
    choices = [(rank == 0) & (luck[1] < 0.6), luck[1] > 0.975, luck[1] > 0.965]
    kind = np.select(choices, [Kind.AUTOMODERATOR, Kind.DELETED, Kind.REMOVED], Kind.SAID).astype(np.int64)
    parent = np.where(top, TO_POST, first + (luck[2] * rank).astype(np.int64))
    lost = (kind == Kind.SAID) & (luck[3] < 0.008)
    author = np.where(~top & (luck[4] < 0.2), posts["author"][thread], _crowd(rng, thread, size))
    return {
        "thread": thread,
        "parent": np.where(lost, TO_NOBODY, parent),
        "created": _moments(rng, posts["created"], thread),
        "author": np.select([kind == Kind.AUTOMODERATOR, kind == Kind.DELETED], [AUTOMODERATOR, GONE], author),
        "kind": kind,
        "awards": np.zeros_like(thread),
    }


def _crowd(rng: np.random.Generator, thread: Whole, size: Whole) -> Whole:
    """An author per comment, out of a few people per thread."""
    crowd = np.maximum(3, size // 2)
    people = _people(rng, int(crowd.sum()))
    return people[(np.cumsum(crowd) - crowd)[thread] + (rng.random(len(thread)) * crowd[thread]).astype(np.int64)]


def _moments(rng: np.random.Generator, start: Whole, thread: Whole) -> Whole:
    """Times after the thread's ``start``, increasing in every thread: hours mostly, 30 days at most."""
    delay = np.minimum(rng.lognormal(9.5, 1.6, len(thread)), 30 * 86_400).astype(np.int64) + 1
    created = start[thread] + delay
    return created[np.lexsort((created, thread))]


def _awards(rng: np.random.Generator, posts: Columns, talk: Columns) -> Columns:
    """Which comments are awards, to whom, and their fate."""
    parent, author, kind, op = talk["parent"], talk["author"], talk["kind"], posts["author"][talk["thread"]]
    receiver = author[parent]
    allowed = (kind == Kind.SAID) & (parent >= 0) & (kind[parent] == Kind.SAID)
    allowed &= (receiver != author) & (receiver != op)
    given = allowed & (rng.random(len(kind)) < np.where(author == op, 0.12, 0.012))
    fate = rng.choice([Fate.CONFIRMED, Fate.REJECTED, Fate.IGNORED], len(kind), p=[0.8, 0.12, 0.08])
    return {
        "kind": np.where(given, Kind.AWARD, kind),
        "fate": np.where(given, fate, Fate.NONE),
        "named": np.where(given, receiver, GONE),
    }


def _answers(posts: Columns, talk: Columns) -> Columns:
    """DeltaBot's replies to awards, and its sticky in every thread that has a confirmed one."""
    fates = talk["fate"]
    replied = np.flatnonzero((fates == Fate.CONFIRMED) | (fates == Fate.REJECTED))
    confirmed = np.flatnonzero(fates == Fate.CONFIRMED)
    threads, first, count = np.unique(talk["thread"][confirmed], return_index=True, return_counts=True)
    kinds = np.where(fates[replied] == Fate.CONFIRMED, Kind.CONFIRMED, Kind.REJECTED)
    told, pinned = np.zeros_like(replied), np.zeros_like(threads)
    return {
        "thread": np.concatenate((talk["thread"][replied], threads)),
        "parent": np.concatenate((replied, pinned + TO_POST)),
        "created": np.concatenate((talk["created"][replied] + 60, talk["created"][confirmed[first]] + 90)),
        "author": np.concatenate((told, pinned)) + DELTABOT,
        "kind": np.concatenate((kinds, pinned + Kind.STICKY)),
        "fate": np.concatenate((told, pinned)),
        "named": np.concatenate((talk["named"][replied], posts["author"][threads])),
        "awards": np.concatenate((told, count)),
    }


def _manner(rng: np.random.Generator, kind: Whole) -> Columns:
    """How long, how quoted, how edited and how liked; bots and what was removed have no words of their own."""
    count = len(kind)
    worded = (kind == Kind.SAID) | (kind == Kind.AWARD)
    quotes = rng.choice([QUOTED_TOKEN, QUOTE, 0], count, p=[0.004, 0.246, 0.75])
    return {
        "words": np.where(worded, _lengths(rng, count, 68, 1.0, 2600), 0),
        "quote": np.where(worded, quotes, 0),
        "edited": np.where(worded & (rng.random(count) < 0.07), 500, 0),
        "score": np.clip(rng.standard_t(2, count) * 5 + 4, -99, 9999).astype(np.int64),
    }
