"""All weights of a model that FSDP shards, on every process: to judge, to write replies and to save.

These do not call the model equally often in all processes, as sharded weights would ask of them. Written for
torch 2.13, whose notes of calls made meanwhile are struck out: backward would fetch ahead by their order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor
from torch.distributed.fsdp import FSDPModule
from torch.distributed.fsdp._fully_shard._fsdp_common import TrainingState


def sharded(model: Any) -> bool:
    """Whether FSDP shards any of the model's weights."""
    return any(isinstance(module, FSDPModule) for module in model.modules())


def gather(model: Any) -> list[Any]:
    """Gather the weights until they are let go; return the parts that were sharded (none where none is)."""
    parts = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    return parts


@contextmanager
def whole(model: Any) -> Iterator[None]:
    """Hold all weights while the body runs; all processes must come here together."""
    parts = gather(model)
    try:
        yield
    finally:
        for part in parts:
            part.reshard()
            part.set_reshard_after_forward(True, recurse=False)
            _forget_calls(part)


def gathered_weights(model: Any) -> dict[str, Tensor] | None:
    """The weights by name where ``gather`` has gathered any; None where the model's own state is as good.

    That of a sharded one shards them again before it tells them.
    """
    return {name: weight.detach() for name, weight in model.named_parameters()} if sharded(model) else None


def _forget_calls(part: Any) -> None:
    state = part._get_fsdp_state()
    state._modules_to_run_forward.clear()
    state._training_state = TrainingState.IDLE
    for group in state._fsdp_param_groups:
        group._training_state = TrainingState.IDLE
        group._post_forward_indices.clear()
        group.comm_ctx.post_forward_order.clear()
