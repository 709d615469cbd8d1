"""What stands in an adapter's folder beside its weights: tokenizer, key and card. The bytes never vary."""

import json
from pathlib import Path
from typing import Any

from persuasion.config import Params
from persuasion.files import write_json, write_text
from persuasion.modelcard import Results, card
from persuasion.models import KEY
from persuasion.whole import gathered_weights


def save_adapter(
    policy: Any, tokenizer: Any, folder: Path, params: Params, facts: dict[str, Any], results: Results | None = None
) -> None:
    """Write adapter, tokenizer, key and card.

    ``facts``: base_sha256, pairs, steps, and data, the sha256 of each file of pairs by name; ``results``: on pairs
    held out (None: not measured).
    """
    policy.save_pretrained(folder, state_dict=gathered_weights(policy))
    tokenizer.save_pretrained(folder)
    config = folder / "adapter_config.json"
    settings = json.loads(config.read_text(encoding="utf-8"))
    # peft keeps these as sets, whose order follows the hash seed
    ordered = {name: sorted(value) if isinstance(value, list) else value for name, value in settings.items()}
    write_json(config, ordered | {"base_model_name_or_path": params.base.folder.as_posix()})
    write_json(folder / KEY, facts)
    write_text(folder / "README.md", card(params, facts, facts.get("data", {}), results))
