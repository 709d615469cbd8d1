import pytest
import torch
from peft import get_peft_model

from persuasion import backbone, logps
from persuasion.batching import pack
from persuasion.logps import hidden, token_logps
from persuasion.lora import adapter_config
from tests import tiny
from tests.test_logps import GROUPS, TOK, adapted, replace


def wide(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def test_what_lies_between_the_products_has_the_right_gradient():
    torch.manual_seed(0)
    angle = torch.randn(3, 2, dtype=torch.float64)
    turn = torch.cat((angle, angle), 1).cos(), torch.cat((-angle.sin(), angle.sin()), 1)
    assert torch.autograd.gradcheck(lambda x: backbone._Turn.apply(x, *turn), wide(3, 2, 4))
    assert torch.autograd.gradcheck(backbone._Gate.apply, (wide(3, 4), wide(3, 4)))
    weight = torch.rand(4, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: backbone._Norm.apply(x, weight, 1e-5), wide(3, 4))


@pytest.mark.parametrize("family", sorted(backbone.FAMILIES))
def test_layer_by_layer_is_the_models_own_forward(family, monkeypatch):
    lm = tiny.shaped(family, len(TOK), tiny.PACKED[family]).float()
    trained = adapted(lm)
    for parameter in trained:
        parameter.data = parameter.data.float()
    row = pack(GROUPS, torch.device("cpu"))
    ours = hidden(lm, row)
    calls = []
    lm.base_model.register_forward_pre_hook(lambda *_: calls.append(1))
    monkeypatch.setattr(logps.backbone, "serves", lambda _: False)
    theirs = hidden(lm, row)
    assert calls
    torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-5)
    pull = torch.randn_like(theirs)
    got, wanted = (torch.autograd.grad((states * pull).sum(), trained) for states in (ours, theirs))
    for a, b in zip(got, wanted, strict=True):
        assert (a - b).norm() <= 1e-4 * b.norm()


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_layers_below_the_lowest_adapter_run_without_gradient(family):
    lm = tiny.shaped(family, len(TOK), tiny.PACKED[family])
    settings = replace(tiny.PARAMS.lora, layers=1, targets="all-linear")
    policy = get_peft_model(lm, adapter_config(settings, lm))
    adapters = [name for name, parameter in policy.named_parameters() if parameter.requires_grad]
    assert adapters and not any(".0." in name for name in adapters)
    inside: dict[str, bool] = {}
    for name, module in lm.named_modules():
        module.register_forward_hook(
            lambda _, __, out, name=name: inside.update({name: torch.is_tensor(out) and out.requires_grad})
        )
    token_logps(lm, pack(GROUPS, lm.device)).sum().backward()
    assert not any(wanted for name, wanted in inside.items() if ".0." in name)
    assert any(wanted for name, wanted in inside.items() if ".1." in name)
