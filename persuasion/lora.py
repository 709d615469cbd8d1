"""The shape of an adapter (LoRA, Hu et al. 2021), as peft wants it."""

from peft import LoraConfig

from persuasion.config import Lora


def adapter_config(settings: Lora) -> LoraConfig:
    """The peft configuration of ``settings``."""
    targets = settings.targets if isinstance(settings.targets, str) else list(settings.targets)
    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets,
        bias="none",
        task_type="CAUSAL_LM",
    )
