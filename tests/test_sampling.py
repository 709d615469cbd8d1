from dataclasses import replace

import torch

from persuasion.encoding import encode_prompt, frame
from persuasion.sampling import Sampled, greedy, sample
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


def test_a_reply_says_whether_the_model_ended_it():
    """The first greedy token of a reply, declared the end, must end it at once and stay out of it."""
    first = LM.generate(torch.tensor([PROMPTS[0]]), max_new_tokens=1, do_sample=False)[0, -1].item()
    assert first != TOK.eos_token_id
    running = sample(LM, TOK, PROMPTS[:1], greedy(5, 1))[0]
    assert (running.tokens, running.stopped) == (5, False)
    ending = tiny.tokenizer()
    ending.eos_token = TOK.convert_ids_to_tokens(first)
    assert sample(LM, ending, PROMPTS[:1], greedy(5, 1)) == [Sampled("", 0, True)]
