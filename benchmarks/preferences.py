"""Synthetic preference pairs, a tokenizer of whole words, and Llama shapes: what a training benchmark needs.

Lengths are those of r/changemyview (posts 150 to 450 tokens, comments log-normal, 30 to 450); tokens are random,
for speed does not depend on what they say.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from persuasion.config import Params, load_params
from persuasion.encoding import EncodedPair
from persuasion.packing import enable_packing

VOCABULARY = 8192
SPECIALS = ("<pad>", "<eos>", "<bos>", "<unk>")
PAD, END = 0, 1
PROMPT, COMPLETION = (150, 450), (30, 450)  # tokens, from and to


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Llama by its width, layers and heads; half as many heads for keys."""

    name: str
    width: int
    inner: int
    layers: int
    heads: int


SMALL = Shape(name="8.7M", width=256, inner=704, layers=6, heads=4)
MIDDLE = Shape(name="32M", width=512, inner=1408, layers=8, heads=8)


def pairs(count: int, seed: int, shrink: int = 1) -> list[EncodedPair]:
    """``count`` pairs; ``shrink`` divides all lengths."""
    random = np.random.default_rng(seed)
    posts = random.integers(PROMPT[0], PROMPT[1] + 1, count) // shrink
    middle, spread = math.log(150), 0.6
    comments = np.clip(random.lognormal(middle - spread**2 / 2, spread, (count, 2)), *COMPLETION).astype(int) // shrink

    def words(length: int) -> tuple[int, ...]:
        return tuple(random.integers(len(SPECIALS), VOCABULARY, length).tolist())

    return [
        EncodedPair(f"p_{number}", words(post), (*words(one), END), (*words(other), END), (), (), ())
        for number, (post, (one, other)) in enumerate(zip(posts, comments, strict=True))
    ]


def tokenizer() -> Any:
    """Words t4, t5, ... are tokens 4, 5, ..."""
    words = {name: number for number, name in enumerate(SPECIALS)}
    words |= {f"t{number}": number for number in range(len(SPECIALS), VOCABULARY)}
    backend = Tokenizer(WordLevel(words, unk_token=SPECIALS[3]))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = dict(zip(("pad_token", "eos_token", "bos_token", "unk_token"), SPECIALS, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def text(ids: tuple[int, ...]) -> str:
    """The words of ``ids``, without the end, which TRL adds."""
    return " ".join(f"t{number}" for number in ids if number >= len(SPECIALS))


def model(shape: Shape, *, packing: bool) -> Any:
    """A Llama with random weights, the same for the same shape; ``packing`` prepares it as our stages do."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads // 2,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
        pad_token_id=PAD,
        eos_token_id=END,
    )
    lm = LlamaForCausalLM(config)
    return enable_packing(lm) if packing else lm


def settings(batch: int, epochs: int) -> Params:
    """The project's parameters with the adapter and the steps that both contenders share."""
    params = load_params(Path(__file__).resolve().parent.parent / "params.yaml")
    return replace(
        params,
        dpo=replace(params.dpo, beta=0.1, loss="sigmoid", label_smoothing=0.0),
        lora=replace(params.lora, r=16, alpha=32, dropout=0.0, targets=("q_proj", "v_proj"), layers=None),
        train=replace(
            params.train, learning_rate=1e-4, schedule="constant", warmup_ratio=0.0, epochs=epochs, batch_size=batch
        ),
    )


def needed_flops(shape: Shape, batch: list[EncodedPair]) -> float:
    """Floating-point operations that a step on ``batch`` cannot do without, LoRA's own and elementwise ones aside.

    Every prompt once, forward and the gradient with respect to activations; causal attention at 3.5 times its
    forward pass (Dao 2023); logits and their gradient at completion tokens only.
    """
    heads = shape.width + shape.width // 2 * 2  # query, key and value widths: half as many key heads
    layer = shape.width * heads + shape.width * shape.width + 3 * shape.width * shape.inner
    total = 0.0
    for pair in batch:
        post, one, other = len(pair.prompt), len(pair.chosen), len(pair.rejected)
        seen = post**2 / 2 + one * (post + one / 2) + other * (post + other / 2)
        total += 4 * layer * shape.layers * (post + one + other)
        total += 3.5 * 4 * shape.width * shape.layers * seen
        total += 2 * 2 * shape.width * VOCABULARY * (one + other)
    return total
