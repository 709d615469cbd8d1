"""Stage `train`: align the base to the training pairs with LoRA, by DPO, KTO or SFT.

Run it as ``python -m stages.train``; killed, the same command continues from its last checkpoint.
"""

from contextlib import nullcontext
from pathlib import Path

from persuasion import training
from persuasion.adapters import save_adapter
from persuasion.checkpoints import alone
from persuasion.config import Params, load_params
from persuasion.curves import Curve
from persuasion.device import prepare
from persuasion.files import digest, remove, replaced_folder, write_json
from persuasion.guards import DIVERGED, check_effect
from persuasion.identity import run_key
from persuasion.journal import Journal
from persuasion.lora import require_targets
from persuasion.modelcard import held_out
from persuasion.models import load_base
from persuasion.processes import launched, parted, rank
from persuasion.records import Pair
from persuasion.running import run
from persuasion.samplesheet import run_name, samples, write_tables
from persuasion.scoring import encode_pairs, encoded_ones, load_reference, reference_key
from persuasion.selection import Selection
from persuasion.showing import followed
from persuasion.snapshots import keeping, put, trainable
from persuasion.tables import require_rows
from persuasion.verdicts import perplexities, rewards

PAIRS, REFERENCE, ADAPTER = Path("data/pairs"), Path("data/reference"), Path("models/adapter")
SAMPLES, METRICS, CURVES = Path("data/samples"), Path("metrics/train.json"), Path("metrics/train")


def main() -> None:
    """Train the adapter, here or in several processes, and write it with its curves, per-epoch tables and figures."""
    params = load_params()
    if not launched(params.train.processes, "stages.train"):
        with alone() if rank() == 0 else nullcontext():
            _train(params)


def _train(params: Params) -> None:
    pairs = {split: require_rows(PAIRS / f"{split}.parquet", Pair) for split in ("train", "validation")}
    require_targets(params.base.folder, params.lora)
    lm, tokenizer = load_base(params.base.folder, params.compute, prepare(params.compute, params.train.seed))
    encoded = {split: encode_pairs(tokenizer, rows, params.encoding) for split, rows in pairs.items()}
    pairs = {split: encoded_ones(rows, encoded[split]) for split, rows in pairs.items()}
    base_sha256 = digest(params.base.folder)
    key = reference_key(base_sha256, params.compute.weights, encoded)
    reference = load_reference(REFERENCE, key, [pair for rows in encoded.values() for pair in rows])
    trainer = training.build(lm, tokenizer, encoded["train"], reference, params)
    shown = CURVES if rank() == 0 else None
    curve, selection = Curve("training", shown), Selection(params.train)
    journal = Journal(lm, tokenizer, pairs["validation"], encoded["validation"], reference, params)
    journal.shown, journal.training = Curve("validation", shown), encoded["train"][: params.train.sample_training]

    def after_epoch(epoch: int) -> bool:
        journal(epoch)
        return selection.judge(epoch, journal.curve[-1], trainable(trainer.model))

    identity = run_key(params, key, [REFERENCE, *(PAIRS / f"{split}.parquet" for split in pairs)], lm.device)
    journal.run = run_name(identity)
    with keeping(identity, params.train.save_every, (journal, selection, curve), lm.device) as keeper:
        for path in (CURVES, DIVERGED) if rank() == 0 else ():
            remove(path)
        with followed() if rank() == 0 else nullcontext():
            loss, steps = training.train(trainer, after_epoch, curve, keeper)[:2]
        parted()
        if rank() > 0:
            return
        if selection.weights:
            put(trainer.model, selection.weights, ADAPTER)
        check_effect(trainable(trainer.model))
        with replaced_folder(ADAPTER) as folder:
            data = {f"{split}.parquet": digest(PAIRS / f"{split}.parquet") for split in pairs}
            facts = {"base_sha256": base_sha256, "pairs": len(pairs["train"]), "steps": steps, "data": data}
            told = held_out(journal.of(selection.chosen)[0], pairs["validation"], params.train.seed)
            save_adapter(trainer.model, tokenizer, folder, params, facts, told)
        curve.finish()
        _write_tables(journal, selection, {"loss": loss, "steps": steps}, [*pairs["train"], *pairs["validation"]])
        if keeper:
            keeper.done()


def _write_tables(journal: Journal, selection: Selection, figures: dict[str, float], pairs: list[Pair]) -> None:
    rows = samples(journal.verdicts, pairs, journal.run, round(figures["steps"] / selection.epoch))
    with replaced_folder(SAMPLES) as folder:
        write_tables(folder, rows, journal.verdicts, journal.replies)
    verdicts, validation = journal.of(selection.chosen)
    judged = {"validation": validation, "rewards": rewards(verdicts), "perplexity": perplexities(verdicts)}
    write_json(METRICS, {"train": figures | {"epoch": selection.chosen, "epochs": selection.epoch} | judged})
    said = f"loss {figures['loss']:.4f}, validation reward_accuracy {validation['reward_accuracy']:.3f}"
    print(f"train: {figures['steps']} steps, {said} (epoch {selection.chosen} of {selection.epoch})")


if __name__ == "__main__":
    run(main)
