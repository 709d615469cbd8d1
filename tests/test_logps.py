from dataclasses import replace

import pytest
import torch
from peft import get_peft_model

from persuasion import logps
from persuasion.batching import Group, pack
from persuasion.logps import completion_logps, head_logps, head_scores, packs, score
from persuasion.lora import adapter_config
from tests import tiny

TOK = tiny.tokenizer()
LLAMA = tiny.llama(len(TOK))
PAIRS = tiny.encoded(TOK)
GROUPS = [Group(PAIRS[0].prompt, (PAIRS[0].chosen, PAIRS[0].rejected, PAIRS[1].chosen))] + [
    Group(pair.prompt, (pair.chosen, pair.rejected)) for pair in PAIRS[2:]
]
SHAPES = [(name, extra, True) for name, extra in tiny.PACKED.items()]
SHAPES += [(name, extra, False) for name, extra in tiny.PLAIN.items()]


def naive(lm, prompt, completion):
    """Two-line truth: one row, full softmax, gather."""
    ids = torch.tensor([prompt + completion])
    if lm.config.is_encoder_decoder:
        start = torch.tensor([(0, *completion[:-1])])
        logps = lm(input_ids=torch.tensor([prompt]), decoder_input_ids=start).logits[0].log_softmax(-1)
        return logps.gather(1, torch.tensor(completion)[:, None]).sum()
    logps = lm(input_ids=ids).logits[0, :-1].log_softmax(-1)
    return logps.gather(1, ids[0, 1:, None])[max(len(prompt) - 1, 0) :].sum()


def adapted(lm):
    """``lm`` with a LoRA adapter that has left its start."""
    targets = adapter_config(replace(tiny.PARAMS.lora, targets="all-linear"), lm)
    policy = get_peft_model(lm, targets).double()
    for name, parameter in policy.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    return [parameter for parameter in policy.parameters() if parameter.requires_grad]


@pytest.mark.parametrize(("name", "extra", "fast"), SHAPES, ids=lambda given: str(given))
def test_every_path_gives_the_naive_log_prob_and_gradient(name, extra, fast, monkeypatch):
    lm = tiny.shaped(name, len(TOK), extra)
    trained = adapted(lm)
    truth = torch.stack([naive(lm, group.prompt, c) for group in GROUPS for c in group.completions])
    rows = []
    monkeypatch.setattr(logps, "pack", lambda *given: rows.append(pack(*given)) or rows[-1])
    ours = completion_logps(lm, GROUPS)
    assert packs(lm) == bool(rows) == fast
    assert (ours - truth).abs().max() <= 1e-10
    weights = torch.linspace(-1, 1, len(truth), dtype=truth.dtype)
    wanted, got = (
        torch.cat([part.flatten() for part in torch.autograd.grad((logps * weights).sum(), trained)])
        for logps in (truth, ours)
    )
    assert (wanted - got).norm() <= 1e-7 * wanted.norm()  # some models' own norms compute in float32


@pytest.mark.parametrize("family", ["llama", "gpt2", "phi"])
def test_without_a_prompt_the_first_token_has_no_context_and_is_not_scored(family):
    lm = tiny.shaped(family, len(TOK), (tiny.PACKED | tiny.PLAIN)[family] if family != "llama" else {})
    group = Group((), (PAIRS[0].chosen, PAIRS[1].chosen))
    truth = [naive(lm, (), completion).item() for completion in group.completions]
    assert score(lm, [group, GROUPS[1]], 512)[0] == pytest.approx(truth, abs=1e-10)


def test_order_packing_and_budget_never_change_a_log_prob():
    lm = LLAMA
    whole = score(lm, GROUPS, 10_000)
    alone = [score(lm, [group], 1)[0] for group in GROUPS]
    backwards = score(lm, GROUPS[::-1], 100)[::-1]
    for other in (alone, backwards):
        for a, b in zip(whole, other, strict=True):
            assert a == pytest.approx(b, abs=1e-10)


def test_completions_are_blind_to_each_other():
    lm, group = LLAMA, GROUPS[0]
    alone = [score(lm, [Group(group.prompt, (c,))], 512)[0][0] for c in group.completions]
    assert score(lm, [group], 512)[0] == pytest.approx(alone, abs=1e-10)


@pytest.mark.parametrize("trained", [False, True])
def test_the_head_is_a_log_softmax_whatever_its_size(trained):
    torch.manual_seed(0)
    states = torch.randn(300, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 8, dtype=torch.float64, requires_grad=trained)
    targets = torch.randint(50, (300,))
    truth = (states @ weight.T).log_softmax(-1).gather(1, targets[:, None])[:, 0]
    logp = head_logps(states, weight, targets)
    torch.testing.assert_close(logp, truth)
    pull = torch.randn(300, dtype=torch.float64)
    wanted = torch.autograd.grad((truth * pull).sum(), states, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad((logp * pull).sum(), states), wanted)


@pytest.mark.parametrize("sharpness", [1, 1e4])
def test_the_heads_statistics_are_those_of_its_softmax(sharpness):
    torch.manual_seed(0)
    states, weight = torch.randn(300, 8) * sharpness, torch.randn(50, 8)
    targets = torch.randint(50, (300,))
    full = (states @ weight.T).log_softmax(-1)
    logp, entropy, top = head_scores(states, weight, targets)
    torch.testing.assert_close(logp, full.gather(1, targets[:, None])[:, 0], rtol=1e-5, atol=3e-6 * sharpness)
    torch.testing.assert_close(entropy, torch.special.entr(full.exp()).sum(-1), rtol=1e-4, atol=3e-6 * sharpness)
    assert torch.equal(top, full.argmax(-1) == targets)
