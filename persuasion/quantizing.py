"""Load a frozen base in 4 bits (QLoRA, Dettmers et al. 2023), where a GPU and bitsandbytes are at hand."""

from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from persuasion.config import Compute
from persuasion.device import DTYPES
from persuasion.errors import SurroundingsFailure


def loading(compute: Compute, device: torch.device) -> dict[str, Any]:
    """What `from_pretrained` needs for ``compute.quantize``; nothing for none.

    Raises SurroundingsFailure without a GPU or without bitsandbytes.
    """
    if compute.quantize == "none":
        return {}
    if device.type != "cuda":
        raise SurroundingsFailure(
            "compute.quantize is 4bit, but there is no GPU to compute on", fix="set compute.quantize: none"
        )
    if find_spec("bitsandbytes") is None:
        raise SurroundingsFailure(
            "compute.quantize is 4bit, but bitsandbytes is not installed", fix='pip install "persuasion[quantize]"'
        )
    settings = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[compute.precision],
    )
    return {"quantization_config": settings, "device_map": {"": device}}
