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
from persuasion.files import digest, remove, replaced_folder, write_json
from persuasion.hooks import proxies
from persuasion.identity import surroundings
from persuasion.kept import Kept, remove_others
from persuasion.models import DTYPES, load_policy
from persuasion.records import Pair, Reply
from persuasion.replyfigures import Told, figures, rates
from persuasion.replying import Post, asked, challenges, held_out, replies, reply_row
from persuasion.running import run
from persuasion.safety import require_within
from persuasion.tables import require_rows, write_rows
from persuasion.touchstones import PREFIX
from persuasion.undefined import settled

PAIRS, ADAPTER = Path("data/pairs"), Path("models/adapter")
REPLIES, METRICS, REASONS = Path("data/replies.parquet"), Path("metrics/generate.json"), Path("metrics/generate")


def main() -> None:
    """Write replies, measure them, and hold them to the gate before anything looks finished."""
    params = load_params()
    for path in (REPLIES, METRICS, REASONS):  # of an earlier run
        remove(path)
    settings = params.generate
    training = require_rows(PAIRS / "train.parquet", Pair)
    posts = held_out(require_rows(PAIRS / f"{settings.split}.parquet", Pair), training, settings)
    posts += challenges() if settings.challenges else []
    device = prepare(params.compute, settings.seed)
    kept = _kept(params, device)
    rows, told = _written(posts, params, device, kept)
    known = [text for pair in training for text in (pair.chosen, pair.rejected)]
    if params.safety.gate:
        require_within(rates(rows), asdict(params.safety.limits))
    argued = [row for row in rows if not row.crisis and not row.thread_id.startswith(PREFIX)]
    found, undefined = settled(figures(rows, told, known) | proxies(argued, params, device))
    write_rows(REPLIES, rows, Reply, "thread_id")
    with replaced_folder(REASONS) as folder:
        write_json(folder / "undefined.json", undefined)
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
) -> tuple[list[Reply], dict[str, Told]]:
    """The replies of both models, and by thread what a row does not hold."""
    policy, tokenizer = load_policy(params.base.folder, ADAPTER, params.compute, device)
    prompts = asked(tokenizer, posts, params.encoding)
    tuned = replies(policy, tokenizer, prompts, params.generate, kept["tuned"])
    with policy.disable_adapter():
        base = replies(policy, tokenizer, prompts, params.generate, kept["base"])
    both = list(zip(prompts, tuned, base, strict=True))
    return (
        [reply_row(prompt.post, one, other, params.generate.seed) for prompt, one, other in both],
        {prompt.post.thread_id: Told((one.tokens, other.tokens), prompt.cut) for prompt, one, other in both},
    )


if __name__ == "__main__":
    run(main)
