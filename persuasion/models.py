"""Base models and adapters: made, fetched, loaded, saved. Safetensors only, no remote code."""

import json
import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from tokenizers import Tokenizer, decoders, pre_tokenizers, trainers
from tokenizers import models as tokenizer_models
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from persuasion.config import Compute, Model, Small
from persuasion.device import DTYPES
from persuasion.errors import IntegrityFailure, SurroundingsFailure, UsageFailure
from persuasion.files import digest
from persuasion.packing import enable_packing
from persuasion.quantizing import loading

PAD, BEGIN, END, USER, ASSISTANT = "<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
KEY = "persuasion.json"  # in an adapter's folder: what it was trained on
ADAPTER_FIX = "run `dvc repro train`, or fetch it anew (`dvc pull models/adapter`)"
WEIGHTS = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja", "LICENSE*")

logging.set_verbosity_error()
logging.disable_progress_bar()
# trl 1.16 and peft 0.21 still use names that transformers 5 renames
warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


def new_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Train a byte-level BPE on ``texts``; every byte has a token, so no text is unknown."""
    specials = [PAD, BEGIN, END, USER, ASSISTANT]
    backend = Tokenizer(tokenizer_models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
    )


def new_small(tokenizer: Any, settings: Small) -> Any:
    """A randomly initialised Llama of ``settings``' shape; call after seeding torch."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.width,
        intermediate_size=settings.width * 8 // 3 // 32 * 32,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return enable_packing(LlamaForCausalLM(config))


def fetch(model: Model, target: Path) -> None:
    """Put a hub snapshot at its pinned revision, or a local folder, at ``target``; weights, config, tokenizer only.

    Raises SurroundingsFailure when it cannot be had, UsageFailure when it holds no safetensors.
    """
    source = _snapshot(model) if model.kind == "hub" else Path(model.name or "")
    if not source.is_dir():
        raise SurroundingsFailure(f"there is no model folder {source}", where="model.name", fix="correct the path")
    if not any(source.glob("*.safetensors")):
        raise UsageFailure(f"{source} holds no .safetensors weights", why="other formats can run code on loading")
    for pattern in WEIGHTS:
        for file in sorted(source.glob(pattern)):
            shutil.copyfile(file, target / file.name)


def _snapshot(model: Model) -> Path:
    from huggingface_hub import snapshot_download  # only a hub model needs the network

    try:
        return Path(snapshot_download(model.name or "", revision=model.revision, allow_patterns=list(WEIGHTS)))
    except Exception as error:  # the hub client has no common base class for offline, missing and forbidden
        raise SurroundingsFailure(
            f"{model.name} at {model.revision} could not be fetched from the hub",
            why=str(error).splitlines()[0],
            fix="check the name, the network, HF_HUB_OFFLINE and HF_TOKEN",
        ) from None


def load_base(folder: Path, compute: Compute, device: torch.device) -> tuple[Any, Any]:
    """Return (causal LM in eval mode, tokenizer with a pad token) from a folder of safetensors.

    Raises SurroundingsFailure when the folder is missing or no model, or cannot be quantised as asked.
    """
    tokenizer = load_tokenizer(folder)
    quantized = loading(compute, device)
    try:
        lm: Any = architecture(AutoConfig.from_pretrained(folder, local_files_only=True)).from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=DTYPES[compute.precision],
            **quantized,
        )
    except (OSError, ValueError, KeyError) as error:
        raise _unloadable(folder, error) from None
    return enable_packing((lm if quantized else lm.to(device)).eval()), tokenizer


def require_positions(lm: Any, tokens: int) -> None:
    """Raise UsageFailure where ``encoding.total_tokens`` exceeds the positions that the model has."""
    positions = getattr(lm.config, "max_position_embeddings", tokens)
    if tokens > positions:
        raise UsageFailure(
            f"encoding.total_tokens is {tokens}", why=f"the base has {positions} positions", fix="set it lower"
        )


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer of a model's folder, with a pad token.

    Raises SurroundingsFailure where there is none, UsageFailure where it has no end token.
    """
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise _unloadable(folder, error) from None
    if tokenizer.eos_token_id is None:
        raise UsageFailure(
            f"the tokenizer of {folder} has no end-of-sequence token",
            why="a completion could not be told to end",
            fix='set "eos_token" in its tokenizer_config.json, or choose another model.name',
        )
    if tokenizer.pad_token_id is None:  # only ever fills a batch: masks come from lengths, never from this id
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _unloadable(folder: Path, error: Exception) -> SurroundingsFailure:
    why = str(error).splitlines()[0] if str(error) else type(error).__name__
    fix = "check model.name, or run `dvc repro base`"
    return SurroundingsFailure(f"no model can be loaded from {folder}", why=why, fix=fix)


def architecture(config: Any) -> Any:
    """The class that makes a language model of ``config``."""
    return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM


def load_policy(base: Path, adapter: Path, compute: Compute, device: torch.device) -> tuple[Any, Any]:
    """Return (base with its adapter, tokenizer). Raises IntegrityFailure when the adapter is not its, or broken."""
    if read_key(adapter)["base_sha256"] != digest(base):
        raise IntegrityFailure(
            "the adapter was trained on another base model",
            where=f"{adapter} against {base}",
            fix="run `dvc repro train`, or check out the base it belongs to",
        )
    lm, tokenizer = load_base(base, compute, device)
    return _attached(lm, adapter).eval(), tokenizer


def _attached(lm: Any, folder: Path) -> Any:
    """``lm`` with the adapter in ``folder``. Raises IntegrityFailure unless its weights are whole and all of them fit.

    peft itself fills in what is missing and passes over what it does not know.
    """
    try:
        there = {name: tuple(tensor.shape) for name, tensor in load_file(folder / "adapter_model.safetensors").items()}
        policy = PeftModel.from_pretrained(lm, folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise IntegrityFailure("the adapter cannot be read", where=folder, why=why, fix=ADAPTER_FIX) from None
    own = {
        name: tuple(tensor.shape)
        for name, tensor in get_peft_model_state_dict(policy, save_embedding_layers=False).items()
    }
    if there != own:
        odd = sorted(there.items() ^ own.items())[0][0]
        raise IntegrityFailure(
            "the adapter's weights are not those it should have",
            where=folder,
            why=f"{len(there.items() ^ own.items())} differ, first {odd}",
            fix=ADAPTER_FIX,
        )
    if not any(tensor.any() for name, tensor in policy.named_parameters() if "lora_B" in name):
        raise IntegrityFailure("the adapter has no effect: its B matrices are zero", where=folder, fix=ADAPTER_FIX)
    return policy


def read_key(folder: Path) -> dict[str, Any]:
    """What an adapter's folder says of its origin. Raises IntegrityFailure where it says nothing."""
    try:
        key: dict[str, Any] = json.loads((folder / KEY).read_text(encoding="utf-8"))
        return key
    except (OSError, ValueError):
        raise IntegrityFailure(f"{folder} is no adapter of this pipeline", why=f"{KEY} is missing") from None


def save_base(lm: Any, tokenizer: Any, folder: Path) -> None:
    """Write a model we trained as safetensors, with its tokenizer and chat template."""
    lm.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
