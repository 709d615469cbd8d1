"""A search as the original research code runs it: in one process, each trial from the model's files to its score.

``python -m benchmarks.peers.original_study FOLDER ASKED.json``. Every trial loads pairs and model, tokenises, and lets
TRL's DPOTrainer ask the adapter-less model for the reference again in each step of each epoch and of each evaluation;
the last evaluation's loss is its figure. Kinder than the original: float32 and no gradient checkpointing (both faster
on a CPU), the project's batches and not pairs of two, nothing decoded, no replies, no perplexities, nothing tracked.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.update({"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"})

import datasets
import optuna
import torch
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


def main() -> None:
    """Run the trials that are asked for, and say what each came to."""
    folder, asked = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    torch.set_num_threads(asked["settings"]["threads"])
    datasets.disable_progress_bars()
    study = optuna.create_study()
    told: list[dict[str, float]] = []
    for params in asked["trials"]:
        study.enqueue_trial(params)

    def objective(trial: Any) -> float:
        start = time.perf_counter()
        choices = {name: [one[name] for one in asked["trials"]] for name in asked["trials"][0]}
        params = {name: trial.suggest_categorical(name, sorted(set(each))) for name, each in choices.items()}
        told.append(_trial(folder, asked["settings"], params) | {"seconds": time.perf_counter() - start})
        return told[-1]["loss"]

    study.optimize(objective, n_trials=len(asked["trials"]))
    print(json.dumps({"trials": told}))


def _trial(folder: Path, settings: dict[str, Any], params: dict[str, Any]) -> dict[str, float]:
    tokenizer = AutoTokenizer.from_pretrained(folder / "models/base")
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder / "models/base", dtype=torch.float32),
        args=_arguments(folder, settings, params),
        train_dataset=_rows(folder, "train"),
        eval_dataset=_rows(folder, "validation"),
        processing_class=tokenizer,
        peft_config=LoraConfig(task_type="CAUSAL_LM", **settings["lora"]),
    )
    trainer.train()
    trainer.save_model(str(folder / "original/final_model"))
    data: Any = trainer.train_dataset
    tokens = sum(len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in data)
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    return {"loss": losses[-1], "tokens": tokens, "steps": trainer.state.global_step}


def _rows(folder: Path, split: str) -> Any:
    read = datasets.load_dataset("parquet", data_files=str(folder / f"data/pairs/{split}.parquet"), split="train")
    columns = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}
    rows = [{name: [{"role": who, "content": row[name]}] for name, who in columns.items()} for row in read]
    return datasets.Dataset.from_list(rows)


def _arguments(folder: Path, settings: dict[str, Any], params: dict[str, Any]) -> DPOConfig:
    return DPOConfig(
        output_dir=str(folder / "original"),
        beta=params["dpo.beta"],
        learning_rate=params["train.learning_rate"],
        lr_scheduler_type=params["train.schedule"],
        num_train_epochs=params["train.epochs"],
        warmup_steps=settings["warmup_ratio"],
        per_device_train_batch_size=settings["batch_size"],
        per_device_eval_batch_size=settings["batch_size"],
        max_length=settings["max_length"],
        eval_strategy="epoch",
        save_strategy="no",
        bf16=False,
        gradient_checkpointing=False,
        use_cpu=True,
        dataloader_pin_memory=False,
        report_to=[],
        disable_tqdm=True,
        seed=settings["seed"],
    )


if __name__ == "__main__":
    main()
