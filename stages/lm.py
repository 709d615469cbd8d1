"""Stage `lm`: continue the base as a language model of the training threads, posts and comments.

Run it as ``python -m stages.lm``; killed, the same command continues.
"""

from pathlib import Path

from persuasion.config import load_params
from persuasion.files import write_json
from persuasion.preparing import comments, prepared, source
from persuasion.records import CorpusThread
from persuasion.running import run
from persuasion.tables import require_rows

CORPUS, MODEL, METRICS = Path("data/corpus/small"), Path("models/lm"), Path("metrics/lm.json")


def main() -> None:
    """Train, merge, and write the model with its perplexity before and after."""
    params = load_params()
    files = {split: CORPUS / f"{split}.parquet" for split in ("train", "validation")}
    threads = {split: require_rows(file, CorpusThread) for split, file in files.items()}
    figures = prepared(
        source("lm", params.base.prepare.lm),
        MODEL,
        lambda tokenizer, split: comments(tokenizer, threads[split], params.encoding),
        params,
        list(files.values()),
    )
    write_json(METRICS, {"lm": figures})
    print(f"lm: {figures['completions']} comments, perplexity {figures['perplexity']}")


if __name__ == "__main__":
    run(main)
