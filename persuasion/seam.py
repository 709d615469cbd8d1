"""Behind TRL's fused head: the forward pass that TRL asks for scores one packed row instead of padded ones.

TRL 1.16 calls ``model(..., labels=, fused_lm_head=True)`` and takes a FusedCausalLMOutput; its losses,
metrics, evaluation and distribution stay its own. What cannot be packed goes TRL's own way.
"""

import functools
from types import MethodType
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput

from persuasion.batching import pack, unpad
from persuasion.logps import head_logps, hidden, packs


def install(lm: Any) -> None:
    """Answer TRL's fused-head call with one packed row; anything it cannot pack goes TRL's own way."""
    if not packs(lm):
        return
    fused = lm.forward

    @functools.wraps(fused.__func__)
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **given: Any) -> Any:
        asked = {name: value for name, value in given.items() if value is not None}  # PEFT passes a row of Nones
        plain = asked.keys() <= {"input_ids", "attention_mask", "labels", "use_cache", "return_dict"}
        parts = None
        if fused_lm_head and plain and not args:
            parts = unpad(asked["input_ids"], asked["attention_mask"], asked["labels"])
        if parts is None:
            return fused(*args, fused_lm_head=fused_lm_head, **given)
        return _fused_output(self, *parts, asked["labels"])

    lm.forward = MethodType(forward, lm)


def _fused_output(lm: Any, groups: Any, order: list[int], labels: torch.Tensor) -> FusedCausalLMOutput:
    """Score ``groups`` as one row and lay the results out as TRL does: [rows, length - 1], 0 where not scored."""
    row = pack(groups, lm.device)
    states = hidden(lm, row)
    weight = lm.get_output_embeddings().weight
    mask = labels[:, 1:] != -100
    place = torch.argsort(torch.tensor(order, device=labels.device))

    def laid_out(values: torch.Tensor) -> torch.Tensor:
        parts = values.split(row.lengths)
        return values.new_zeros(mask.shape).masked_scatter(mask, torch.cat([parts[at] for at in place.tolist()]))

    logp, entropy, top = head_logps(states, weight, row.targets)
    mean = states.detach() @ weight.detach().mean(0)
    return FusedCausalLMOutput(
        loss=-logp.sum() / mask.sum(),
        log_probs=laid_out(logp),
        entropy=laid_out(entropy),
        mean_logits=laid_out(mean),
        is_top1=laid_out(top),
        label_mask=mask,
    )
