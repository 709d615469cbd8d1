"""Replies: what HF's own generate writes, whatever the batch, the order, the padding and the rows beside it."""

import random
from dataclasses import replace

import pytest
import torch

from persuasion import sampling, streams, unpadded
from persuasion.decoding import TIES, tie
from persuasion.encoding import encode_prompt, frame
from persuasion.sampling import Sampled, batches, greedy, sample
from persuasion.unpadded import Unpadded
from tests import tiny

TOK = tiny.tokenizer()
LM = tiny.llama(len(TOK))
AROUND = frame(TOK, tiny.ENCODING)
PROMPTS = [encode_prompt(TOK, AROUND, text, 64)[0] for text in tiny.TEXTS]
MANY = [prompt[: 4 + number] for number, prompt in enumerate(PROMPTS * 3)]
WARM = replace(greedy(12, 4), temperature=1.0, top_p=0.95, seed=1)


def one_by_one(lm, prompts, tokens):
    """HF's generate, one prompt at a time."""
    given = {"max_new_tokens": tokens, "do_sample": False, "pad_token_id": 0, "eos_token_id": TOK.eos_token_id}
    rows = []
    for prompt in prompts:
        out = lm.generate(torch.tensor([prompt]), **given)[0].tolist()
        ids = out[0 if lm.config.is_encoder_decoder else len(prompt) :][lm.config.is_encoder_decoder :]
        rows.append(ids[: ids.index(TOK.eos_token_id)] if TOK.eos_token_id in ids else ids)
    return [TOK.decode(ids, skip_special_tokens=True).strip() for ids in rows]


@pytest.mark.parametrize(
    ("family", "extra"),
    [("llama", {}), ("qwen3", {}), ("gpt2", tiny.PACKED["gpt2"]), ("mistral", {"sliding_window": 8}),
     ("gemma2", tiny.PLAIN["gemma2"]), ("t5", tiny.LAYERS)],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_greedy_replies_are_those_of_transformers(family, extra):
    lm = tiny.shaped(family, len(TOK), extra)
    replies = sample(lm, TOK, MANY, greedy(12, 5))
    assert [reply.text for reply in replies] == one_by_one(lm, MANY, 12)


@pytest.mark.parametrize("settings", [greedy(12, 4), WARM, replace(WARM, repetition_penalty=1.3, no_repeat_ngram=3)])
def test_neither_batch_nor_order_changes_a_reply(settings):
    lm = tiny.llama(len(TOK)).float()
    expected = sample(lm, TOK, MANY, replace(settings, batch_size=1))
    order = random.Random(2).sample(range(len(MANY)), len(MANY))
    for size in (3, 12):
        mixed = sample(lm, TOK, [MANY[place] for place in order], replace(settings, batch_size=size))
        assert [mixed[order.index(place)] for place in range(len(MANY))] == expected


class Rounding(torch.nn.Module):
    """Turns near ties in every batch of more than one row, as other kernels do; ties are many."""

    def __init__(self, lm):
        super().__init__()
        self.lm, self.config, self.device = lm, lm.config, lm.device

    def forward(self, input_ids=None, attention_mask=None, position_ids=None, past_key_values=None, use_cache=True):
        out = self.lm(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids,
                      past_key_values=past_key_values, use_cache=use_cache)  # fmt: skip
        out.logits = ((out.logits * 4).round() / 4).float()
        if len(input_ids) > 1:
            chance = torch.Generator().manual_seed(len(input_ids))
            most = 0.9 * TIES[torch.float32] * out.logits.abs().max()
            out.logits += (torch.rand(out.logits.shape, generator=chance) - 0.5) * most
        return out


@pytest.mark.parametrize("settings", [greedy(12, 4), WARM])
def test_rounding_never_decides_between_tokens(settings, monkeypatch):
    lm = Rounding(tiny.llama(len(TOK)))
    expected = sample(lm, TOK, MANY, replace(settings, batch_size=1))
    assert sample(lm, TOK, MANY, replace(settings, batch_size=5)) == expected
    if settings.temperature == 0:  # what it would do otherwise
        monkeypatch.setattr(sampling, "tie", lambda logits: 0.0)
        assert sample(lm, TOK, MANY, replace(settings, batch_size=5)) != expected


def test_the_seed_decides_what_is_sampled():
    assert sample(LM, TOK, PROMPTS, WARM) == sample(LM, TOK, PROMPTS, WARM)
    assert sample(LM, TOK, PROMPTS, WARM) != sample(LM, TOK, PROMPTS, replace(WARM, seed=2))


def said(monkeypatch, settings):
    """The tokens of each reply."""
    rows = []
    with monkeypatch.context() as here:
        here.setattr(sampling, "_text", lambda tokenizer, ids: rows.append(ids) or "")
        sample(LM, TOK, MANY, settings)
    return rows


def test_penalties_reach_the_reply(monkeypatch):
    assert any(len(set(ids)) < len(ids) for ids in said(monkeypatch, greedy(40, 4)))
    assert all(len(set(ids)) == len(ids) for ids in said(monkeypatch, replace(greedy(40, 4), no_repeat_ngram=1)))


def test_a_reply_says_whether_the_model_ended_it():
    """The first greedy token of a reply, declared the end, must end it at once and stay out of it."""
    first = LM.generate(torch.tensor([PROMPTS[0]]), max_new_tokens=1, do_sample=False)[0, -1].item()
    assert first != TOK.eos_token_id
    running = sample(LM, TOK, PROMPTS[:1], greedy(5, 1))[0]
    assert (running.tokens, running.stopped) == (5, False)
    ending = tiny.tokenizer()
    ending.eos_token = TOK.convert_ids_to_tokens(first)
    assert sample(LM, ending, PROMPTS[:1], greedy(5, 1)) == [Sampled("", 0, True)]


def test_a_reply_ends_where_the_models_positions_end():
    lm = tiny.shaped("gpt2", len(TOK), {**tiny.PACKED["gpt2"], "max_position_embeddings": 20})
    replies = sample(lm, TOK, [MANY[0], MANY[1][:4] * 4], greedy(40, 2))
    assert all(reply.stopped or reply.tokens == room for reply, room in zip(replies, (16, 4), strict=True))


def test_like_lengths_share_a_batch_and_every_place_is_dealt_once():
    dealt = batches([5, 1, 9, 1, 7], {3}, 2)
    assert dealt == [[2, 4], [0, 1]]


def test_rows_that_end_leave_and_the_others_go_on(monkeypatch):
    """With many ends of different lengths, texts are still those written alone."""
    ending = tiny.tokenizer()
    ids = said(monkeypatch, WARM)
    common = max(sorted({one for row in ids for one in row}), key=lambda one: sum(one in row for row in ids))
    ending.eos_token = TOK.convert_ids_to_tokens(common)
    apart = sample(LM, ending, MANY, replace(WARM, batch_size=1))
    assert any(reply.stopped for reply in apart) and len({reply.tokens for reply in apart}) > 1
    assert sample(LM, ending, MANY, replace(WARM, batch_size=12)) == apart


@pytest.mark.parametrize("family", ["llama", "mistral", "qwen2"])
def test_prompts_read_without_padding_give_the_same_logits_after_every_token_and_change(family):
    """Against a pass over each reply alone, also when some have left and room was made anew."""
    lm = tiny.shaped(family, len(TOK), tiny.PACKED[family])
    prompts = [list(prompt) for prompt in MANY[:5]]
    fast, slow = streams.begun(lm, prompts, 0), streams.Stream(lm, prompts, 0)
    assert isinstance(fast, Unpadded)
    rows = prompts
    for step in range(unpadded.ROOM + 9):
        with torch.no_grad():
            alone = torch.cat([lm(torch.tensor([row])).logits[:, -1] for row in rows])
        assert (fast.logits - alone).abs().max() < 1e-9 and (slow.logits - alone).abs().max() < 1e-9
        if step in (3, 40):
            left = [1, 3, 4] if step == 3 else [0, 2]
            rows = [rows[at] for at in left]
            for stream in (fast, slow):
                stream.select(left)
        tokens = [(7 * step + at) % len(TOK) for at in range(len(rows))]
        rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
        with torch.no_grad():
            for stream in (fast, slow):
                stream.step(tokens)


def test_what_rounding_moves_is_far_below_what_is_called_a_tie():
    lm = tiny.llama(len(TOK)).float()
    with torch.no_grad():
        together = streams.begun(lm, MANY, 0).logits
        apart = torch.cat([streams.alone(lm, prompt, []) for prompt in MANY])
    assert (together - apart).abs().max() < tie(together) / 5
