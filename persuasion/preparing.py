"""Train on top of the base before `train`: LoRA by the SFT method, merged into a model of its own.

Nothing of params.yaml's `train`, `lora` and `dpo` reaches these models, so a search over them never
makes one again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from persuasion import training  # before all that imports transformers: it keeps the hub away
from persuasion.batching import Group
from persuasion.checkpoints import alone
from persuasion.config import Encoding, Lora, Params, Train, load_params
from persuasion.curves import Curve
from persuasion.device import prepare
from persuasion.encoding import EncodedPair, encode_completion, encode_prompt, frame
from persuasion.errors import UsageFailure
from persuasion.files import digest, replaced_folder, write_json
from persuasion.guards import check_effect
from persuasion.identity import run_key
from persuasion.logps import score
from persuasion.measures import perplexity
from persuasion.methodparams import Dpo, Kto, Sft
from persuasion.methods import once
from persuasion.models import load_base, require_positions, save_base
from persuasion.records import CorpusThread
from persuasion.snapshots import keeping, trainable
from persuasion.tables import require_rows

Encode = Callable[[Any, Sequence[Any], Encoding], list[EncodedPair]]  # tokenizer, rows

STEP_SPLITS = ("train", "validation")


def step(name: str, folder: Path, kind: type[Any], encode: Encode) -> None:
    """The stage ``name``: train on the rows in ``folder``, write the model, and its perplexity before and after.

    Raises UsageFailure where params.yaml asks for no such step, or for a base in 4 bits.
    """
    params = load_params()
    if params.compute.quantize != "none":
        raise UsageFailure(
            f"compute.quantize is {params.compute.quantize} where base.prepare trains a model",
            why="a base in 4 bits cannot take up what is trained on it",
            fix="set compute.quantize: none",
        )
    files = {split: folder / f"{split}.parquet" for split in STEP_SPLITS}
    rows = {split: require_rows(file, kind) for split, file in files.items()}
    start = source(name, getattr(params.base.prepare, name))

    def encoded(tokenizer: Any, split: str) -> list[EncodedPair]:
        return once(encode(tokenizer, rows[split], params.encoding))

    figures = prepared(name, start, encoded, params, list(files.values()))
    print(f"{name}: {figures['completions']} completions, perplexity {figures['perplexity']}")


def prepared(
    name: str, start: Path, encode: Callable[[Any, str], list[EncodedPair]], params: Params, data: Sequence[Path]
) -> dict[str, Any]:
    """Train the model in ``start`` on what ``encode`` makes of a split, write it and its figures; return these.

    Killed, it continues from its last checkpoint, as `train` does; ``data``: the files behind ``encode``.
    """
    params = _settings(params)
    lm, tokenizer = load_base(start, params.compute, prepare(params.compute, params.train.seed))
    require_positions(lm, params.encoding.total_tokens)
    pairs, held_out = (encode(tokenizer, split) for split in ("train", "validation"))
    before = _perplexity(lm, held_out, params.compute.batch_tokens)
    trainer = training.build(lm, tokenizer, pairs, None, params)
    trainer.advice = "lower base.prepare.learning_rate"
    key, curve = run_key(params, {"base_sha256": digest(start)}, data, lm.device), Curve("training")
    with alone(), keeping(key, params.train.save_every, [curve], lm.device) as keeper:
        loss, steps, _ = training.train(trainer, lambda epoch: None, curve, keeper)
        check_effect(trainable(trainer.model), "raise base.prepare.epochs, or lower base.prepare.batch_size")
        merged: Any = trainer.model
        with replaced_folder(Path("models") / name) as folder:
            save_base(merged.merge_and_unload(), tokenizer, folder)
        figures = {
            "completions": len(pairs),
            "truncated": truncated(pairs),
            "loss": loss,
            "steps": steps,
            "perplexity": {"before": before, "after": _perplexity(lm, held_out, params.compute.batch_tokens)},
        }
        write_json(Path("metrics") / f"{name}.json", {name: figures})
        if keeper:  # not earlier: killed between two outputs, it would begin anew
            keeper.done()
    return figures


def source(step: str, on: tuple[str, ...]) -> Path:
    """Where the model lies that ``step`` starts from. Raises UsageFailure where base.prepare has no such step."""
    if not on:
        raise UsageFailure(
            f"base.prepare.{step} is empty", why="there is nothing to start from", fix="name what it starts from"
        )
    return Path("models") / on[0]


def comments(tokenizer: Any, threads: Sequence[CorpusThread], settings: Encoding) -> list[EncodedPair]:
    """Every comment behind its post, and every post once: what stands without a prompt is learnt whole."""
    around, found = frame(tokenizer, settings), []
    for thread in threads:
        prompt, lost = encode_prompt(tokenizer, around, thread.prompt, settings.prompt_tokens)
        for number, text in enumerate(thread.completions):
            ids, cut = encode_completion(tokenizer, around, text, settings.total_tokens - len(prompt))
            before, learnt = (prompt, ids) if number else ((), prompt + ids)
            found.append(EncodedPair(f"{thread.thread_id}/{number}", before, learnt, (), lost, cut, ()))
    return found


def truncated(pairs: Sequence[EncodedPair]) -> dict[str, int]:
    """Completions whose prompt, and completions that themselves, lost tokens to the budgets."""
    return {
        "prompt": sum(bool(pair.prompt_lost) for pair in pairs),
        "completion": sum(bool(pair.chosen_lost) for pair in pairs),
    }


def _perplexity(lm: Any, pairs: Sequence[EncodedPair], batch_tokens: int) -> float | None:
    """exp of the mean NLL of the tokens that are learnt."""
    groups = [Group(pair.prompt, (pair.chosen,)) for pair in pairs]
    logps = [logp for (logp,) in score(lm, groups, batch_tokens)]
    return perplexity(logps, [len(pair.chosen) - (not pair.prompt) for pair in pairs])


def _settings(params: Params) -> Params:
    """``params`` with `base.prepare` in place of what `train` is told, and the rest of that at usual values."""
    given = params.base.prepare
    train = Train(
        method="sft",
        learning_rate=given.learning_rate,
        schedule="cosine",
        warmup_ratio=0.03,
        weight_decay=0.0,
        epochs=given.epochs,
        batch_size=given.batch_size,
        accumulation=1,
        max_grad_norm=1.0,
        optimizer="adamw_torch",
        gradient_checkpointing=False,
        early_stopping=None,
        select="last",
        processes=1,
        log_every=10,
        save_every=params.train.save_every,  # changes no byte
        sample_pairs=0,
        sample_tokens=1,
        sample_training=0,
        seed=given.seed,
    )
    lora = Lora(r=given.r, alpha=2 * given.r, dropout=0.0, targets="all-linear", layers=None, rslora=False, dora=False)
    dpo = Dpo(beta=1.0, loss="sigmoid", weights=None, label_smoothing=0.0, ld_alpha=None)
    kto = Kto(desirable_weight=1.0, undesirable_weight=1.0)
    return replace(params, train=train, lora=lora, dpo=dpo, kto=kto, sft=Sft(completion_only=True, packed=True))
