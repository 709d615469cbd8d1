"""Reply to posts with a model: a post in crisis gets the resource message, every other one a reply of the model's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from persuasion import crisis, touchstones
from persuasion.config import Encoding, Generate
from persuasion.encoding import encode_prompt, frame
from persuasion.errors import IntegrityFailure
from persuasion.kept import Kept
from persuasion.records import Pair, Reply
from persuasion.sampling import Sampled, sample

RESOURCES = Sampled(crisis.RESOURCE_MESSAGE, 0, True)


@dataclass(frozen=True, slots=True)
class Post:
    """A post to answer, and the comment that earned its delta ("" for a challenge)."""

    thread_id: str
    prompt: str
    chosen: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A post, the token ids that a model reads of it (None: it is in crisis), and whether the budget cut it short."""

    post: Post
    prompt: tuple[int, ...] | None
    cut: bool


def held_out(pairs: Sequence[Pair], training: Sequence[Pair], settings: Generate) -> list[Post]:
    """The posts of the first threads by id; of a thread's pairs, the first in the file.

    Raises IntegrityFailure when one of them was trained on and ``generate.allow_train`` is off.
    """
    by_thread = {pair.thread_id: pair for pair in reversed(pairs)}
    first = [by_thread[thread] for thread in sorted(by_thread)[: settings.prompts]]
    seen = {name for pair in training for name in (pair.thread_id, pair.prompt)}
    known = [pair.thread_id for pair in first if {pair.thread_id, pair.prompt} & seen]
    if known and not settings.allow_train:
        raise IntegrityFailure(
            f"{len(known)} of the posts to answer were trained on, first {known[0]}",
            where=f"generate.split {settings.split}",
            why="replies to them would say nothing of new posts",
            fix="run `dvc repro pair`, or set generate.allow_train: true if you mean it",
        )
    return [Post(pair.thread_id, pair.prompt, pair.chosen) for pair in first]


def challenges() -> list[Post]:
    """The bundled challenge posts."""
    return [Post(touchstones.PREFIX + name, text, "") for name, text in touchstones.POSTS.items()]


def asked(tokenizer: Any, posts: Sequence[Post], encoding: Encoding) -> list[Asked]:
    """Every post as tokens; one in crisis has none, for no model reads it."""
    around = frame(tokenizer, encoding)

    def one(post: Post) -> Asked:
        if crisis.is_crisis(post.prompt):
            return Asked(post, None, False)
        ids, lost = encode_prompt(tokenizer, around, post.prompt, encoding.prompt_tokens)
        return Asked(post, ids, bool(lost))

    return list(map(one, posts))


def replies(
    lm: Any, tokenizer: Any, posts: Sequence[Asked], settings: Generate, kept: Kept | None = None
) -> list[Sampled]:
    """One reply a post, in the order of the posts."""
    sampled = iter(sample(lm, tokenizer, [one.prompt for one in posts if one.prompt is not None], settings, kept))
    return [RESOURCES if one.prompt is None else next(sampled) for one in posts]


def reply_row(post: Post, tuned: Sampled, base: Sampled, seed: int) -> Reply:
    """The row of a post's two replies."""
    return Reply(
        thread_id=post.thread_id,
        prompt=post.prompt,
        text=tuned.text,
        base_text=base.text,
        chosen=post.chosen,
        seed=seed,
        stopped=tuned.stopped,
        base_stopped=base.stopped,
        crisis=tuned is RESOURCES,
    )
