"""Stage `base`: have the base model in models/base – trained here, fetched from the hub, or copied.

Run it as ``python -m stages.base``.
"""

from pathlib import Path

from persuasion import models
from persuasion.config import Encoding, Params, load_params
from persuasion.device import prepare
from persuasion.encoding import encode_thread, frame
from persuasion.errors import TrainingFailure
from persuasion.files import replaced_folder, write_json
from persuasion.pretraining import perplexity, pretrain
from persuasion.records import CorpusThread
from persuasion.running import run
from persuasion.tables import require_rows

CORPUS, BASE, METRICS = Path("data/corpus/small"), Path("models/base"), Path("metrics/base.json")


def main() -> None:
    """Make, fetch or copy the base, and write what is known of it."""
    params = load_params()
    with replaced_folder(BASE) as folder:
        metrics = _train(params, folder) if params.model.kind == "small" else _fetch(params, folder)
    write_json(METRICS, {"base": metrics})
    print(
        f"base: {metrics['parameters']:,} parameters, validation perplexity {metrics['perplexity'] or 'not measured'}"
    )


def _train(params: Params, folder: Path) -> dict[str, float | None]:
    """Train the small model on the training threads only, and hold it to its perplexity gate."""
    settings = params.model.small
    threads = {split: require_rows(CORPUS / f"{split}.parquet", CorpusThread) for split in ("train", "validation")}
    device = prepare(params.compute, settings.seed)
    texts = (text for thread in threads["train"] for text in (thread.prompt, *thread.completions))
    tokenizer = models.new_tokenizer(texts, settings.vocabulary)
    # a budget of its own, so that another template or limit does not train another base
    encoding = Encoding(
        template="chat", prefix="", suffix="", prompt_tokens=settings.context * 2 // 3, total_tokens=settings.context
    )
    around = frame(tokenizer, encoding)
    groups = {
        split: [encode_thread(tokenizer, around, row.prompt, row.completions, encoding) for row in rows]
        for split, rows in threads.items()
    }
    lm = models.new_small(tokenizer, settings).to(device)
    steps = pretrain(lm, groups["train"], settings)
    measured = perplexity(lm, groups["validation"], params.compute.batch_tokens)
    if measured > settings.max_perplexity:
        raise TrainingFailure(
            f"the base model's validation perplexity is {measured:.2f}",
            why=f"model.small.max_perplexity is {settings.max_perplexity}",
            fix="raise model.small.epochs, or the gate if your data is harder",
        )
    models.save_base(lm, tokenizer, folder)
    return {
        "parameters": sum(parameter.numel() for parameter in lm.parameters()),
        "perplexity": measured,
        "steps": steps,
        "tokens": sum(group.tokens for group in groups["train"]) * settings.epochs,
        "threads": len(groups["train"]),
    }


def _fetch(params: Params, folder: Path) -> dict[str, float | None]:
    """Fetch or copy the base, and prove that it loads."""
    models.fetch(params.model, folder)
    lm, _ = models.load_base(folder, params.compute, prepare(params.compute, 0))
    return {"parameters": sum(parameter.numel() for parameter in lm.parameters()), "perplexity": None}


if __name__ == "__main__":
    run(main)
