"""Behind TRL's fused head: the forward pass that TRL asks for scores one packed row instead of padded ones.

TRL 1.16 calls ``model(..., labels=, fused_lm_head=True)`` and takes a FusedCausalLMOutput; its losses,
metrics, evaluation and distribution stay its own. What cannot be packed goes TRL's own way, and
encoder-decoders, for which TRL has none, go one row at a time.
"""

import functools
import sys
from collections.abc import Sequence
from types import MethodType
from typing import Any

import torch
from torch import Tensor
from trl.trainer.utils import FusedCausalLMOutput

from persuasion.batching import Group, pack, unpad
from persuasion.device import return_idle_memory
from persuasion.logps import head_scores, hidden, packs, plain_logits

KNOWN = {"input_ids", "attention_mask", "labels", "use_cache", "return_dict"}
Scores = tuple[Tensor, Tensor, Tensor, Tensor]  # per token: log-prob, entropy, mean logit, is-most-likely


def install(lm: Any) -> None:
    """Answer TRL's fused-head call with one packed row; anything it cannot pack goes TRL's own way."""
    fused = lm.forward

    @functools.wraps(fused.__func__)
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **given: Any) -> Any:
        asked = {name: value for name, value in given.items() if value is not None}  # PEFT passes a row of Nones
        parts = None
        if fused_lm_head and not args and asked.keys() <= KNOWN and (packs(self) or self.config.is_encoder_decoder):
            parts = unpad(asked["input_ids"], asked["attention_mask"], asked["labels"])
        if parts is not None:
            return _output(self, *parts, asked["labels"])
        if fused_lm_head:
            _say_once("the way of TRL's own fused head is taken: slower, same numbers")
        return fused(*args, fused_lm_head=fused_lm_head, **given)

    lm.forward = MethodType(forward, lm)
    # what checkpointing hooks to the embeddings would draw gradients below the lowest adapter; without reentry
    # it needs none
    lm.disable_input_require_grads()
    lm.enable_input_require_grads = lambda: None


def _output(lm: Any, groups: Sequence[Group], order: list[int], labels: Tensor) -> FusedCausalLMOutput:
    """Score ``groups`` and lay the results out as TRL does: [rows, length - 1], 0 where not scored."""
    lengths, scores = (_packed if packs(lm) else _plain)(lm, groups)
    mask = labels[:, 1:] != -100
    place = torch.argsort(torch.tensor(order)).tolist()

    def laid_out(values: Tensor) -> Tensor:
        parts = values.split(lengths)
        return values.new_zeros(mask.shape).masked_scatter(mask, torch.cat([parts[at] for at in place]))

    logp, entropy, mean, top = map(laid_out, scores)
    loss = -logp.sum() / mask.sum()
    return FusedCausalLMOutput(
        loss=loss, log_probs=logp, entropy=entropy, mean_logits=mean, is_top1=top, label_mask=mask
    )


def _packed(lm: Any, groups: Sequence[Group]) -> tuple[list[int], Scores]:
    """All completions in one row."""
    row = pack(groups, lm.device)
    _make_room(lm, row.ids.numel())
    states, weight = hidden(lm, row), lm.get_output_embeddings().weight
    logp, entropy, top = head_scores(states, weight, row.targets)
    return list(row.lengths), (logp, entropy, states.detach() @ weight.detach().mean(0), top)


def _make_room(lm: Any, tokens: int) -> None:
    """Before a row longer than any so far: it takes memory of sizes not seen yet, beside what lies idle."""
    if tokens > getattr(lm, "persuasion_longest", 0):
        return_idle_memory()
        lm.persuasion_longest = tokens


def _plain(lm: Any, groups: Sequence[Group]) -> tuple[list[int], Scores]:
    """One row for each completion."""
    rows = [plain_logits(lm, group.prompt, completion) for group in groups for completion in group.completions]
    logits = torch.cat(rows)
    lengths = [len(row) for row in rows]
    texts = [completion for group in groups for completion in group.completions]
    ids = [token for text, length in zip(texts, lengths, strict=True) for token in text[len(text) - length :]]
    targets = torch.tensor(ids, device=logits.device)
    logs = logits.log_softmax(-1)
    entropy, top = -(logs.exp() * logs).sum(-1).detach(), logits.argmax(-1) == targets
    return lengths, (logs.gather(1, targets[:, None])[:, 0], entropy, logits.detach().mean(-1), top)


@functools.cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr)
