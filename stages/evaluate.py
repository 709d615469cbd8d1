"""Stage `evaluate`: judge every pair of the chosen split under the policy, beside reference and baselines.

Run it as ``python -m stages.evaluate``.
"""

from collections.abc import Sequence
from pathlib import Path

from persuasion.config import load_params
from persuasion.device import prepare
from persuasion.files import digest, replaced_folder, write_json
from persuasion.judging import Judged, histograms, judge, reliability
from persuasion.lengthcontrol import scatter
from persuasion.looks import ledgers, looks, note
from persuasion.models import load_policy
from persuasion.records import Pair, Truth, Verdict
from persuasion.running import run
from persuasion.scoring import encode_pairs, encoded_ones, judge_pairs, load_reference, reference_key
from persuasion.tables import read_rows, require_rows, write_rows, write_tsv

PAIRS, REFERENCE, ADAPTER = Path("data/pairs"), Path("data/reference"), Path("models/adapter")
TRUTH = Path("data/raw/sample/truth/truth.parquet")
VERDICTS, METRICS, PLOTS = Path("data/verdicts.parquet"), Path("metrics/evaluate.json"), Path("metrics/evaluate")


def main() -> None:
    """Score the split, and write verdicts, figures and plot data.

    Whoever is judged on the test pairs is noted before anything is known; the temperature comes from validation.
    """
    params = load_params()
    split = params.evaluate.split
    training = require_rows(PAIRS / "train.parquet", Pair)
    test = digest(PAIRS / "test.parquet")
    judged_splits: list[str] = sorted({"validation", split})
    pairs = {name: require_rows(PAIRS / f"{name}.parquet", Pair) for name in judged_splits}
    base, device = params.base.folder, prepare(params.compute, params.evaluate.seed)
    policy, tokenizer = load_policy(base, ADAPTER, params.compute, device)
    encoded = {name: encode_pairs(tokenizer, rows, params.encoding) for name, rows in pairs.items()}
    key = reference_key(digest(base), params.compute.weights, encoded)
    reference = load_reference(REFERENCE, key, [pair for rows in encoded.values() for pair in rows])
    if split == "test":
        note(ledgers(), test, digest(ADAPTER))
    lm, beta = policy.get_base_model(), params.dpo.beta
    verdicts = {
        name: judge_pairs(lm, rows, reference, beta, params.compute.batch_tokens) for name, rows in encoded.items()
    }
    kinds = {row.comment_id: row.kind for row in read_rows(TRUTH, Truth)}
    judged_pairs = encoded_ones(pairs[split], encoded[split])
    tuning = [verdict.margin for verdict in verdicts["validation"]]
    judged = judge(verdicts[split], judged_pairs, training, kinds, params.evaluate, tuning)

    write_rows(VERDICTS, verdicts[split], Verdict, "pair_id")
    _write_plots(judged, verdicts[split], judged_pairs)
    write_json(METRICS, {"evaluate": judged.figures | {"test_looks": looks(ledgers(), test)}})
    accuracy = judged.figures["reward_accuracy"]
    said = judged.undefined["reward_accuracy"] if accuracy is None else f"{accuracy:.3f}"
    print(f"evaluate: {len(judged_pairs)} {split} pairs, reward_accuracy {said}")


def _write_plots(judged: Judged, verdicts: Sequence[Verdict], pairs: Sequence[Pair]) -> None:
    """Data for plots and tables, and why what is undefined is so."""
    with replaced_folder(PLOTS) as folder:
        write_tsv(folder / "reliability.tsv", reliability(verdicts))
        for name, bars in histograms(verdicts).items():
            write_tsv(folder / f"{name}.tsv", bars)
        write_tsv(folder / "lengths.tsv", scatter(verdicts, pairs))
        write_json(folder / "slices.json", judged.slices)
        write_json(folder / "undefined.json", judged.undefined)


if __name__ == "__main__":
    run(main)
