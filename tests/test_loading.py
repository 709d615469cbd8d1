"""``load_pairs`` and ``load_adapter``: a version in memory by one call, from a project's cache, refused when odd."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import persuasion
from persuasion.errors import DataFailure, IntegrityFailure, UsageFailure
from tests import tiny
from tests.closures import ROOT
from tests.project import run
from tests.workbench import bench

MAP = """
stages:
  train: {cmd: cp -r ../built/. ., deps: [word], outs: [data/pairs, models/base, models/adapter]}
artifacts:
  adapter: {path: models/adapter, type: model}
"""


def built(folder: Path) -> Path:
    """Pairs, a tiny base, and an adapter on it that does something."""
    import torch
    from peft import LoraConfig, get_peft_model

    from persuasion.files import digest
    from persuasion.models import KEY

    bench(folder)
    (folder / "params.yaml").unlink()
    tok = tiny.tokenizer()
    policy = get_peft_model(
        tiny.llama(len(tok)).float(), LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    )
    with torch.no_grad():
        for name, tensor in policy.named_parameters():
            if "lora_B" in name:
                tensor.fill_(0.1)
    policy.save_pretrained(folder / "models/adapter")
    tok.save_pretrained(folder / "models/adapter")
    (folder / "models/adapter" / KEY).write_text(json.dumps({"base_sha256": digest(folder / "models/base")}))
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("loading")
    built(folder / "built")
    project = folder / "project"
    project.mkdir()
    (project / "dvc.yaml").write_text(MAP)
    (project / "word").write_text("one")
    for command in (
        "git init --quiet", "git config user.name test", "git config user.email test@localhost", "dvc init --quiet",
        "dvc repro --quiet", "git add --all", "git commit --quiet --message run", "git tag adapter@v1.0.0",
        "git tag -m prod adapter#prod#1", "git tag v0.1",
    ):  # fmt: skip
        run(project, *command.split())
    return project


@pytest.mark.slow
def test_pairs_come_by_split_with_every_column(project):
    pairs = persuasion.load_pairs("v0.1", repo=str(project))
    assert pairs.num_rows == {"train": 9, "validation": 5, "test": 2}
    assert {"prompt", "chosen", "rejected"} <= set(pairs["train"].column_names)


@pytest.mark.slow
def test_an_adapter_comes_on_its_own_base_with_its_tokenizer(project):
    import peft

    for rev in ("v1.0.0", "#prod"):
        policy = persuasion.load_adapter(rev, repo=str(project), device="cpu")
        assert isinstance(policy, peft.PeftModel) and policy.tokenizer.chat_template
        assert any(tensor.any() for name, tensor in policy.named_parameters() if "lora_B" in name)
    with pytest.raises(IntegrityFailure) as refused:
        persuasion.load_adapter("v1.0.0", repo=str(project), base=project / "models/adapter", device="cpu")
    assert refused.value.exit_code == 7 and "another base" in str(refused.value)


@pytest.mark.slow
def test_what_is_not_there_is_said(project, tmp_path):
    for rev in ("v9.9.9", "#shadow", "", "--upload-pack=x"):
        with pytest.raises(UsageFailure):
            persuasion.load_pairs(rev, repo=str(project))
    with pytest.raises(UsageFailure):
        persuasion.load_pairs(repo=str(tmp_path))
    done = run(tmp_path, sys.executable, "-m", "persuasion.lab.cli", "get", "report", "--repo", str(project), ok=False,
               PYTHONPATH=str(ROOT))  # fmt: skip
    assert done.returncode == DataFailure.exit_code and not (tmp_path / "report").exists()


def test_importing_the_package_loads_nothing():
    code = "import sys, persuasion; print([n for n in ('dvc', 'torch', 'datasets') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
