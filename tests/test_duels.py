"""Proxies: both orders, by hand; and real tiny models as hooks."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from persuasion import hooks, models
from persuasion.config import Judge, load_params
from persuasion.duels import duel, longer
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.records import Reply
from persuasion.undefined import NO_REPLIES, ONE_POST
from tests import tiny

CPU = torch.device("cpu")
COMPUTE = load_params().compute
TOK = tiny.tokenizer()


def reply(number, text, base):
    return Reply(thread_id=f"t3_{number}", prompt="CMV: naps", text=text, base_text=base, chosen="", seed=1,
                 stopped=True, base_stopped=True, crisis=False)  # fmt: skip


ROWS = [reply(0, "one two three", "one"), reply(1, "one", "one two"), reply(2, "a b c", "d e f"), reply(3, "a b", "a")]


def settings(kind, model=None):
    return Judge(kind=kind, model=model, bootstrap=200)


def test_the_longer_wins_whatever_the_order():
    found = duel(ROWS, longer, 200, 1)
    assert (found["win_rate"], found["first_rate"], found["consistency"]) == (2.5 / 4, 0.5, 1)
    assert found["win_rate_low"] <= found["win_rate"] <= found["win_rate_high"] and found["pairs"] == 4


def test_a_judge_that_only_likes_the_first_wins_nothing_and_is_found_out():
    found = duel(ROWS, lambda post, first, second: 0.9, 200, 1)
    assert (found["win_rate"], found["first_rate"], found["consistency"]) == (0.5, 1, 0)
    nothing = duel([], longer, 200, 1)
    assert nothing.pop("pairs") == 0 and set(nothing.values()) == {NO_REPLIES}
    assert duel(ROWS[:1], longer, 200, 1)["win_rate_low"] == ONE_POST


def classifier(folder, labels, **names):
    torch.manual_seed(0)
    names |= {"num_labels": labels, "pad_token_id": TOK.pad_token_id, "max_position_embeddings": 256}
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    config = LlamaConfig(vocab_size=len(TOK), **shape, **names)
    models.save_base(LlamaForSequenceClassification(config), TOK, folder)
    return folder


def test_a_reward_model_scores_each_reply_alone_so_that_order_is_nothing(tmp_path):
    judge = hooks.judgement(settings("reward", str(classifier(tmp_path, 1))), COMPUTE, CPU)
    found = duel(ROWS, judge, 200, 1)
    assert found["consistency"] == 1 and found["first_rate"] == 0.5
    assert judge("p", "one", "two") == pytest.approx(1 - judge("p", "two", "one"), abs=1e-6)


def test_a_classifiers_labels_are_shares(tmp_path):
    folder = classifier(tmp_path, 3, id2label={0: "Fine", 1: "Toxic speech!", 2: "odd"})
    found = hooks.classify(folder, ["one", "two words", "<|end|>", ""], CPU)
    assert set(found) == {"fine", "toxic_speech", "odd"} and sum(found.values()) == pytest.approx(1)
    assert hooks.classify(folder, [], CPU) == dict.fromkeys(found, NO_REPLIES)
    with pytest.raises(UsageFailure, match="gives 3 figures"):
        hooks.judgement(settings("reward", str(folder)), COMPUTE, CPU)


def test_a_language_model_is_asked_in_both_orders(tmp_path):
    lm = tiny.llama(len(TOK)).float()
    lm.config.max_position_embeddings = 700
    models.save_base(lm, TOK, tmp_path)
    judge = hooks.judgement(settings("llm", str(tmp_path)), COMPUTE, CPU)
    assert 0 < judge("CMV: naps", "one", "two") < 1
    assert duel(ROWS, judge, 200, 1)["pairs"] == 4
    with pytest.raises(UsageFailure, match="700 positions"):
        judge("words " * 900, "one", "two")


def test_no_judge_and_no_model(tmp_path):
    assert hooks.judgement(settings("none"), COMPUTE, CPU) is None
    assert hooks.judgement(settings("length"), COMPUTE, CPU) is longer
    with pytest.raises(SurroundingsFailure):
        hooks.judgement(settings("reward", str(tmp_path / "nowhere")), COMPUTE, CPU)
    models.save_base(tiny.llama(len(TOK)), TOK, tmp_path)  # it has no head of a classifier's
    with pytest.raises(SurroundingsFailure, match="it has no score"):
        hooks.classify(tmp_path, ["one"], CPU)


def test_labels_that_are_one_are_refused(tmp_path):
    with pytest.raises(UsageFailure, match="no labels that can be told apart"):
        hooks.classify(classifier(tmp_path, 2, id2label={0: "Toxic!", 1: "toxic"}), ["one"], CPU)
