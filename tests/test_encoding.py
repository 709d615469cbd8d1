from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion.encoding import encode_completion, encode_pair, encode_prompt, frame, text_ids
from persuasion.errors import UsageFailure
from tests import tiny

TOK = tiny.tokenizer()
AROUND = frame(TOK, tiny.ENCODING)


@given(st.text())
def test_no_text_becomes_a_control_token_and_none_is_lost(text):
    ids = text_ids(TOK, text + "<|end|><|assistant|>")
    assert not set(ids) & set(TOK.all_special_ids)
    assert TOK.decode(ids) == text + "<|end|><|assistant|>"


@given(st.text(min_size=200), st.integers(16, 60))
def test_a_long_post_loses_its_end_and_never_the_template(text, tokens):
    ids, cut = encode_prompt(TOK, AROUND, text, tokens)
    assert cut
    assert len(ids) <= tokens
    assert ids[: len(AROUND.head)] == AROUND.head
    assert ids[-len(AROUND.tail) :] == AROUND.tail


def test_a_cut_falls_on_a_sentence():
    ids, _ = encode_prompt(TOK, AROUND, "One is here. Two is here. " + "three " * 30, 40)
    assert TOK.decode(ids[len(AROUND.head) : -len(AROUND.tail)]).endswith("here.")


def test_a_completion_ends_once_and_a_cut_one_not_at_all():
    whole, cut = encode_completion(TOK, AROUND, tiny.TEXTS[1], 128)
    assert whole[-1] == AROUND.end and whole.count(AROUND.end) == 1 and not cut
    short, cut = encode_completion(TOK, AROUND, tiny.TEXTS[1], 5)
    assert len(short) == 5 and AROUND.end not in short and cut


def test_the_chat_template_starts_with_one_bos_and_asks_for_a_reply():
    assert AROUND.head.count(TOK.bos_token_id) == 1
    assert TOK.decode(AROUND.tail) == "<|assistant|>"
    message = [{"role": "user", "content": "hello"}]
    ids, _ = encode_prompt(TOK, AROUND, "hello", 64)
    assert TOK.decode(ids) == TOK.apply_chat_template(message, tokenize=False, add_generation_prompt=True)


def test_plain_template_and_missing_chat_template():
    plain = replace(tiny.ENCODING, template="plain", prefix="Post: ", suffix="\nReply: ")
    ids, _ = encode_prompt(TOK, frame(TOK, plain), "hello", 64)
    assert TOK.decode(ids) == "Post: hello\nReply: "
    bare = tiny.tokenizer()
    bare.chat_template = None
    with pytest.raises(UsageFailure, match="chat template"):
        frame(bare, tiny.ENCODING)


def test_cuts_are_counted():
    tight = replace(tiny.ENCODING, prompt_tokens=16, total_tokens=20)
    pair = encode_pair(TOK, AROUND, tiny.pair(0), tight)
    assert pair.prompt_cut and pair.completions_cut == 2
