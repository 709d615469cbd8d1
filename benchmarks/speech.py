"""A season's columns to dump records, in words. Pure but for its generator; knows nothing of files and faults."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import bots
from benchmarks.fields import Said, base36, comment, submission
from benchmarks.season import (
    AUTOMODERATOR,
    DELTABOT,
    GONE,
    QUOTE,
    QUOTED_TOKEN,
    TO_NOBODY,
    Kind,
    Post,
    Reply,
    Season,
    rows,
)
from benchmarks.vocabulary import Vocabulary

DELETED, REMOVED = "[deleted]", "[removed]"
_BOTS = {GONE: DELETED, DELTABOT: bots.DELTABOT, AUTOMODERATOR: bots.AUTOMODERATOR}


def submissions(rng: np.random.Generator, season: Season, words: Vocabulary) -> Iterator[dict[str, Any] | None]:
    """A record per thread, None for a post that was never fetched."""
    posts = rows(season.posts, Post)
    titles = list(words.texts(rng, season.posts["title_words"], season.topics))
    for post, title, text in zip(posts, titles, words.texts(rng, season.posts["words"], season.topics), strict=True):
        plain = post.kind == Kind.SAID
        said = Said(
            id=base36(post.number),
            author=DELETED if post.kind == Kind.DELETED else words.names[post.author],
            body=_post_body(post, text),
            created=post.created,
            score=post.number % 977,
            edited=900 if plain and post.number % 7 == 0 else 0,
            distinguished=None,
            stickied=False,
        )
        flair = "Delta(s) from OP" if post.number % 3 == 0 else None
        yield submission(said, f"CMV: {' '.join(title.split())}", post.comments, flair) if post.fetched else None


def comments(rng: np.random.Generator, season: Season, words: Vocabulary) -> Iterator[tuple[Reply, dict[str, Any]]]:
    """Every reply and its record, in order of time."""
    replies = rows(season.replies, Reply)
    ids, posts = ([base36(number) for number in part["number"].tolist()] for part in (season.replies, season.posts))
    topics = season.topics[season.replies["thread"]]
    ops = season.posts["author"].tolist()
    for reply, id_, text in zip(replies, ids, words.texts(rng, season.replies["words"], topics), strict=True):
        said = Said(
            id=id_,
            author=_name(reply.author, words),
            body=_body(reply, text, words),
            created=reply.created,
            score=reply.score,
            edited=reply.edited,
            distinguished="moderator" if reply.author in (DELTABOT, AUTOMODERATOR) else None,
            stickied=reply.kind in (Kind.AUTOMODERATOR, Kind.STICKY),
        )
        post = posts[reply.thread]
        yield reply, comment(said, post, _parent(reply, ids, post), reply.author == ops[reply.thread])


def _name(author: int, words: Vocabulary) -> str:
    return _BOTS[author] if author < 0 else words.names[author]


def _parent(reply: Reply, ids: list[str], post: str) -> str:
    """The parent's full id; one that is not in the dump is an id that no comment has."""
    if reply.parent >= 0:
        return f"t1_{ids[reply.parent]}"
    return f"t1_{base36(reply.number // 4 * 4 + 3)}" if reply.parent == TO_NOBODY else f"t3_{post}"


def _post_body(post: Post, text: str) -> str:
    if post.kind != Kind.SAID:
        return DELETED if post.kind == Kind.DELETED else REMOVED
    return text + bots.FOOTNOTE if post.number % 5 else text


def _body(reply: Reply, text: str, words: Vocabulary) -> str:
    match reply.kind:
        case Kind.SAID:
            return _quote(reply, text) + text
        case Kind.AWARD:
            return _quote(reply, text) + bots.SIGNS[reply.number % len(bots.SIGNS)].format(text)
        case Kind.DELETED | Kind.REMOVED:
            return DELETED if reply.kind == Kind.DELETED else REMOVED
        case Kind.AUTOMODERATOR:
            return bots.NOTICE
        case Kind.CONFIRMED:
            return bots.confirmation(_name(reply.named, words), reply.created, reply.number)
        case Kind.REJECTED:
            return bots.rejection(_name(reply.named, words), reply.created)
    return bots.sticky(_name(reply.named, words), reply.awards)


def _quote(reply: Reply, text: str) -> str:
    if reply.quote == QUOTED_TOKEN:
        return "&gt; !delta you have changed my view\n\n"
    return f"&gt; {' '.join(text[: len(text) // 4].split())}\n\n" if reply.quote == QUOTE else ""
