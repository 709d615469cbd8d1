import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
from dvc.utils.serialize import load_yaml as dvc_load
from dvc.utils.serialize import modify_yaml

from persuasion.config import PARAMS, Params, load_params
from persuasion.errors import UsageFailure
from persuasion.yaml12 import load_yaml

TEXT = PARAMS.read_text(encoding="utf-8")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of params.yaml in which the first match of the pattern ``old`` reads ``new``."""
    text, count = re.subn(old, lambda _: new, TEXT, count=1, flags=re.MULTILINE)
    assert count == 1, old
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_params_load_and_our_reader_agrees_with_dvcs():
    assert isinstance(load_params(), Params)
    assert load_yaml(PARAMS) == dvc_load(str(PARAMS))


@pytest.mark.parametrize("text", ["1e-05", "1E-5", "5e-5", "1e5", ".5", "+1.5e+3", "0x1F", "0o17", "no", "on", "1_000"])
def test_scalars_read_as_dvc_reads_them(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(f"a: {text}\n")
    ours, theirs = load_yaml(path)["a"], dvc_load(str(path))["a"]
    assert (type(ours), ours) == (type(theirs), theirs)


def test_what_dvc_writes_for_a_small_number_stays_a_number(tmp_path):
    path = changed(tmp_path, "a", "a")
    with modify_yaml(str(path)) as tree:
        tree["train"]["learning_rate"] = 1e-5
    assert "1e-05" in path.read_text()
    assert load_params(path).train.learning_rate == 1e-5


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (r"^  beta:", "  betta:", ["dpo.betta", 'did you mean "dpo.beta"']),
        (r"^  beta: \S+", "  beta: 0", ["dpo.beta", "above 0"]),
        (r"^  beta: \S+", '  beta: "0.1"', ["dpo.beta", "a number"]),
        (r"^  beta:", "  beta: 0.2\n  beta:", ["duplicate key"]),
        (r"^  beta: \S+", "  beta: .nan", ["NaN"]),
        (r"^    train: \S+", "    train: 0.7", ["pairs.shares.train", "= 1"]),
        (r"^    test: null", "    test: 2015-05-08", ["pairs.cuts.test"]),
        (r"^  max_reuse: \S+", "  max_reuse: 0", ["pairs.max_reuse", "no cap"]),
        (r"^  epochs: \S+", "  epochs: true", ["train.epochs", "a whole number"]),
        (r"^  kind: small", "  kind: hub", ["model.name"]),
        (r"^  strict: \S+", "  strict: no", ["source.strict", "true or false"]),
        (r"^  loss: sigmoid", "  loss: sigmoidal", ["dpo.loss", "sigmoid_norm"]),
        (r"^  loss: sigmoid", "  loss: [ipo, ipo]", ["dpo.loss"]),
        (r"^  weights: null", "  weights: [1.0, 0.2]", ["dpo.weights", "1 numbers above 0"]),
        (r"^  weights: null", "  weights: [heavy]", ["dpo.weights", "a list of numbers"]),
        (
            r"^  label_smoothing: \S+",
            "  label_smoothing: 0.1",
            ["dpo.label_smoothing", "only the losses robust, exo_pair"],
        ),
        (r"^  loss: sigmoid", "  loss: exo_pair", ["dpo.label_smoothing", "above 0 with exo_pair"]),
        (r"^  ld_alpha: null", "  ld_alpha: 2", ["dpo.ld_alpha", "from 0 to 1"]),
        (r"^  precision: \S+", "  precision: float16", ["compute.precision", "float32 | bfloat16"]),
        (r"^  method: dpo", "  method: ppo", ["train.method", "dpo | kto | sft"]),
        (r"^    lm: \[\]", "    lm: [base]", ["base.serves", "expected lm"]),
        (r"^    sft: \[\]", "    sft: [lm]", ["base.prepare.sft", "[] or [base]"]),
        (r"^dpo:", "dpo: !!python/object:os.system\nd:", ["not valid YAML"]),
        (r"^dpo:", "? ?\ndpo:", ["not valid YAML", "no plain text"]),
        (r"^  seed: \S+", "  seed: 0b_", ["not valid YAML"]),
        (r"^  seed: \S+", "  seed: &a [1]\n  b: *a", ["aliases are not allowed"]),
    ],
)
def test_a_wrong_parameter_is_named_with_its_path_and_what_was_expected(tmp_path, old, new, says):
    with pytest.raises(UsageFailure) as refused:
        load_params(changed(tmp_path, old, new))
    assert all(part in str(refused.value) for part in says), refused.value


def test_kto_needs_pairs_that_lend_each_other_completions(tmp_path):
    path = changed(tmp_path, "^  method: dpo", "  method: kto")
    assert load_params(path).train.method == "kto"
    path.write_text(path.read_text().replace("batch_size: 16 ", "batch_size: 1 ", 1))
    with pytest.raises(UsageFailure, match=r"train\.batch_size is 1"):
        load_params(path)


def test_a_missing_parameter_is_named(tmp_path):
    with pytest.raises(UsageFailure, match=re.escape("missing parameter dpo.beta")):
        load_params(changed(tmp_path, "^  beta: .*\n", ""))


def test_no_section_has_defaults_and_every_number_has_a_comment():
    def sections(kind):
        yield kind
        for field in fields(kind):
            if is_dataclass(field.type):
                yield from sections(field.type)

    assert all(field.default_factory is field.default for kind in sections(Params) for field in fields(kind))
    bare = [line for line in TEXT.splitlines() if re.match(r" +\w+: \S", line) and "#" not in line]
    obvious = """seed layers heads learning_rate weight_decay warmup_ratio r alpha dropout schedule epochs
        max_grad_norm train validation test lm sft allow_train top_p batch_size gradient_checkpointing"""
    assert {line.strip().split(":")[0] for line in bare} <= set(obvious.split())
