"""Stage `sft`: tune the base, or the model that `lm` made of it, on the chosen completions of the training pairs.

Run it as ``python -m stages.sft``; killed, the same command continues.
"""

from pathlib import Path

from persuasion.config import load_params
from persuasion.files import write_json
from persuasion.preparing import prepared, source
from persuasion.records import Pair
from persuasion.running import run
from persuasion.scoring import encode_pairs
from persuasion.tables import require_rows

PAIRS, MODEL, METRICS = Path("data/pairs"), Path("models/sft"), Path("metrics/sft.json")


def main() -> None:
    """Train, merge, and write the model with its perplexity before and after."""
    params = load_params()
    files = {split: PAIRS / f"{split}.parquet" for split in ("train", "validation")}
    pairs = {split: require_rows(file, Pair) for split, file in files.items()}
    figures = prepared(
        source("sft", params.base.prepare.sft),
        MODEL,
        lambda tokenizer, split: encode_pairs(tokenizer, pairs[split], params.encoding),
        params,
        list(files.values()),
    )
    write_json(METRICS, {"sft": figures})
    print(f"sft: {figures['completions']} completions, perplexity {figures['perplexity']}")


if __name__ == "__main__":
    run(main)
