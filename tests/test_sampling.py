from dataclasses import replace

import pytest

from persuasion.encoding import encode_prompt, frame
from persuasion.sampling import greedy, sample
from tests import tiny

TOK = tiny.tokenizer()
LM = tiny.llama(len(TOK))
AROUND = frame(TOK, tiny.ENCODING)
PROMPTS = [encode_prompt(TOK, AROUND, text, 64)[0] for text in tiny.TEXTS]


def test_padding_and_batching_never_change_a_greedy_reply():
    together, alone = (sample(LM, TOK, PROMPTS, greedy(12, size)) for size in (4, 1))
    assert together == alone
    assert all(reply.tokens <= 12 for reply in together)


def test_the_seed_decides_what_is_sampled():
    warm = replace(greedy(12, 4), temperature=1.0, seed=1)
    assert sample(LM, TOK, PROMPTS, warm) == sample(LM, TOK, PROMPTS, warm)
    assert sample(LM, TOK, PROMPTS, warm) != sample(LM, TOK, PROMPTS, replace(warm, seed=2))


@pytest.mark.parametrize("loud", [True, False])
def test_a_reply_says_whether_the_model_ended_it(loud):
    lm = tiny.llama(len(TOK))
    head = lm.get_output_embeddings().weight.data
    head.zero_()
    head[TOK.eos_token_id if loud else 40] = 1.0
    lm.model.norm.weight.data.fill_(1.0)
    replies = sample(lm, TOK, PROMPTS, greedy(5, 4))
    assert {reply.stopped for reply in replies} <= {True, False}
    assert all(reply.stopped == (reply.tokens < 5) for reply in replies)
