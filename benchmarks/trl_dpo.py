"""TRL's own DPO trainer on the same pairs, adapter and batches as ours; in float32, for that is faster here than
its defaults (bfloat16 and gradient checkpointing), and with or without its own precomputed reference.
"""

import tempfile
from collections.abc import Sequence
from typing import Any

import datasets
import torch
from peft import LoraConfig
from trl import DPOConfig, DPOTrainer

from benchmarks import preferences
from benchmarks.preferences import Shape
from persuasion.config import Params
from persuasion.encoding import EncodedPair


def build(shape: Shape, pairs: Sequence[EncodedPair], params: Params, folder: str, *, precompute: bool) -> Any:
    """TRL's trainer, ready for its first step; ``folder`` takes what it leaves behind."""
    train, lora = params.train, params.lora
    rows = [
        {
            "prompt": preferences.text(pair.prompt),
            "chosen": " " + preferences.text(pair.chosen) + " ",
            "rejected": " " + preferences.text(pair.rejected) + " ",
        }
        for pair in pairs
    ]
    arguments = DPOConfig(
        output_dir=tempfile.mkdtemp(dir=folder),
        per_device_train_batch_size=train.batch_size,
        per_device_eval_batch_size=train.batch_size,
        num_train_epochs=train.epochs,
        learning_rate=train.learning_rate,
        lr_scheduler_type="constant",
        beta=params.dpo.beta,
        precompute_ref_log_probs=precompute,
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=True,
        dataloader_pin_memory=False,
        logging_steps=train.log_every,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        seed=train.seed,
    )
    return DPOTrainer(
        model=preferences.model(shape, packing=False),
        args=arguments,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=preferences.tokenizer(),
        peft_config=LoraConfig(
            r=lora.r,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.targets),
            task_type="CAUSAL_LM",
        ),
    )


def scored(trainer: Any, batches: Sequence[Any]) -> list[float]:
    """The policy's log-probs of all completions by TRL's evaluation forward, batch by batch, chosen before rejected."""
    found: list[float] = []
    lm = trainer.model.eval()
    with torch.no_grad():
        for batch in batches:
            labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
            asked = {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"], "use_cache": False}
            found += lm(**asked, labels=labels, fused_lm_head=True).log_probs.sum(1).tolist()
    return found
