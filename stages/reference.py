"""Stage `reference`: score every pair once under the base model, for all trainings to come.

Run it as ``python -m stages.reference``.
"""

from pathlib import Path

from persuasion.budgets import figures, histogram
from persuasion.config import load_params
from persuasion.device import prepare
from persuasion.files import digest, replaced_folder, write_json
from persuasion.measures import accuracy
from persuasion.models import load_base, require_positions
from persuasion.preview import previews, write_previews
from persuasion.records import SPLITS, Pair, Reference
from persuasion.running import run
from persuasion.scoring import encode_pairs, reference_key, reference_rows
from persuasion.tables import read_rows, write_rows, write_tsv

PAIRS, REFERENCE = Path("data/pairs"), Path("data/reference")
METRICS, PLOTS = Path("metrics/reference.json"), Path("metrics/reference")
SHOWN = 3  # validation pairs, the first by id, laid out for the report


def main() -> None:
    """Encode and score all splits; write the rows, their key, the token counts, and a few pairs to look at."""
    params = load_params()
    pairs = {split: read_rows(PAIRS / f"{split}.parquet", Pair) for split in SPLITS}
    lm, tokenizer = load_base(params.base.folder, params.compute, prepare(params.compute, 0))
    require_positions(lm, params.encoding.total_tokens)
    by_split = {split: encode_pairs(tokenizer, rows, params.encoding) for split, rows in pairs.items()}
    encoded = [pair for rows in by_split.values() for pair in rows]
    rows = reference_rows(lm, encoded, params.compute.batch_tokens)
    first = sorted(pairs["validation"], key=lambda pair: pair.pair_id)[:SHOWN]
    with replaced_folder(REFERENCE) as folder:
        write_rows(folder / "logps.parquet", rows, Reference, "pair_id")
        write_json(folder / "key.json", reference_key(digest(params.base.folder), params.compute.weights, by_split))
        write_previews(folder / "preview.jsonl", previews(tokenizer, first, params.encoding))
    with replaced_folder(PLOTS) as folder:
        write_tsv(folder / "tokens.tsv", histogram(encoded))
    metrics = {
        **figures(encoded),
        "dropped": sum(map(len, pairs.values())) - len(rows),
        "reference_accuracy": accuracy([row.reference_chosen_logp - row.reference_rejected_logp for row in rows]),
    }
    write_json(METRICS, {"reference": metrics})
    print(f"reference: {len(rows)} pairs scored, reference accuracy {metrics['reference_accuracy']:.3f}")


if __name__ == "__main__":
    run(main)
