from dataclasses import replace

import pytest
import torch

from persuasion import models
from persuasion.encoding import encode_thread, frame
from persuasion.errors import TrainingFailure
from persuasion.pretraining import perplexity, pretrain
from tests import tiny

TOK = tiny.tokenizer()
GROUPS = [encode_thread(TOK, frame(TOK, tiny.ENCODING), tiny.TEXTS[0], tiny.TEXTS[1:], tiny.ENCODING)] * 4
SETTINGS = replace(tiny.PARAMS.model.small, width=32, heads=4, layers=1, epochs=40, batch_threads=2)


def trained(settings=SETTINGS):
    torch.manual_seed(0)
    lm = models.new_small(TOK, settings)
    before = perplexity(lm, GROUPS, 512)
    return lm, before, pretrain(lm, GROUPS, settings)


def test_it_learns_and_the_same_seed_gives_the_same_weights():
    (lm, before, steps), (again, _, _) = trained(), trained()
    assert steps == 80
    assert perplexity(lm, GROUPS, 512) < before / 4
    assert all(torch.equal(a, b) for a, b in zip(lm.parameters(), again.parameters(), strict=True))


def test_an_untrained_model_is_near_a_uniform_guess_and_batches_do_not_matter():
    torch.manual_seed(0)
    lm = models.new_small(TOK, SETTINGS).double()
    assert perplexity(lm, GROUPS, 1) == pytest.approx(perplexity(lm, GROUPS, 10_000))
    assert perplexity(lm, GROUPS, 512) == pytest.approx(len(TOK), rel=0.3)


def test_divergence_stops_it():
    with pytest.raises(TrainingFailure, match="loss is nan"):
        trained(replace(SETTINGS, learning_rate=1e20))
