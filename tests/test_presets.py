"""Presets: they replace each other cleanly, and each really trains, on a tiny model of the same architecture."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from persuasion.errors import UsageFailure
from persuasion.lab import presets
from persuasion.lab.workspace import flat
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.project import change, copied, run

NAMES = presets.names(ROOT)
PLAIN_SPECIALS = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
CHATML = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
HEADERS = (
    "{{ bos_token }}<|start_header_id|>system<|end_header_id|>\n\nToday is {{ strftime_now('%d %b %Y') }}<|eot_id|>"
    "{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>\n\n{{ m['content'] }}<|eot_id|>"
    "{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
# the shape and the tokenizer's ways of each preset's base: its family, its template, its special tokens
BASES = {
    "llama2-7b": ("llama", None, PLAIN_SPECIALS),
    "llama3.1-8b-fsdp": ("llama", HEADERS, {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}),
    "qwen2.5-1.5b": ("qwen2", CHATML, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}),
    "qwen2.5-1.5b-qlora": ("qwen2", CHATML, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}),
}
# what no CPU has, what would only take time, and more than one step from nine pairs
HERE = {
    "train.optimizer": "adamw_torch", "compute.quantize": "none", "compute.threads": 1, "train.sample_tokens": 6,
    "train.accumulation": 1,
}  # fmt: skip


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / ".git").mkdir()
    shutil.copytree(ROOT / "configs/presets", tmp_path / "configs/presets")
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_leaves_nothing_behind_when_another_follows(project, name):
    before = (project / "params.yaml").read_bytes()
    for other in NAMES:
        presets.apply(project, other)
    presets.apply(project, name)
    after = dict(flat(load_yaml(project / "params.yaml")))
    assert after == dict(flat(load_yaml(ROOT / "params.yaml"))) | dict(flat(load_yaml(presets.path_of(ROOT, name))))
    presets.apply(project, "small")
    assert (project / "params.yaml").read_bytes() == before


def test_every_preset_sets_the_same_parameters_and_pins_its_model():
    trees = {name: load_yaml(presets.path_of(ROOT, name)) for name in NAMES}
    assert len({frozenset(dict(flat(tree))) for tree in trees.values()}) == 1
    assert set(BASES) == {name for name, tree in trees.items() if tree["model"]["kind"] == "hub"}


def test_what_cannot_be_applied_changes_nothing(project):
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(UsageFailure, match="no preset qwen"):
        presets.apply(project, "qwen")
    (project / "configs/presets/bad.yaml").write_text("# Bad\ndpo: {betta: 1}\n")
    with pytest.raises(UsageFailure, match=r"dpo\.betta"):
        presets.apply(project, "bad")
    (project / "configs/presets/bad.yaml").write_text("# Bad\ndpo: {beta: 0}\n")
    with pytest.raises(UsageFailure, match=r"dpo\.beta is 0"):
        presets.apply(project, "bad")
    assert presets.apply(project, "qwen2.5-1.5b", dry_run=True)
    assert (project / "params.yaml").read_bytes() == before
    flow = "dpo: {beta: 0.5, loss: sigmoid, weights: null, label_smoothing: 0.0, ld_alpha: null}\n\n"
    (project / "params.yaml").write_text(re.sub(r"(?ms)^dpo:.*?(?=^kto:)", flow, before.decode()))
    with pytest.raises(UsageFailure, match="several keys"):
        presets.apply(project, "llama2-7b")


@pytest.mark.slow
def test_dvc_shows_a_preset_like_any_other_change(tmp_path):
    folder = copied(tmp_path)
    run(folder, "dvc", "init", "--quiet", "--force")
    env = {"PYTHONPATH": str(ROOT)}
    told = run(folder, sys.executable, "-m", "persuasion.lab.cli", "preset", "apply", "llama2-7b", "--json", **env)
    shown = json.loads(run(folder, "dvc", "params", "diff", "--json", **env).stdout)["params.yaml"]
    assert shown.keys() == {entry["name"] for entry in json.loads(told.stdout)}
    row = json.loads(run(folder, "dvc", "exp", "show", "--json", **env).stdout)[0]
    assert row["data"]["params"]["params.yaml"]["data"]["model"]["name"] == "meta-llama/Llama-2-7b-hf"


def tiny_base(folder: Path, family: str, template: str | None, specials: dict[str, str]) -> None:
    """A model of the family's shape in bfloat16 with a tokenizer of its ways, as the hub would give it."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from persuasion import models
    from tests import tiny

    backend = Tokenizer.from_str(tiny.tokenizer().backend_tokenizer.to_str())
    tok = tiny.metaspace() if template is None else PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    tok.chat_template = template
    folder.mkdir(parents=True)
    lm = tiny.shaped(family, len(tok), {"max_position_embeddings": 2048})
    models.save_base(lm.bfloat16(), tok, folder)


def prepared(folder: Path, name: str) -> Path:
    """A bench on which a preset was applied, its hub model swapped for a tiny local one."""
    from tests.workbench import bench

    bench(folder)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    shutil.copytree(ROOT / "configs/presets", folder / "configs/presets")
    presets.apply(folder, name)
    shutil.rmtree(folder / "models/base")
    tiny_base(folder / "hub", *BASES[name])
    change(folder, {"model.kind": "local", "model.name": "hub", "model.revision": None})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", BASES)
def test_a_preset_trains_a_tiny_model_of_its_architecture(tmp_path, server, name):
    folder = prepared(tmp_path / "bench", name)
    settings = load_yaml(folder / "params.yaml")
    if settings["compute"]["quantize"] == "4bit":  # without a GPU it stops at once and says so
        refused = server.run(folder, "base")
        assert refused.code == 4 and "compute.quantize is 4bit" in refused.said
    change(folder, HERE)
    for stage in ("base", "reference", "train"):
        ran = server.run(folder, stage)
        assert ran.code == 0, ran.said
    adapter = json.loads((folder / "models/adapter/adapter_config.json").read_text())
    assert (adapter["r"], adapter["lora_alpha"]) == (settings["lora"]["r"], settings["lora"]["alpha"])
    targets = settings["lora"]["targets"]
    assert targets == "all-linear" or set(adapter["target_modules"]) == set(targets)
    figures = json.loads((folder / "metrics/train.json").read_text())["train"]
    assert figures["steps"] > 0 and 0 < figures["loss"] < 1


def test_accelerate_reads_the_configuration_of_the_sharded_preset():
    """Sharding itself needs GPUs: accelerate knows no FSDP on CPUs."""
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(ROOT / "configs/fsdp.yaml"))
    assert config.distributed_type == "FSDP" and config.fsdp_config["fsdp_version"] == 2
    preset = load_yaml(presets.path_of(ROOT, "llama3.1-8b-fsdp"))
    assert config.num_processes == preset["train"]["processes"] == 2
    assert config.mixed_precision == "no"  # or the adapter's float32 would be computed in something else
