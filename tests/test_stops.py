"""A training that goes wrong stops at once, says why with its exit code, and leaves nothing that looks finished."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from persuasion import models
from persuasion.errors import IntegrityFailure, UsageFailure
from persuasion.files import digest
from persuasion.guards import check_trainable
from persuasion.records import Reference
from persuasion.tables import read_rows, write_rows
from tests import tiny
from tests.workbench import bench, bytes_of, twin

CPU = torch.device("cpu")
AT_STEP_6 = """
plain = stage.training.PairTrainer.training_step
def step(trainer, *args, **kwargs):
    if trainer.state.global_step == 5:
        weights = [p for name, p in trainer.model.named_parameters() if "lora_B" in name]
        {deed}
    return plain(trainer, *args, **kwargs)
stage.training.PairTrainer.training_step = step
"""


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "start")
    assert server.run(folder, "reference").code == 0
    return folder


@pytest.fixture(scope="module")
def trained(server, start):
    folder = twin(start, "trained")
    assert server.run(folder).code == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("deed", "code", "says"),
    [
        ("weights[0].data.fill_(float('nan'))", 6, "the loss is nan at step 6"),
        ("weights[0].register_hook(lambda gradient: gradient * float('inf'))", 6, "the gradient norm is "),
        ("torch = __import__('torch'); torch.empty(1 << 50)", 4, "out of memory\n  fix: lower train.batch_size"),
        ("raise MemoryError", 4, "out of memory"),
    ],
)
def test_what_goes_wrong_at_a_step_keeps_what_was_good(server, start, trained, deed, code, says):
    folder = twin(start, "wrong")
    ran = server.run(folder, patch=AT_STEP_6.format(deed=deed))
    assert ran.code == code and says in ran.said and "Traceback" not in ran.said
    assert not (folder / "models/adapter").exists() and not (folder / "metrics/train.json").exists()
    kept = sorted(path.parent.name for path in (folder / ".persuasion/checkpoints").glob("*/step-*/whole.json"))
    assert kept == ["step-00000004", "step-00000005"]
    if code == 6:
        facts = json.loads((folder / ".persuasion/diverged.json").read_text())
        assert facts["step"] == 6 and len(facts["pairs"]) == 2
        assert all(pair in ran.said for pair in facts["pairs"])
    assert server.run(folder).code == 0  # the cause gone, it goes on
    assert bytes_of(folder) == bytes_of(trained)
    assert not (folder / ".persuasion/diverged.json").exists()
    shutil.rmtree(folder)


def reference_of(folder, change):
    path = folder / "data/reference/logps.parquet"
    write_rows(path, [change(row) for row in read_rows(path, Reference)], Reference, "pair_id")


@pytest.mark.slow
def test_of_a_batch_only_the_pair_at_fault_is_named(server, start):
    folder = twin(start, "nan")
    nan = float("nan")
    reference_of(folder, lambda row: replace(row, reference_chosen_logp=nan) if row.pair_id == "p_7" else row)
    ran = server.run(folder)
    assert ran.code == 6
    assert json.loads((folder / ".persuasion/diverged.json").read_text())["pairs"] == ["p_7"]
    assert "pairs p_7 " in ran.said


@pytest.mark.slow
def test_a_reference_that_the_model_does_not_give_stops_before_the_first_step(server, start):
    folder = twin(start, "shifted")
    reference_of(folder, lambda row: replace(row, reference_chosen_logp=row.reference_chosen_logp - 5))
    ran = server.run(folder)
    assert ran.code == 7 and "before the first step" in ran.said
    assert "training_step" not in ran.events


@pytest.mark.slow
def test_an_adapter_that_no_step_changed_is_refused(server, start):
    folder = twin(start, "idle", **{"train.epochs": 1, "train.batch_size": 16})  # the only step warms up: rate 0
    ran = server.run(folder)
    assert ran.code == 7 and "no effect" in ran.said
    assert not (folder / "models/adapter").exists()


def test_nothing_to_train_is_refused():
    frozen = tiny.llama(len(tiny.tokenizer())).requires_grad_(False)
    with pytest.raises(UsageFailure, match="no parameter would be trained"):
        check_trainable(frozen)


@pytest.mark.parametrize(("lacks", "refused"), [("eos_token", True), ("pad_token", False)])
def test_a_tokenizer_needs_an_end_and_lends_it_as_padding(tmp_path, lacks, refused):
    tok = tiny.tokenizer()
    models.save_base(tiny.llama(len(tok)).float(), tok, tmp_path)
    path = tmp_path / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings[lacks]
    path.write_text(json.dumps(settings))
    if refused:
        with pytest.raises(UsageFailure, match="no end-of-sequence token"):
            models.load_base(tmp_path, tiny.PARAMS.compute, CPU)
    else:
        tok = models.load_base(tmp_path, tiny.PARAMS.compute, CPU)[1]
        assert tok.pad_token_id == tok.eos_token_id


def truncated(file):
    file.write_bytes(file.read_bytes()[:-100])


def edited(change):
    def edit(file):
        weights = load_file(file)
        change(weights, next(name for name in weights if "lora_B" in name))
        save_file(weights, file)

    return edit


BROKEN = {
    "truncated": (truncated, "cannot be read"),
    "missing": (lambda file: file.unlink(), "cannot be read"),
    "garbage": (lambda file: file.write_bytes(b"\x80\x04cos\nsystem\n"), "cannot be read"),
    "no config": (lambda file: (file.parent / "adapter_config.json").write_text("{"), "cannot be read"),
    "wrong shape": (edited(lambda w, name: w.update({name: w[name][:-1].contiguous()})), "cannot be read"),
    "extra key": (edited(lambda w, name: w.update({name.replace("lora_B", "lora_C"): w[name].clone()})), "not those"),
    "key left out": (edited(lambda w, name: w.pop(name)), "not those"),
    "all zero": (edited(lambda w, _: w.update({n: t * 0 for n, t in w.items()})), "no effect"),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_adapter_is_not_loaded(trained, tmp_path, how):
    breaks, says = BROKEN[how]
    adapter = tmp_path / "adapter"
    shutil.copytree(trained / "models/adapter", adapter)
    models.load_policy(trained / "models/base", adapter, tiny.PARAMS.compute, CPU)
    before = digest(adapter)
    breaks(adapter / "adapter_model.safetensors")
    assert digest(adapter) != before
    with pytest.raises(IntegrityFailure) as refused:
        models.load_policy(trained / "models/base", adapter, tiny.PARAMS.compute, CPU)
    assert says in str(refused.value)
