"""Stage `train`: align the base to the training pairs with LoRA and DPO.

Run it as ``python -m stages.train``.
"""

from pathlib import Path

from persuasion import training
from persuasion.adapters import save_adapter
from persuasion.config import load_params
from persuasion.device import prepare
from persuasion.files import digest, replaced_folder, write_json
from persuasion.journal import Journal
from persuasion.lora import require_targets
from persuasion.models import load_base
from persuasion.records import EpochReply, EpochVerdict, Pair
from persuasion.running import run
from persuasion.scoring import encode_pairs, encoded_ones, load_reference, reference_key
from persuasion.tables import require_rows, write_rows, write_tsv
from persuasion.verdicts import perplexities, rewards

PAIRS, REFERENCE, BASE = Path("data/pairs"), Path("data/reference"), Path("models/base")
ADAPTER, SAMPLES = Path("models/adapter"), Path("data/samples")
METRICS, CURVES = Path("metrics/train.json"), Path("metrics/train")


def main() -> None:
    """Train the adapter, and write it with its curves, per-epoch tables and figures."""
    params = load_params()
    pairs = {split: require_rows(PAIRS / f"{split}.parquet", Pair) for split in ("train", "validation")}
    require_targets(BASE, params.lora)
    lm, tokenizer = load_base(BASE, params.compute, prepare(params.compute, params.train.seed))
    encoded = {split: encode_pairs(tokenizer, rows, params.encoding) for split, rows in pairs.items()}
    pairs = {split: encoded_ones(rows, encoded[split]) for split, rows in pairs.items()}
    base_sha256 = digest(BASE)
    key = reference_key(base_sha256, params.compute.weights, encoded)
    reference = load_reference(REFERENCE, key, [pair for rows in encoded.values() for pair in rows])

    trainer = training.build(lm, tokenizer, encoded["train"], reference, params)
    journal = Journal(lm, tokenizer, pairs["validation"], encoded["validation"], reference, params)
    loss, steps, curve = training.train(trainer, journal)

    with replaced_folder(ADAPTER) as folder:
        facts = {"base_sha256": base_sha256, "pairs": len(pairs["train"]), "steps": steps}
        save_adapter(trainer.model, tokenizer, folder, params, facts)
    with replaced_folder(SAMPLES) as folder:
        write_rows(folder / "pairs.parquet", journal.verdicts, EpochVerdict, ("epoch", "pair_id"))
        write_rows(folder / "replies.parquet", journal.replies, EpochReply, ("epoch", "pair_id"))
    with replaced_folder(CURVES) as folder:
        write_tsv(folder / "training.tsv", curve)
        write_tsv(folder / "validation.tsv", journal.curve)
    last = {name: value for name, value in journal.curve[-1].items() if name != "epoch"}
    figures = {"rewards": rewards(journal.last), "perplexity": perplexities(journal.last)}
    write_json(METRICS, {"train": {"loss": loss, "steps": steps, "validation": last, **figures}})
    print(f"train: {steps} steps, loss {loss:.4f}, validation reward_accuracy {last['reward_accuracy']:.3f}")


if __name__ == "__main__":
    run(main)
