import pytest
import torch

from persuasion.batching import Group
from persuasion.logps import completion_logps, head_logps, packs, score
from tests import tiny

TOK = tiny.tokenizer()
MODELS = {"llama": tiny.llama(len(TOK)), **tiny.others(len(TOK))}
PAIRS = tiny.encoded(TOK)
GROUPS = [Group(PAIRS[0].prompt, (PAIRS[0].chosen, PAIRS[0].rejected, PAIRS[1].chosen))] + [
    Group(pair.prompt, (pair.chosen, pair.rejected)) for pair in PAIRS[2:]
]


def naive(lm, prompt, completion):
    """Two-line truth: one row, full softmax, gather."""
    ids = torch.tensor([prompt + completion])
    logps = lm(input_ids=ids).logits[0, :-1].log_softmax(-1)
    return logps.gather(1, ids[0, 1:, None])[len(prompt) - 1 :].sum()


@pytest.mark.parametrize("name", MODELS)
def test_every_path_gives_the_naive_log_prob_and_gradient(name):
    lm = MODELS[name]
    assert packs(lm) == (name != "gpt2")
    lm.get_output_embeddings().weight.requires_grad_(False)  # as in training, so that the frozen head's path runs
    truth = torch.stack([naive(lm, group.prompt, c) for group in GROUPS for c in group.completions])
    ours = completion_logps(lm, GROUPS)
    assert (ours - truth).abs().max() <= 1e-10
    weights = torch.linspace(-1, 1, len(truth), dtype=truth.dtype)
    trained = [parameter for parameter in lm.base_model.parameters() if parameter.requires_grad]
    wanted = torch.autograd.grad((truth * weights).sum(), trained, allow_unused=True)
    got = torch.autograd.grad((completion_logps(lm, GROUPS) * weights).sum(), trained, allow_unused=True)
    for a, b in zip(wanted, got, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert (a - b).norm() <= 1e-7 * (1 + a.norm())


def test_order_packing_and_budget_never_change_a_log_prob():
    lm = MODELS["llama"]
    whole = score(lm, GROUPS, 10_000)
    alone = [score(lm, [group], 1)[0] for group in GROUPS]
    backwards = score(lm, GROUPS[::-1], 100)[::-1]
    for other in (alone, backwards):
        for a, b in zip(whole, other, strict=True):
            assert a == pytest.approx(b, abs=1e-10)


def test_completions_are_blind_to_each_other():
    lm, group = MODELS["llama"], GROUPS[0]
    alone = [score(lm, [Group(group.prompt, (c,))], 512)[0][0] for c in group.completions]
    assert score(lm, [group], 512)[0] == pytest.approx(alone, abs=1e-10)


@pytest.mark.parametrize("trained", [False, True])
def test_the_head_is_a_log_softmax_whatever_its_size(trained):
    torch.manual_seed(0)
    states = torch.randn(300, 8, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(50, 8, dtype=torch.float64, requires_grad=trained)
    targets = torch.randint(50, (300,))
    full = (states @ weight.T).log_softmax(-1)
    logp, entropy, top = head_logps(states, weight, targets)
    torch.testing.assert_close(logp, full.gather(1, targets[:, None])[:, 0])
    torch.testing.assert_close(entropy, -(full.exp() * full).sum(-1))
    assert torch.equal(top, full.argmax(-1) == targets)
    pull = torch.randn(300, dtype=torch.float64)
    wanted = torch.autograd.grad((full.gather(1, targets[:, None])[:, 0] * pull).sum(), states, retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad((logp * pull).sum(), states), wanted)
