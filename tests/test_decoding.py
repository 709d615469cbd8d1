"""The next token: penalties by hand, nuclei against transformers, chance against the distribution it draws from."""

from dataclasses import replace

import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from persuasion.decoding import Line, choose, noise, penalised
from persuasion.sampling import greedy

COLD = greedy(8, 4)
WARM = replace(COLD, temperature=0.7)
LOGITS = torch.randn(6, 40, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3


def drawn(count, settings=WARM):
    return noise([Line((1, 2, number), 8, settings) for number in range(count)], LOGITS.size(1))


def test_penalties_worked_by_hand():
    scores = penalised(torch.tensor([[2.0, -2.0, 1.0, 0.0]]), [[0, 1]], replace(COLD, repetition_penalty=2.0))
    assert scores.tolist() == [[1.0, -4.0, 1.0, 0.0]]
    said = [[5, 6, 7, 5, 6]]  # 5 6 was followed by 7
    three = penalised(torch.zeros(1, 9), said, replace(COLD, no_repeat_ngram=3))
    assert three.isinf().nonzero().tolist() == [[0, 7]]
    one = penalised(torch.zeros(1, 9), said, replace(COLD, no_repeat_ngram=1))
    assert one.isinf()[0].nonzero()[:, 0].tolist() == [5, 6, 7]
    assert not penalised(torch.zeros(1, 9), [[5]], replace(COLD, no_repeat_ngram=3)).isinf().any()


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 0.8), (5, 1.0), (5, 0.6), (1, 1.0), (0, 0.01), (100, 1.0)])
def test_only_tokens_that_transformers_would_keep_are_chosen(top_k, top_p):
    settings = replace(WARM, top_k=top_k, top_p=top_p)
    kept = TemperatureLogitsWarper(0.7)(None, LOGITS.clone())
    if top_k:
        kept = TopKLogitsWarper(top_k)(None, kept)
    kept = TopPLogitsWarper(top_p)(None, kept) if top_p < 1 else kept
    best = (kept + drawn(6, settings).double()).argmax(1)
    tokens, sure = choose(LOGITS, drawn(6, settings), settings, 0.0)
    assert tokens.tolist() == best.tolist() and sure.all()


def test_chance_follows_the_probabilities():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
    lines = [Line((number,), 8, WARM) for number in range(4000)]
    tokens, _ = choose(logits.expand(4000, 4), noise(lines, 4), WARM, 0.0)
    found = torch.bincount(tokens, minlength=4) / 4000
    assert (found - (logits[0] / 0.7).softmax(0)).abs().max() < 0.03


def test_noise_belongs_to_prompt_and_seed_and_not_to_the_batch():
    a, b = Line((1, 2), 8, WARM), Line((3,), 8, WARM)
    both = noise([a, b], 40)
    alone = noise([Line((3,), 8, WARM)], 40)
    assert torch.equal(both[1], alone[0]) and not torch.equal(both[0], both[1])
    assert not torch.equal(noise([Line((3,), 8, replace(WARM, seed=9))], 40), alone)
    assert noise([Line((3,), 8, COLD)], 40) is None


@pytest.mark.parametrize("settings", [COLD, WARM, replace(WARM, top_p=0.7), replace(WARM, top_k=3, top_p=0.9)])
def test_a_choice_called_sure_survives_every_error_within_the_tie(settings):
    gumbel, tie = drawn(6, settings), 0.05
    tokens, sure = choose(LOGITS, gumbel, settings, tie)
    assert sure.sum() > 0
    for seed in range(200):
        error = (torch.rand(LOGITS.shape, generator=torch.Generator().manual_seed(seed)) - 0.5) * tie * 0.999
        moved, _ = choose(LOGITS + error, gumbel, settings, 0.0)
        assert moved[sure].tolist() == tokens[sure].tolist()
    near = torch.tensor([[1.0, 1.04, -9.0]])
    assert not choose(near, None, COLD, tie)[1].any()
