"""Stage `evaluate`: judge every pair of the chosen split under the policy, beside reference and baselines.

Run it as ``python -m stages.evaluate``.
"""

from pathlib import Path

from persuasion.config import load_params
from persuasion.device import prepare
from persuasion.files import digest, replaced_folder, write_json
from persuasion.judging import judge, margin_histogram, reliability
from persuasion.models import load_policy
from persuasion.records import Pair, Truth, Verdict
from persuasion.running import run
from persuasion.scoring import encode_pairs, encoded_ones, judge_pairs, load_reference, reference_key
from persuasion.tables import read_rows, require_rows, write_rows, write_tsv

PAIRS, REFERENCE, ADAPTER = Path("data/pairs"), Path("data/reference"), Path("models/adapter")
TRUTH = Path("data/raw/sample/truth/truth.parquet")
VERDICTS, METRICS, PLOTS = Path("data/verdicts.parquet"), Path("metrics/evaluate.json"), Path("metrics/evaluate")


def main() -> None:
    """Score the split, and write verdicts, figures and plot data."""
    params = load_params()
    split = params.evaluate.split
    pairs = {name: require_rows(PAIRS / f"{name}.parquet", Pair) for name in ("train", split)}
    base, device = params.base.folder, prepare(params.compute, params.evaluate.seed)
    policy, tokenizer = load_policy(base, ADAPTER, params.compute, device)
    encoded = encode_pairs(tokenizer, pairs[split], params.encoding)
    pairs[split] = encoded_ones(pairs[split], encoded)
    key = reference_key(digest(base), params.compute.weights, {split: encoded})
    reference = load_reference(REFERENCE, key, encoded)
    lm = policy.get_base_model()
    verdicts = judge_pairs(lm, encoded, reference, params.dpo.beta, params.compute.batch_tokens)
    kinds = {row.comment_id: row.kind for row in read_rows(TRUTH, Truth)}
    figures = judge(verdicts, pairs[split], pairs["train"], kinds, params.evaluate)

    write_rows(VERDICTS, verdicts, Verdict, "pair_id")
    with replaced_folder(PLOTS) as folder:
        write_tsv(folder / "reliability.tsv", reliability(verdicts))
        write_tsv(folder / "margins.tsv", margin_histogram(verdicts))
    write_json(METRICS, {"evaluate": figures})
    print(f"evaluate: {len(pairs[split])} {split} pairs, reward_accuracy {figures['reward_accuracy']:.3f}")


if __name__ == "__main__":
    run(main)
