"""Stage `generate`: answer held-out and challenge posts with the base and the tuned model, side by side.

Run it as ``python -m stages.generate``.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from persuasion.config import Params, load_params
from persuasion.decoding import TIES
from persuasion.device import prepare
from persuasion.duels import duel
from persuasion.files import digest, remove, write_json
from persuasion.hooks import classify, judgement
from persuasion.identity import surroundings
from persuasion.kept import Kept, remove_others
from persuasion.models import DTYPES, load_policy
from persuasion.records import Pair, Reply
from persuasion.replyfigures import figures, rates
from persuasion.replying import Post, challenges, held_out, replies, reply_row
from persuasion.running import run
from persuasion.safety import require_within
from persuasion.tables import require_rows, write_rows
from persuasion.touchstones import PREFIX

PAIRS, ADAPTER = Path("data/pairs"), Path("models/adapter")
REPLIES, METRICS = Path("data/replies.parquet"), Path("metrics/generate.json")


def main() -> None:
    """Write replies, measure them, and hold them to the gate before anything looks finished."""
    params = load_params()
    for path in (REPLIES, METRICS):  # of an earlier run
        remove(path)
    settings = params.generate
    training = require_rows(PAIRS / "train.parquet", Pair)
    posts = held_out(require_rows(PAIRS / f"{settings.split}.parquet", Pair), training, settings)
    posts += challenges() if settings.challenges else []
    device = prepare(params.compute, settings.seed)
    kept = _kept(params, device)
    rows, tokens = _written(posts, params, device, kept)
    known = [text for pair in training for text in (pair.chosen, pair.rejected)]
    if params.safety.gate:
        require_within(rates(rows), asdict(params.safety.limits))
    argued = [row for row in rows if not row.crisis and not row.thread_id.startswith(PREFIX)]
    found = figures(rows, tokens, known) | _proxies(argued, params, device)
    write_rows(REPLIES, rows, Reply, "thread_id")
    write_json(METRICS, {"generate": found})
    for one in kept.values():
        one.clear()
    print(f"generate: {len(rows)} posts answered, {sum(row.crisis for row in rows)} of them in crisis")


def _kept(params: Params, device: torch.device) -> dict[str, Kept]:
    """What an earlier run that was killed has finished, by model; under the key of all that a text depends on."""
    exact = DTYPES[params.compute.precision] in TIES  # then the others of a batch change no text
    key = {
        "encoding": asdict(params.encoding),
        "compute": asdict(params.compute),
        "generate": asdict(params.generate) | ({"batch_size": None} if exact else {}),
        "adapter": digest(ADAPTER),  # and so its base
        **surroundings(device),
    }
    kept = {role: Kept(key, role) for role in ("tuned", "base")}
    remove_others(kept["tuned"].path)
    return kept


def _written(
    posts: Sequence[Post], params: Params, device: torch.device, kept: dict[str, Kept]
) -> tuple[list[Reply], dict[str, tuple[int, int]]]:
    """The replies of both models, and by thread the tokens of each."""
    policy, tokenizer = load_policy(params.base.folder, ADAPTER, params.compute, device)
    tuned = replies(policy, tokenizer, posts, params.encoding, params.generate, kept["tuned"])
    with policy.disable_adapter():
        base = replies(policy, tokenizer, posts, params.encoding, params.generate, kept["base"])
    both = list(zip(posts, tuned, base, strict=True))
    return (
        [reply_row(post, one, other, params.generate.seed) for post, one, other in both],
        {post.thread_id: (one.tokens, other.tokens) for post, one, other in both},
    )


def _proxies(rows: Sequence[Reply], params: Params, device: torch.device) -> dict[str, object]:
    """What models of the user's own say of the replies; nothing where none is named."""
    found: dict[str, object] = {}
    if params.safety.classifier:
        found["classifier_proxy"] = classify(Path(params.safety.classifier), [row.text for row in rows], device)
    judge = judgement(params.judge, params.compute, device)
    if judge:
        found["judge_proxy"] = duel(rows, judge, params.judge.bootstrap, params.generate.seed)
    return found


if __name__ == "__main__":
    run(main)
