"""Stage `generate`: answer held-out posts with the base and the tuned model, side by side.

Run it as ``python -m stages.generate``.
"""

from pathlib import Path
from typing import Any

from persuasion import safety
from persuasion.config import Params, load_params
from persuasion.device import prepare
from persuasion.encoding import encode_prompt, frame
from persuasion.files import write_json
from persuasion.measures import copy_rate, distinct_n, mean
from persuasion.models import load_policy
from persuasion.records import Pair, Reply
from persuasion.running import run
from persuasion.sampling import Sampled, sample
from persuasion.tables import require_rows, write_rows

PAIRS, ADAPTER = Path("data/pairs"), Path("models/adapter")
REPLIES, METRICS = Path("data/replies.parquet"), Path("metrics/generate.json")
RESOURCES = Sampled(safety.RESOURCE_MESSAGE, 0, True)


def main() -> None:
    """Sample replies, and measure the tuned model's."""
    params = load_params()
    settings = params.generate
    posts = _first_pairs(PAIRS / f"{settings.split}.parquet", settings.prompts)
    training = require_rows(PAIRS / "train.parquet", Pair)
    device = prepare(params.compute, settings.seed)
    policy, tokenizer = load_policy(params.base.folder, ADAPTER, params.compute, device)
    tuned = _answer(policy, tokenizer, posts, params)
    with policy.disable_adapter():
        base = _answer(policy, tokenizer, posts, params)
    rows = [
        Reply(
            thread_id=post.thread_id,
            prompt=post.prompt,
            text=after.text,
            base_text=before.text,
            chosen=post.chosen,
            seed=settings.seed,
            stopped=after.stopped,
            base_stopped=before.stopped,
        )
        for post, after, before in zip(posts, tuned, base, strict=True)
    ]
    write_rows(REPLIES, rows, Reply, "thread_id")
    known = [text for pair in training for text in (pair.chosen, pair.rejected)]
    write_json(METRICS, {"generate": _figures([reply for reply in tuned if reply is not RESOURCES], known, posts)})
    print(f"generate: {len(rows)} {settings.split} posts answered")


def _first_pairs(path: Path, count: int) -> list[Pair]:
    """One pair of each of the first ``count`` threads, by thread id."""
    by_thread = {pair.thread_id: pair for pair in reversed(require_rows(path, Pair))}
    return [by_thread[thread] for thread in sorted(by_thread)[:count]]


def _answer(lm: Any, tokenizer: Any, posts: list[Pair], params: Params) -> list[Sampled]:
    """One reply a post; a post in crisis is not argued with but pointed to people who can help."""
    around = frame(tokenizer, params.encoding)
    argued = [post for post in posts if not safety.is_crisis(post.prompt)]
    prompts = [encode_prompt(tokenizer, around, post.prompt, params.encoding.prompt_tokens)[0] for post in argued]
    replies = dict(zip((p.pair_id for p in argued), sample(lm, tokenizer, prompts, params.generate), strict=True))
    return [replies.get(post.pair_id, RESOURCES) for post in posts]


def _figures(replies: list[Sampled], known: list[str], posts: list[Pair]) -> dict[str, object]:
    """What the tuned replies are like; posts in crisis are counted apart."""
    texts = [reply.text for reply in replies]
    return {
        "replies": len(replies),
        "crisis_posts": len(posts) - len(replies),
        "tokens_mean": mean([reply.tokens for reply in replies]),
        "eos_rate": mean([reply.stopped for reply in replies]),
        "distinct_2": distinct_n(texts, 2),
        "copy_rate": copy_rate(texts, known),
        "safety": safety.rates(texts),
    }


if __name__ == "__main__":
    run(main)
