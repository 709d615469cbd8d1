"""How fast are replies written, against the original script's loop over prompts?

``python -m benchmarks.generate [--quick]``. The loop is the popular one: tokenise a prompt, ``model.generate`` it alone
with its key-value cache, decode, next; without gradients, with the same greedy settings and the same LoRA, unmerged
on both sides. Ours is ``persuasion.sampling.sample`` as the stage runs it. Both write the same texts, or there is no
race. Each contender of each round runs in a process of its own, on two threads; medians.

``vs_one_by_one`` is its seconds over ours at 8.7 M parameters, ``vs_one_by_one_32m`` at 32 M. ``vs_batched`` is that
of transformers' own ``generate`` on padded batches of ours, sorted by length: what of it is batching alone.
"""

import argparse
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from peft import LoraConfig, get_peft_model

from benchmarks import preferences
from benchmarks.forked import measured
from benchmarks.preferences import MIDDLE, PAD, SMALL, Shape
from benchmarks.timing import last_line, table
from persuasion.device import keep_freed_memory
from persuasion.errors import IntegrityFailure
from persuasion.running import run
from persuasion.sampling import batches, greedy, sample

OURS, ONE, BATCHED = "ours", "one by one (original script)", "transformers, padded batches"
THREADS, SIZE = 2, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Prompts, tokens of a reply, rounds, by what to divide prompts' lengths; no round begins after ``within`` s."""

    prompts: int
    tokens: int
    rounds: int
    shrink: int
    shapes: tuple[Shape, ...]
    within: float


FULL = Plan(prompts=32, tokens=128, rounds=5, shrink=1, shapes=(SMALL, MIDDLE), within=math.inf)
QUICK = Plan(prompts=16, tokens=32, rounds=2, shrink=4, shapes=(SMALL, MIDDLE), within=8)


def main() -> None:
    """Measure, print the tables and the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate", description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="short replies and few rounds: within 50 s")
    measure(QUICK if parser.parse_args().quick else FULL)


def measure(plan: Plan) -> None:
    """Run a plan and print what came of it."""
    print(f"{os.cpu_count()} cores, {THREADS} threads, {plan.prompts} prompts, {plan.tokens} tokens a reply, greedy")
    ratios: dict[str, float | None] = {}
    rounds = plan.rounds
    for shape in plan.shapes:
        taken, tokens = _race(shape, plan)
        rounds = min(rounds, len(taken[OURS]))
        print(f"\n{shape.name} parameters, {len(taken[OURS])} rounds\n\n{_table(taken, tokens)}")
        ours, suffix = median(taken[OURS]), "" if shape is SMALL else f"_{shape.name.lower()}"
        ratios[f"vs_one_by_one{suffix}"] = median(taken[ONE]) / ours
        ratios[f"vs_batched{suffix}"] = median(taken[BATCHED]) / ours
    print(last_line("generate", ratios, rounds))


def _race(shape: Shape, plan: Plan) -> tuple[dict[str, list[float]], int]:
    """Seconds of every contender, round by round, and the tokens of all replies.

    Raises IntegrityFailure when their texts differ.
    """
    taken: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    start = time.perf_counter()
    while not taken[OURS] or (len(taken[OURS]) < plan.rounds and time.perf_counter() - start < plan.within):
        texts = {}
        for name in CONTENDERS:
            found = measured(written, name, shape, plan)
            taken[name].append(found["seconds"])
            texts[name] = found["texts"]
        for name, other in texts.items():
            if other != texts[OURS]:
                differ = sum(a != b for a, b in zip(other, texts[OURS], strict=True))
                raise IntegrityFailure(f"{name} wrote {differ} other texts than ours", why="unequal work is no race")
    return taken, sum(len(text.split()) for text in texts[OURS])


def written(name: str, shape: Shape, plan: Plan) -> dict[str, Any]:
    """Let one contender write all replies; its seconds, without those of making the model, and its texts."""
    torch.set_num_threads(THREADS)
    policy, tokenizer = _policy(shape, packing=name == OURS), preferences.tokenizer()
    prompts = [pair.prompt for pair in preferences.pairs(plan.prompts, 0, plan.shrink)]
    if name == OURS:
        keep_freed_memory()  # as the stage does
    CONTENDERS[name](policy, tokenizer, prompts[:1], 2)  # warm
    start = time.perf_counter()
    texts = CONTENDERS[name](policy, tokenizer, prompts, plan.tokens)
    return {"seconds": time.perf_counter() - start, "texts": texts}


def _policy(shape: Shape, *, packing: bool) -> Any:
    """The model under a LoRA that does something."""
    lora = LoraConfig(r=16, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    policy = get_peft_model(preferences.model(shape, packing=packing), lora)
    torch.manual_seed(1)
    for name, weights in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.02)
    return policy.eval()


def _ours(policy: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], tokens: int) -> list[str]:
    return [reply.text for reply in sample(policy, tokenizer, prompts, greedy(tokens, SIZE))]


@torch.no_grad()
def _one_by_one(policy: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], tokens: int) -> list[str]:
    texts = []
    for prompt in map(preferences.text, prompts):
        given = tokenizer(prompt, return_tensors="pt")
        out = policy.generate(**given, max_new_tokens=tokens, do_sample=False, pad_token_id=PAD)
        texts.append(tokenizer.decode(out[0, given["input_ids"].size(1) :], skip_special_tokens=True).strip())
    return texts


@torch.no_grad()
def _batched(policy: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], tokens: int) -> list[str]:
    tokenizer.padding_side = "left"
    texts = [""] * len(prompts)
    for places in batches([len(prompt) for prompt in prompts], (), SIZE):
        given = tokenizer([preferences.text(prompts[place]) for place in places], return_tensors="pt", padding=True)
        out = policy.generate(**given, max_new_tokens=tokens, do_sample=False, pad_token_id=PAD)
        said = tokenizer.batch_decode(out[:, given["input_ids"].size(1) :], skip_special_tokens=True)
        for place, text in zip(places, said, strict=True):
            texts[place] = text.strip()
    return texts


CONTENDERS = {ONE: _one_by_one, BATCHED: _batched, OURS: _ours}


def _table(taken: dict[str, list[float]], tokens: int) -> str:
    own = median(taken[OURS])
    rows = [
        (name, *(f"{each:.2f}" for each in (median(seconds), min(seconds), max(seconds))),
         f"{tokens / median(seconds):.0f}", f"{median(seconds) / own:.2f}")
        for name, seconds in taken.items()
    ]  # fmt: skip
    return table(("", "median s", "min", "max", "tokens/s", "x ours"), rows)


if __name__ == "__main__":
    run(main)
