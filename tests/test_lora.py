import math
from dataclasses import replace

import pytest
import torch
from peft import get_peft_model

from persuasion import models
from persuasion.errors import SurroundingsFailure, UsageFailure
from persuasion.lora import adapter_config, require_targets
from persuasion.quantizing import loading
from persuasion.typed import OutOfRange
from tests import tiny
from tests.test_training import PAIRS, PARAMS, TOK, fresh

LORA = tiny.PARAMS.lora


def adapted_modules(lm, **changes):
    policy = get_peft_model(lm, adapter_config(replace(LORA, **changes), lm))
    return {name.split(".lora_A")[0] for name, p in policy.named_parameters() if p.requires_grad and "lora_A" in name}


@pytest.mark.parametrize(("family", "each"), [("llama", 7), ("gpt2", 4)])
def test_all_linear_is_every_matrix_but_the_head_and_layers_takes_the_topmost(family, each):
    assert len(adapted_modules(tiny.shaped(family, len(TOK), {}), targets="all-linear")) == 2 * each
    top = adapted_modules(tiny.shaped(family, len(TOK), {}), targets="all-linear", layers=1)
    assert len(top) == each and all(".1." in name for name in top)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"targets": ("q_proj", "v_prj")}, "did you mean v_proj"),  # peft would train q_proj alone
        ({"targets": ("c_attn",)}, "gate_proj, k_proj"),
        ({"targets": ("lm_head",)}, "match no module"),
        ({"layers": 3}, "the base has 2"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_weight_is_read(tmp_path, changes, says):
    tiny.llama(len(TOK)).config.save_pretrained(tmp_path)
    require_targets(tmp_path, LORA)
    with pytest.raises(UsageFailure) as refused:
        require_targets(tmp_path, replace(LORA, **changes))
    assert says in str(refused.value)


def test_a_folder_without_a_model_and_targets_that_are_no_list_are_refused(tmp_path):
    with pytest.raises(SurroundingsFailure, match="holds no model"):
        require_targets(tmp_path, LORA)
    with pytest.raises(OutOfRange):
        replace(LORA, targets=".*_proj")


@pytest.mark.parametrize("changes", [{"rslora": True}, {"dora": True}, {"layers": 1}, {"dropout": 0.5}])
def test_every_kind_of_adapter_starts_at_the_reference(changes):
    _, _, trainer = fresh(replace(PARAMS, lora=replace(PARAMS.lora, **changes)))
    inputs = trainer._prepare_inputs(trainer.data_collator([trainer.train_dataset[i] for i in range(len(PAIRS))]))
    assert trainer.compute_loss(trainer.model, inputs).item() == pytest.approx(math.log(2), abs=1e-5)


def test_four_bits_are_refused_without_a_gpu_and_without_the_package(tmp_path):
    compute = replace(PARAMS.compute, quantize="4bit")
    assert compute.weights != PARAMS.compute.weights  # so the reference of another base is known as such
    models.save_base(tiny.llama(len(TOK)).float(), TOK, tmp_path)
    with pytest.raises(SurroundingsFailure, match="no GPU"):
        models.load_base(tmp_path, compute, torch.device("cpu"))
    with pytest.raises(SurroundingsFailure) as refused:
        loading(compute, torch.device("cuda"))
    assert "persuasion[quantize]" in str(refused.value)
