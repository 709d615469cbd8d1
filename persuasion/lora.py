"""The shape of an adapter (LoRA, Hu et al. 2021), held against the model that it is meant for.

Targets are checked on a model without weights, so that a name that matches nothing is known before
anything big is loaded. peft would ignore such a name as long as another matches, and would ignore
``lora.layers`` beside all-linear.
"""

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from transformers import AutoConfig
from transformers.pytorch_utils import Conv1D

from persuasion.config import Lora
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.models import architecture


def require_targets(base: Path, settings: Lora) -> None:
    """Raise UsageFailure unless the adapter fits the model in ``base``, of which only the configuration is read."""
    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True)
        with torch.device("meta"):
            lm = architecture(config).from_config(config)
    except (OSError, ValueError, KeyError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SurroundingsFailure(f"{base} holds no model", why=why, fix="run `dvc repro base`") from None
    adapter_config(settings, lm)


def adapter_config(settings: Lora, lm: Any) -> LoraConfig:
    """The peft configuration of ``settings`` for ``lm``.

    Raises UsageFailure where a target or ``layers`` do not fit.
    """
    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=_targets(settings, lm),
        layers_to_transform=_layers(settings, lm),
        use_rslora=settings.rslora,
        use_dora=settings.dora,
        bias="none",
        task_type="SEQ_2_SEQ_LM" if lm.config.is_encoder_decoder else "CAUSAL_LM",
    )


def _layers(settings: Lora, lm: Any) -> list[int] | None:
    """The topmost ``lora.layers`` of the model; None for all. What lies below runs without gradient."""
    if settings.layers is None:
        return None
    total = lm.config.get_text_config().num_hidden_layers
    if settings.layers > total:
        raise UsageFailure(f"lora.layers is {settings.layers}", why=f"the base has {total}", fix="lower it, or null")
    return list(range(total - settings.layers, total))


def _targets(settings: Lora, lm: Any) -> list[str]:
    """The names of the modules to adapt, every one of them matched."""
    modules = _linear(lm)
    names = sorted({name.rpartition(".")[2] for name in modules})
    if isinstance(settings.targets, str):
        return names
    unknown = [target for target in settings.targets if not any(f".{name}".endswith(f".{target}") for name in modules)]
    if unknown:
        close = [near for target in unknown for near in get_close_matches(target, names, n=1)]
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise UsageFailure(
            f"lora.targets {', '.join(unknown)} match no module of the base",
            fix=f"{hint}choose among {', '.join(names)}, or all-linear",
        )
    return list(settings.targets)


def _linear(lm: Any) -> list[str]:
    """Names of all linear modules but the head, which stays frozen."""
    head = lm.get_output_embeddings()
    linear = (torch.nn.Linear, Conv1D)
    return [name for name, module in lm.named_modules() if isinstance(module, linear) and module is not head]
