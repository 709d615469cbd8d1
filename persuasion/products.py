"""Products with frozen matrices on a CPU.

oneDNN's float32 product, which torch's compiler calls as well, is faster than the BLAS behind ``torch.mm`` on
processors that MKL does not favour, and no slower on others. A frozen matrix has no gradient, and the gradient
with respect to what it is multiplied with is one more such product.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

ONEDNN = torch.backends.mkldnn.is_available()


def product(states: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """states @ weight.T + bias, without autograd."""
    if ONEDNN and states.dtype == weight.dtype == torch.float32 and states.device.type == "cpu":
        fast: Tensor = torch.ops.mkldnn._linear_pointwise(states, weight, bias, "none", [], "")
        return fast
    return linear(states, weight, bias)


def adapted(module: Any, states: Tensor) -> Tensor:
    """``module(states)`` for a linear module, with or without an adapter; [T, in] to [T, out].

    A plain matrix under plain LoRA takes two products and one that adds to the first; whatever else (DoRA,
    dropout, merged, quantised, trained or of another type) runs as it is.
    """
    base = getattr(module, "base_layer", module)
    frozen = type(base) is torch.nn.Linear and not base.weight.requires_grad
    names = () if base is module or module.disable_adapters else module.active_adapters
    if not frozen or not all(_plain(module, name) for name in names):
        own: Tensor = module(states)
        return own
    out: Tensor = _Product.apply(states, base.weight, base.bias)
    for name in names:
        down, up = module.lora_A[name].weight, module.lora_B[name].weight
        out = torch.addmm(out, states @ down.T, up.T, alpha=module.scaling[name])
    return out


def _plain(module: Any, name: str) -> bool:
    """Whether the adapter ``name`` is a sum of products and nothing more."""
    if module.merged or name not in module.lora_A or name in module.lora_variant:
        return False
    same = module.lora_A[name].weight.dtype == module.base_layer.weight.dtype
    return same and module.lora_A[name].bias is module.lora_B[name].bias is None and not _drops(module, name)


def _drops(module: Any, name: str) -> bool:
    dropout = module.lora_dropout[name]
    return module.training and not isinstance(dropout, torch.nn.Identity)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return product(states, weight, bias)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None, None]:
        (weight,) = ctx.saved_tensors
        return product(upstream[0], weight.T), None, None
