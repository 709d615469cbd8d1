"""The stage on a tiny model: what it writes, that a kill changes nothing, what it refuses, and the gate."""

import json
from dataclasses import replace

import pytest
import torch
from peft import LoraConfig, get_peft_model

from persuasion import sampling
from persuasion.crisis import RESOURCE_MESSAGE
from persuasion.errors import IntegrityFailure, SafetyFailure
from persuasion.files import digest, write_json
from persuasion.lexicons import LEXICONS
from persuasion.models import KEY, load_base
from persuasion.records import Pair, Reply
from persuasion.replying import Post, asked, held_out, replies
from persuasion.running import Terminated
from persuasion.tables import read_rows, write_rows
from persuasion.touchstones import POSTS, PREFIX
from stages import generate
from tests import tiny
from tests.project import change
from tests.workbench import bench

CHANGES = {"compute.threads": 1, "generate.max_tokens": 6, "generate.batch_size": 4, "generate.prompts": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A workspace with an adapter that does something, and one validation post in crisis."""
    folder = bench(tmp_path_factory.mktemp("generate") / "bench", **CHANGES)
    base = folder / "models/base"
    lm, tokenizer = load_base(base, tiny.PARAMS.compute, torch.device("cpu"))
    torch.manual_seed(0)
    policy = get_peft_model(lm, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM"))
    for name, weights in policy.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.5)
    policy.save_pretrained(folder / "models/adapter")
    tokenizer.save_pretrained(folder / "models/adapter")
    write_json(folder / "models/adapter" / KEY, {"base_sha256": digest(base)})
    path = folder / "data/pairs/validation.parquet"
    rows = [replace(row, prompt=f"CMV: view of {row.pair_id}") for row in read_rows(path, Pair)]
    rows[0] = replace(rows[0], prompt="CMV: nothing helps\n\nI want to kill myself.")
    write_rows(path, rows, Pair, "pair_id")
    return folder


@pytest.fixture
def stage(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return generate


@pytest.fixture(scope="module")
def plain(folder):
    """The bytes of an undisturbed run."""
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        generate.main()
        return written(folder)


def written(folder):
    return [(folder / path).read_bytes() for path in (generate.REPLIES, generate.METRICS)]


def test_both_models_answer_every_post_and_challenge(folder, plain):
    rows = {row.thread_id: row for row in read_rows(folder / generate.REPLIES, Reply)}
    assert len(rows) == 3 + len(POSTS) and {f"{PREFIX}{name}" for name in POSTS} < set(rows)
    assert any(row.text != row.base_text for row in rows.values())
    in_crisis = {name for name, row in rows.items() if row.crisis}
    assert in_crisis == {
        min(name for name in rows if name.startswith("t3_")),
        f"{PREFIX}crisis_self",
        f"{PREFIX}crisis_abuse",
    }
    assert all(rows[name].text == rows[name].base_text == RESOURCE_MESSAGE for name in in_crisis)
    assert RESOURCE_MESSAGE not in {row.text for name, row in rows.items() if name not in in_crisis}


def test_the_figures_add_up_and_are_named(folder, plain):
    figures = json.loads(plain[1], parse_constant=pytest.fail)["generate"]
    assert (figures["replies"], figures["crisis_posts"]) == (2, 1)
    assert figures["challenge"]["replies"] + figures["challenge"]["crisis_posts"] == len(POSTS)
    for side in (figures, figures["base"]):
        named = "eos_rate distinct_1 distinct_2 distinct_3 self_bleu repetition_4 copy_rate copied_run_max tokens_mean"
        assert set(named.split()) | {"relevance", "readability", "style", "safety"} <= set(side)
    assert figures["safety_measured"]["self_harm"]["recall"] > 0.9
    assert "judge_proxy" not in figures


@pytest.mark.parametrize(("batches", "left"), [(1, 4 + 5), (3, 1 + 5), (5, 4)])
def test_a_run_killed_between_batches_goes_on_and_ends_with_the_same_bytes(
    stage, folder, plain, monkeypatch, batches, left
):
    count, whole = 0, sampling._batch

    def killed(*given):
        nonlocal count
        count += 1
        if count > batches:
            raise Terminated
        return whole(*given)

    monkeypatch.setattr(sampling, "_batch", killed)
    with pytest.raises(Terminated):
        stage.main()
    assert not (folder / generate.REPLIES).exists() and not (folder / generate.METRICS).exists()
    again = 0

    def counted(*given):
        nonlocal again
        again += 1
        return whole(*given)

    monkeypatch.setattr(sampling, "_batch", counted)
    change(folder, {"generate.batch_size": 3})  # 15 posts a model, of which those of finished batches of 4 are done
    stage.main()
    change(folder, {"generate.batch_size": 4})
    assert written(folder) == plain
    assert again == left and not list((folder / ".persuasion/replies").iterdir())


def test_the_gate_stops_and_leaves_nothing(stage, folder, plain, monkeypatch):
    change(folder, {"safety.gate": True})
    monkeypatch.setattr(generate, "rates", lambda rows: dict.fromkeys(LEXICONS, 0.0) | {"threat": 0.5})
    with pytest.raises(SafetyFailure, match="exceed the safety gate"):
        stage.main()
    assert not (folder / generate.REPLIES).exists() and not (folder / generate.METRICS).exists()
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    change(folder, {"safety.gate": False, "judge.kind": "length"})
    stage.main()
    change(folder, {"judge.kind": "none"})
    assert written(folder)[0] == plain[0]
    assert json.loads(written(folder)[1])["generate"]["judge_proxy"]["pairs"] == 2


def test_training_posts_are_refused_unless_told():
    training = [tiny.pair(1), tiny.pair(2, prompt="CMV: a copy")]
    fresh = tiny.pair(3, prompt="CMV: new")
    settings = tiny.PARAMS.generate
    assert [post.thread_id for post in held_out([fresh, fresh], training, settings)] == ["t3_3"]
    for known in (tiny.pair(1, prompt="CMV: other words"), tiny.pair(4, prompt="CMV: a copy")):
        with pytest.raises(IntegrityFailure, match="were trained on"):
            held_out([fresh, known], training, settings)
        assert len(held_out([fresh, known], training, replace(settings, allow_train=True))) == 2


def test_a_post_in_crisis_never_reaches_the_model(monkeypatch):
    """With only such posts there is nothing to sample, and no model is needed."""
    monkeypatch.setattr(sampling, "_batch", lambda *given: pytest.fail("sampled"))
    post = Post("t3_1", "I want to kill myself.", "")
    found = replies(LM, TOK, asked(TOK, [post], tiny.ENCODING), tiny.PARAMS.generate)
    assert [reply.text for reply in found] == [RESOURCE_MESSAGE] and found[0].tokens == 0


TOK = tiny.tokenizer()
LM = tiny.llama(len(TOK))
