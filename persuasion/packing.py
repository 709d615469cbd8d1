"""Which models take packed rows, and why the others do not.

A row goes through attention of ours, so a model may take one only where its attention is plain softmax
attention over all earlier tokens, and its logits are plain products of its head.
"""

import sys
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from persuasion.attention import packed_attention
from persuasion.logps import PACKS

FAMILIES = {  # plain attention that hands `packed_row` through; each is tested against its own plain forward
    "gemma", "gpt2", "gpt_neox", "llama", "mistral", "olmo2", "qwen2", "qwen3", "smollm3", "starcoder2",
}  # fmt: skip
ROTARY = {"default", "linear", "llama3", "yarn"}  # others stretch with the longest position at hand


def _attend(module: Any, query: Any, key: Any, value: Any, mask: Any, packed_row: Any = None, **options: Any) -> Any:
    if packed_row is None:
        return sdpa_attention_forward(module, query, key, value, mask, **options)
    scale = options.get("scaling") or query.size(-1) ** -0.5
    return packed_attention(query[0], key[0], value[0], packed_row, scale)[None], None


AttentionInterface.register("packed", _attend)
AttentionMaskInterface.register("packed", sdpa_mask)


def enable_packing(lm: Any) -> Any:
    """Let ``lm`` take packed rows where its architecture allows it; say so where it does not."""
    obstacle = why_not(lm)
    if obstacle:
        print(f"packing is off ({obstacle}): one row per completion, slower, same numbers", file=sys.stderr)
    else:
        lm.config._attn_implementation = "packed"
    setattr(lm, PACKS, not obstacle)
    return _without_dropout(lm)


def why_not(lm: Any) -> str | None:
    """What keeps ``lm`` from packed rows; None when nothing does."""
    config = lm.config
    if config.is_encoder_decoder:
        return f"{config.model_type} is an encoder-decoder"
    if config.model_type not in FAMILIES:
        return f"{config.model_type} is not among the architectures known to take them"
    if getattr(config, "sliding_window", None) or set(getattr(config, "layer_types", None) or ()) - {"full_attention"}:
        return "its attention has a sliding window"
    if (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default") not in ROTARY:
        return "its rotary positions depend on the length of a row"
    if lm.get_output_embeddings().bias is not None:
        return "its head has a bias"
    if getattr(config, "add_cross_attention", False) or getattr(config, "reorder_and_upcast_attn", False):
        return "its attention is not plain"
    return None


def _without_dropout(lm: Any) -> Any:
    """No dropout in the frozen base: its two passes, reference and policy, must be one function."""
    for module in lm.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        for name in ("attention_dropout", "dropout", "residual_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return lm
