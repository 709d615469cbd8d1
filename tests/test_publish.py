"""``persuasion export adapter`` and ``export hub``: folders that load with nothing of ours, and what must not leave."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from persuasion.errors import DataFailure, Failure, IntegrityFailure, SafetyFailure, UsageFailure
from persuasion.exchange import FORMS, written
from persuasion.files import write_text
from persuasion.lab import publishing, uploading
from persuasion.lab.hashes import output_md5
from persuasion.records import Pair, Reply
from persuasion.tables import read_rows, write_rows
from tests import tiny
from tests.project import change
from tests.workbench import bench

ALONE = """
import json, sys
sys.modules["persuasion"] = sys.modules["stages"] = None  # whoever imports them fails
import torch
import transformers, peft
auto, place, ids = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
model = getattr(peft if "Peft" in auto else transformers, auto).from_pretrained(place)
assert transformers.AutoTokenizer.from_pretrained(place).chat_template
print(json.dumps([str(model.dtype), model(torch.tensor([ids])).logits[0, -1].float().tolist()]))
"""
pytestmark = pytest.mark.slow
IDS = [1, 3, 40, 50, 60, 4]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, server) -> Path:
    """Pairs, base, reference, and an adapter by the real stages; replies that nobody would refuse."""
    folder = bench(tmp_path_factory.mktemp("publish") / "project", **{"train.epochs": 1})
    for stage in ("reference", "train"):
        ran = server.run(folder, stage)
        assert ran.code == 0, ran.said
    return folder


@pytest.fixture
def project(trained, tmp_path, monkeypatch) -> Path:
    shutil.copytree(trained, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    judged(tmp_path / "project", "I see it otherwise, and here is why.")
    return tmp_path / "project"


def judged(project: Path, text: str) -> None:
    """Replies of the adapter, in dvc.lock with it."""
    reply = Reply(
        thread_id="t3_1", prompt="CMV", text=text, base_text="So.", chosen="No.", seed=1, stopped=True,
        base_stopped=True, crisis=False,
    )  # fmt: skip
    write_rows(project / "data/replies.parquet", [reply], Reply, "thread_id")
    outs = [{"path": name, "md5": output_md5(project / name)} for name in ("models/adapter", "data/replies.parquet")]
    (project / "dvc.lock").write_text(json.dumps({"stages": {"all": {"outs": outs}}}))


def alone(auto: str, place: Path) -> tuple[str, list[float]]:
    command = [sys.executable, "-c", ALONE, auto, str(place), json.dumps(IDS)]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return tuple(json.loads(done.stdout))


def ours(project: Path) -> list[float]:
    import torch

    from persuasion.models import load_policy

    policy, _ = load_policy(
        project / "models/base", project / "models/adapter", tiny.PARAMS.compute, torch.device("cpu")
    )
    with torch.no_grad():
        return policy(torch.tensor([IDS])).logits[0, -1].tolist()


def test_an_adapter_loads_alone_and_says_the_same(project):
    told = publishing.adapter(project, None, base=None, merge=False)
    kind, logits = alone("AutoPeftModelForCausalLM", project / "exports/adapter")
    assert kind == "torch.float32" and logits == pytest.approx(ours(project), abs=1e-5)
    assert (
        "AutoPeftModelForCausalLM" in told.guide and told.guide in (project / "exports/adapter/README.md").read_text()
    )
    publishing.adapter(project, None, base="you/base", merge=False)  # an earlier export is replaced
    config = json.loads((project / "exports/adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "you/base" and not (project / "exports/adapter/base").exists()
    front = yaml.safe_load((project / "exports/adapter/README.md").read_text().split("---\n")[1])
    assert front["base_model"] == "you/base"


def test_a_merged_model_is_bfloat16_and_judged_again_as_it_was_written(project):
    told = publishing.adapter(project, "merged", base=None, merge=True).merged
    kind, logits = alone("AutoModelForCausalLM", project / "merged")
    expected = ours(project)
    assert kind == "torch.bfloat16" and logits == pytest.approx(expected, abs=0.1) and logits != expected
    assert told.pairs == 5 and 0 < told.change_per_token < publishing.WORST
    card = (project / "merged/README.md").read_text()
    assert f"| reward accuracy merged | {told.reward_accuracy_merged} |" in card and "model-index" not in card


def test_a_hub_model_is_named_with_its_revision(project):
    change(project, {"model.kind": "hub", "model.name": "owner/base", "model.revision": "a" * 40})
    assert publishing.adapter(project, None, base=None, merge=False).base == "owner/base"
    config = json.loads((project / "exports/adapter/adapter_config.json").read_text())
    assert config["revision"] == "a" * 40 and not (project / "exports/adapter/base").exists()


def test_what_cannot_be_exported_is_refused_and_nothing_is_written(project):
    change(project, {"compute.quantize": "4bit"})
    refused(UsageFailure, "4 bits", lambda: publishing.adapter(project, "new", base=None, merge=True))
    refused(UsageFailure, "something else", lambda: publishing.adapter(project, "data", base=None, merge=False))
    (project / "models/base/more.json").write_text("{}")
    refused(IntegrityFailure, "another base", lambda: publishing.adapter(project, "new", base=None, merge=False))
    shutil.rmtree(project / "models/adapter")
    refused(DataFailure, "no adapter", lambda: publishing.adapter(project, "new", base=None, merge=False))
    assert not (project / "new").exists() and (project / "data/pairs").exists()


def test_what_would_be_uploaded_is_told_and_nobody_is_asked(project, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("nothing may be uploaded"))
    publishing.adapter(project, None, base="you/base", merge=False)
    told = uploading.upload(project, None, "you/adapter")
    there = {path.name: path.stat().st_size for path in (project / "exports/adapter").iterdir()}
    assert told.kind == "model" and told.files == there and "Nothing was uploaded" in uploading.text(told)
    write_text(project / "data/pairs/README.md", "---\nlicense: other\n---\nPairs.\n")
    told = uploading.upload(project, "data/pairs", "you/pairs")  # of the sample: nobody wrote them
    assert told.kind == "dataset" and "train.parquet" in told.files


def test_texts_of_people_are_refused_whatever_they_stand_in(project):
    publishing.adapter(project, None, base="you/base", merge=False)
    write_text(project / "data/pairs/README.md", "---\nlicense: other\n---\nPairs.\n")
    pair = read_rows(project / "data/pairs/train.parquet", Pair)[0]
    change(project, {"source.path": "dumps"})
    refused(SafetyFailure, "people wrote", lambda: uploading.upload(project, "data/pairs", "you/pairs"))
    uploading.upload(project, None, "you/adapter")
    place = project / "exports/adapter"
    for name, form in FORMS.items():
        file = place / f"more{form.suffix}"
        write_text(file, "".join(written([form.record(pair)], form.layout)))
        refused(SafetyFailure, "people wrote", lambda: uploading.upload(project, None, "you/adapter"), name)
        file.unlink()
    write_text(place / "notes.md", f"Somebody said: {pair.prompt.split(maxsplit=1)[1]} {pair.chosen}")
    refused(SafetyFailure, "in a row", lambda: uploading.upload(project, None, "you/adapter"))
    write_text(place / "notes.md", "log in at https://me:hunter2@example.org/")
    refused(SafetyFailure, "credential", lambda: uploading.upload(project, None, "you/adapter"))
    change(project, {"source.path": "data/raw/sample"})  # a table of people's texts is none of the sample's
    (place / "notes.md").unlink()
    write_rows(place / "t.parquet", [replace(pair, chosen="What somebody once wrote.")], Pair, "pair_id")
    refused(SafetyFailure, "not those of the sample", lambda: uploading.upload(project, None, "you/adapter"))


def test_a_gate_a_card_a_base_and_a_judgement_must_be_there(project):
    def hub():
        return uploading.upload(project, None, "you/adapter")

    refused(DataFailure, "no folder", hub)
    publishing.adapter(project, None, base=None, merge=False)
    refused(UsageFailure, "base", hub)
    publishing.adapter(project, None, base="you/base", merge=False)
    refused(UsageFailure, "repository", lambda: uploading.upload(project, None, "adapter"))
    judged(project, "You are a worthless idiot, and I will find you and hurt you.")
    refused(SafetyFailure, "gate", hub)
    (project / "data/replies.parquet").unlink()
    refused(DataFailure, "safe", hub)
    judged(project, "I see it otherwise, and here is why.")
    hub()
    card = (project / "exports/adapter/README.md").read_text()
    for text in (
        "",
        "# A title",
        "---\nlanguage: en\n---\nNo licence.\n",
        "---\n: [\n---\n",
        "---\nlicense: other\n---\n",
    ):
        write_text(project / "exports/adapter/README.md", text)
        refused(DataFailure, "card", hub, text)
    write_text(project / "exports/adapter/README.md", card)
    weights = project / "exports/adapter/adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    refused(IntegrityFailure, "not the model", hub)


def refused(kind: type[Failure], words: str, act, what: str = "") -> None:
    with pytest.raises(kind, match=words) as failure:
        act()
    assert failure.value.fix and "hunter2" not in str(failure.value), what
