"""What stands in an adapter's folder beside its weights: tokenizer, key and card. The bytes never vary."""

import json
from pathlib import Path
from typing import Any

from persuasion.config import Params
from persuasion.files import write_json, write_text
from persuasion.models import KEY

CARD = """---
base_model: {base}
library_name: peft
pipeline_tag: text-generation
tags: [{method}, lora, trl, persuasion]
---
# A LoRA adapter aligned by {name} to comments that earned a delta

Trained by the `train` stage of Persuasion on pairs of r/changemyview comments: chosen = earned a delta
from the post's author, rejected = a comment on the same post that did not.

| | |
|---|---|
| {learnt} |
| LoRA r, alpha, dropout, targets | {r}, {alpha}, {dropout}, {targets} |
| layers, rsLoRA, DoRA | {layers}, {rslora}, {dora} |
| learning rate, schedule, epochs | {learning_rate}, {schedule}, {epochs} |
| pairs, steps | {pairs}, {steps} |
| base model (sha256 of its folder) | `{base_sha256}` |

Load it with `peft.PeftModel.from_pretrained(base, folder)`; the tokenizer and chat template are included.

**Intended use**: research on persuasive language. **Not** therapy, **not** crisis support, **not** for undisclosed
deployment, targeting of persons, or political or commercial persuasion. A delta says that one author changed a view
at one time; it is not truth, and its absence is not failure. Figures with intervals: `metrics/evaluate.json`.
"""


def save_adapter(policy: Any, tokenizer: Any, folder: Path, params: Params, facts: dict[str, Any]) -> None:
    """Write adapter, tokenizer, key and card. ``facts``: base_sha256, pairs, steps."""
    policy.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = folder / "adapter_config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    # peft keeps these as sets, whose order follows the hash seed
    ordered = {name: sorted(value) if isinstance(value, list) else value for name, value in settings.items()}
    write_json(config, ordered | {"base_model_name_or_path": params.base.folder.as_posix()})
    write_json(folder / KEY, facts)
    write_text(folder / "README.md", _card(params, facts))


def _card(params: Params, facts: dict[str, Any]) -> str:
    lora, train = params.lora, params.train
    targets = lora.targets if isinstance(lora.targets, str) else ", ".join(lora.targets)
    return CARD.format(
        base=params.base.folder.as_posix(),
        method=train.method,
        name=train.method.upper(),
        learnt=_learnt(params),
        r=lora.r,
        alpha=lora.alpha,
        dropout=lora.dropout,
        targets=targets,
        layers="all" if lora.layers is None else f"topmost {lora.layers}",
        rslora="yes" if lora.rslora else "no",
        dora="yes" if lora.dora else "no",
        learning_rate=train.learning_rate,
        schedule=train.schedule,
        epochs=train.epochs,
        **facts,
    )


def _learnt(params: Params) -> str:
    """The row of the card on what is particular to the method."""
    dpo, kto = params.dpo, params.kto
    if params.train.method == "sft":
        return f"learnt | {'chosen completions' if params.sft.completion_only else 'posts and chosen completions'}"
    if params.train.method == "kto":
        weights = f"{kto.desirable_weight}, {kto.undesirable_weight}"
        return f"beta, weights of desirable and undesirable completions | {dpo.beta}, {weights}"
    losses = " + ".join(name if weight == 1 else f"{weight} {name}" for name, weight in dpo.losses.items())
    tail = "" if dpo.ld_alpha is None else f"; ld_alpha {dpo.ld_alpha}"
    return f"loss, beta, label smoothing | {losses}, {dpo.beta}, {dpo.label_smoothing}{tail}"
