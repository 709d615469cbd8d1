"""What is trained on the base before `train`: a model of its own, which then is the reference."""

import json
import math
import shutil
import signal
from dataclasses import replace

import pytest

from persuasion.encoding import frame
from persuasion.errors import UsageFailure
from persuasion.files import digest
from persuasion.preparing import comments, truncated
from persuasion.records import CorpusThread
from persuasion.scoring import encode_pairs
from persuasion.tables import write_rows
from stages import sft
from tests import tiny
from tests.closures import ROOT
from tests.project import change
from tests.test_watching import rows
from tests.workbench import bench, twin

CHAIN = {"base.prepare.lm": ["base"], "base.prepare.sft": ["lm"], "base.serves": "sft", "base.prepare.epochs": 3,
         "base.prepare.learning_rate": 0.02, "train.log_every": 1}  # fmt: skip


def threads():
    texts = tiny.TEXTS
    return [
        CorpusThread(thread_id=f"t3_{n}", prompt=f"CMV: view {n}", completions=tuple(texts[: n + 1])) for n in range(3)
    ]


def test_every_comment_is_learnt_once_and_every_post_once():
    tok = tiny.tokenizer()
    found = comments(tok, threads(), tiny.ENCODING)
    assert len(found) == 6
    whole = [pair for pair in found if not pair.prompt]
    tail = frame(tok, tiny.ENCODING).tail
    assert [tok.decode(pair.chosen).count("CMV: view") for pair in found] == [1, 1, 0, 1, 0, 0]
    assert len(whole) == 3 and all(pair.prompt[-len(tail) :] == tail for pair in found if pair.prompt)
    assert truncated(found) == {"prompt": 0, "completion": 0}


def test_what_the_budgets_cut_is_counted():
    long = [replace(threads()[2], prompt="CMV: " + "words and more words. " * 40), *threads()[:2]]
    settings = replace(tiny.ENCODING, prompt_tokens=40, total_tokens=44)
    found = comments(tiny.tokenizer(), long, settings)
    assert max(len(pair.prompt) + len(pair.chosen) for pair in found) <= 44
    counted = truncated(found)
    assert counted["prompt"] == 3 and 3 <= counted["completion"] <= 6
    assert truncated(encode_pairs(tiny.tokenizer(), [tiny.pair(1, prompt="CMV: " + "words. " * 99)], settings)) == {
        "prompt": 1, "completion": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "start", **CHAIN)
    for split in ("train", "validation"):
        write_rows(folder / f"data/corpus/small/{split}.parquet", threads(), CorpusThread, "thread_id")
    return folder


@pytest.fixture(scope="module")
def chain(server, start):
    """The whole chain, and how its sft ran."""
    folder, ran = twin(start, "chain"), {}
    for stage in ("lm", "sft", "reference", "train"):
        ran[stage] = server.run(folder, stage)
        assert ran[stage].code == 0, ran[stage].said
    return folder, ran


@pytest.mark.slow
def test_the_reference_is_the_tuned_model_and_training_starts_at_ln_2(chain):
    folder, _ = chain
    assert rows(folder, "training")[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    served = digest(folder / "models/sft")
    assert json.loads((folder / "data/reference/key.json").read_text())["base_sha256"] == served
    assert json.loads((folder / "models/adapter/persuasion.json").read_text())["base_sha256"] == served
    adapter = json.loads((folder / "models/adapter/adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == "models/sft"
    assert len({digest(folder / f"models/{name}") for name in ("base", "lm", "sft")}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("step", ["lm", "sft"])
def test_each_step_learns(chain, step):
    figures = json.loads((chain[0] / f"metrics/{step}.json").read_text())[step]
    assert figures["perplexity"]["after"] < figures["perplexity"]["before"]
    assert figures["steps"] >= 3


@pytest.mark.slow
def test_killed_it_ends_with_the_same_model(server, start, chain):
    folder = twin(start, "killed")
    at = [n for n, kind in enumerate(chain[1]["lm"].events, 1) if kind == "training_step"][-1]
    assert server.run(folder, "lm", at=at).code == -signal.SIGKILL
    again = server.run(folder, "lm")
    assert again.code == 0 and "training: continues from step-" in again.said
    assert "train:" not in again.said  # no word of another stage
    assert digest(folder / "models/lm") == digest(chain[0] / "models/lm")


@pytest.mark.slow
def test_a_reference_of_another_link_is_refused(server, chain):
    folder = twin(chain[0], "lm-only", **{"base.prepare.sft": [], "base.serves": "lm"})
    ran = server.run(folder)
    assert ran.code == 7 and "base_sha256" in ran.said


@pytest.mark.slow
def test_a_search_of_train_leaves_the_model_as_it_is(server, start, chain):
    other = {"train.learning_rate": 0.5, "lora.r": 4, "dpo.beta": 0.3, "train.method": "kto", "train.seed": 9}
    folder = twin(start, "search", **other)
    assert server.run(folder, "lm").code == 0
    assert digest(folder / "models/lm") == digest(chain[0] / "models/lm")


@pytest.mark.slow
def test_a_step_that_is_not_asked_for_says_so(server, start):
    folder = twin(start, "none", **{"base.prepare.lm": [], "base.prepare.sft": [], "base.serves": "base"})
    ran = server.run(folder, "lm")
    assert ran.code == 2 and "base.prepare.lm is empty" in ran.said


def test_a_base_in_4_bits_takes_up_nothing(tmp_path, monkeypatch):
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    change(tmp_path, {"compute.quantize": "4bit"})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageFailure, match=r"compute\.quantize is 4bit"):
        sft.main()
