import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persuasion import models, replying
from persuasion.encoding import encode_completion, encode_pair, encode_prompt, encode_thread, frame, text_ids
from persuasion.errors import DataFailure, UsageFailure
from persuasion.scoring import encode_pairs, encoded_ones
from tests import tiny
from tests.closures import ROOT

TOK = tiny.tokenizer()
AROUND = frame(TOK, tiny.ENCODING)


@given(st.text())
def test_no_text_becomes_a_control_token_and_none_is_lost(text):
    ids = text_ids(TOK, AROUND, text + "<|end|><|assistant|>")
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
    assert pair.prompt_lost and pair.chosen_lost and pair.rejected_lost


@given(st.text(), st.text(), st.integers(16, 40), st.integers(1, 30))
def test_what_is_kept_and_what_is_cut_are_the_whole_text(post, reply, tokens, more):
    pair = encode_pair(
        TOK,
        AROUND,
        tiny.pair(0, prompt=post, chosen=reply),
        replace(tiny.ENCODING, prompt_tokens=tokens, total_tokens=tokens + more),
    )
    head, tail = len(AROUND.head), len(AROUND.tail)
    assert TOK.decode(pair.prompt[head:-tail] + pair.prompt_lost) == post
    assert TOK.decode(pair.chosen + pair.chosen_lost) == reply + TOK.eos_token
    assert pair.chosen and pair.rejected and len(pair.prompt) + len(pair.chosen) <= tokens + more


WORDS = ["One is", " two", " and", " three", ".", "?!", '."', "!**", ".)", "\n", " so", " more"]
SENTENCE_END = r"\w[.!?\n]+[\"')*]* "
CLOSING = models.new_tokenizer([f"a{word} " for word in WORDS] * 9, 400)  # has tokens such as ."


@given(st.lists(st.sampled_from(WORDS), min_size=25), st.integers(16, 40))
def test_a_cut_falls_on_a_sentence_wherever_one_ends_in_the_second_half(words, tokens):
    ids, lost = encode_prompt(CLOSING, frame(CLOSING, tiny.ENCODING), "".join(words) + " more" * 60, tokens)
    kept = ids[len(AROUND.head) : -len(AROUND.tail)]
    window = (*kept, *lost)[: tokens - len(AROUND.head) - len(AROUND.tail)]
    assert lost and len(kept) > len(window) // 2
    late, rest = CLOSING.decode(window[len(window) // 2 :])[1:], CLOSING.decode(window[len(kept) :])
    if re.search(SENTENCE_END, late):
        assert re.search(r"[.!?\n][\"')*]* *$", CLOSING.decode(kept))
    assert not re.search(SENTENCE_END, rest)


def test_a_pair_of_which_nothing_is_left_to_judge_is_dropped_and_never_silently():
    tight = replace(tiny.ENCODING, prompt_tokens=16, total_tokens=18)
    plain = replace(tight, template="plain")
    same = tiny.pair(1, prompt="word " * 99, chosen="You name it", rejected="You name another")
    assert encode_pair(TOK, AROUND, tiny.pair(0, chosen=""), tight).unfit == "empty_completion"
    assert encode_pair(TOK, AROUND, same, tight).unfit == "same_completions"
    assert encode_pair(TOK, frame(TOK, plain), tiny.pair(0, prompt=""), plain).unfit == "empty_prompt"
    pairs = [tiny.pair(0, rejected=""), *tiny.pairs()[1:]]
    encoded = encode_pairs(TOK, pairs, tiny.ENCODING)
    assert [pair.pair_id for pair in encoded_ones(pairs, encoded)] == [pair.pair_id for pair in encoded] != []
    assert len(pairs) - len(encoded) == 1
    with pytest.raises(DataFailure, match="none of 1 pairs"):
        encode_pairs(TOK, pairs[:1], tiny.ENCODING)


@pytest.mark.parametrize("quirk", tiny.QUIRKS)
@pytest.mark.parametrize("template", ["chat", "plain"])
def test_no_tokenizer_puts_control_tokens_into_texts(quirk, template):
    tok = tiny.QUIRKS[quirk]()
    settings = replace(tiny.ENCODING, template=template, prefix="Post: ", suffix=" Reply: ")
    around = frame(tok, settings)
    assert around.head.count(tok.bos_token_id) == bool(tok.bos_token and (template == "chat" or quirk == "adds bos"))
    control = "".join(filter(None, (tok.eos_token, tok.bos_token, tok.pad_token)))
    hostile = tiny.pair(0, prompt=f"A nap {control} helps", chosen=f"It {control} does", rejected=control + " no")
    pair = encode_pair(tok, around, hostile, settings)
    special = {tok.bos_token_id, tok.eos_token_id, tok.pad_token_id} - {None}
    assert not special & set(pair.prompt[len(around.head) : -len(around.tail)])
    for ids in (pair.chosen, pair.rejected):
        assert ids[-1] == tok.eos_token_id and not special & set(ids[:-1]) and len(ids) > 2


def test_a_template_that_writes_the_date_gives_the_same_tokens_every_day():
    tok = tiny.tokenizer()
    tok.chat_template = "{% set day = strftime_now('%d %b %Y') %}Today: {{ day }} {{ messages[0]['content'] }}>"
    assert TOK.decode(frame(tok, tiny.ENCODING).head) == "Today: 26 Jul 2024 "


@pytest.mark.parametrize(
    "template", ["{{ messages[0]['content'] * 2 }}", "Hello", "{{ raise_exception('a system message is needed') }}"]
)
def test_a_template_that_does_not_show_the_post_once_is_refused(template):
    tok = tiny.tokenizer()
    tok.chat_template = template
    with pytest.raises(UsageFailure, match="does not show a user's text once"):
        frame(tok, tiny.ENCODING)


def test_reference_training_evaluation_generation_and_the_small_base_agree_on_ids(monkeypatch):
    """The first three share `encode_pairs`; the two others are asked."""
    texts = ["I may be wrong. " * 40, "Short."]
    pairs = [tiny.pair(n, prompt=text, chosen=text, rejected="No. " + text) for n, text in enumerate(texts)]
    encoded = encode_pairs(TOK, pairs, tiny.ENCODING)
    asked = []
    monkeypatch.setattr(replying, "sample", lambda lm, tok, prompts, *settings: asked.extend(prompts) or prompts)
    posts = [replying.Post(pair.thread_id, pair.prompt, pair.chosen) for pair in pairs]
    replying.replies(None, TOK, replying.asked(TOK, posts, tiny.ENCODING), tiny.PARAMS.generate)
    assert asked == [pair.prompt for pair in encoded]
    for pair, same in zip(pairs, encoded, strict=True):
        group = encode_thread(TOK, AROUND, pair.prompt, [pair.chosen, pair.rejected], tiny.ENCODING)
        assert (group.prompt, *group.completions) == (same.prompt, same.chosen, same.rejected)
    for stage in ("reference", "train", "evaluate"):
        assert "encode_pairs(tokenizer, " in (ROOT / f"stages/{stage}.py").read_text(encoding="utf-8")


def test_only_one_room_calls_a_tokenizer():
    calls = re.compile(r"\b(tokenizer|tok)\(|apply_chat_template\(")
    files = [*(ROOT / "persuasion").rglob("*.py"), *(ROOT / "stages").glob("*.py")]
    assert [path.stem for path in files if calls.search(path.read_text(encoding="utf-8"))] == ["encoding"]
