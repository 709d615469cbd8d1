"""TRL's own fused head and ours must be one function."""

import sys
from dataclasses import replace

import pytest
import torch
from tokenizers.processors import TemplateProcessing

from persuasion import models, seam, training
from persuasion.batching import Group
from persuasion.encoding import encode_pair, frame
from persuasion.logps import completion_logps, packs
from persuasion.lora import require_targets
from persuasion.methodparams import SMOOTHED
from persuasion.sampling import greedy, sample
from tests import tiny
from tests.test_logps import naive
from tests.test_training import PAIRS, PARAMS, TOK, fresh, perturb

LOSSES = ["sigmoid", "sigmoid_norm", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot",
          "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft"]  # fmt: skip
METRICS = ["entropy", "logits/chosen", "logits/rejected", "mean_token_accuracy", "logps/chosen", "rewards/margins"]


def inputs(trainer):
    return trainer._prepare_inputs(trainer.data_collator([trainer.train_dataset[i] for i in range(len(PAIRS))]))


def unpacked(lm):
    lm.persuasion_packs = False
    return lm


@pytest.fixture(scope="module")
def both():
    """Our trainer and one on TRL's own path, with one and the same adapter off its start."""
    ours, theirs = fresh(lm=tiny.llama(len(TOK)))[2], fresh(lm=unpacked(tiny.llama(len(TOK))))[2]
    for trainer in (ours, theirs):
        trainer.model.double().train()
        perturb(trainer.model)
    return ours, theirs


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_and_its_gradient_are_trls_own_on_the_same_batch(both, loss):
    got = []
    for trainer in both:
        trainer.loss_types = [loss]
        trainer.label_smoothing = 0.1 if loss in SMOOTHED else 0.0
        trainer.model.zero_grad()
        value = trainer.compute_loss(trainer.model, inputs(trainer))
        value.backward()
        metrics = {name: trainer._metrics["train"][name][-1] for name in METRICS}
        got.append((value.item(), metrics, [p.grad for p in trainer.model.parameters() if p.requires_grad]))
    (ours, figures, gradients), (theirs, wanted, truth) = got
    assert ours == pytest.approx(theirs, rel=5e-5)  # trl takes logits of some hundreds in float32
    assert figures == pytest.approx(wanted, rel=1e-5, abs=2e-6)
    for a, b in zip(gradients, truth, strict=True):
        assert (a - b).norm() <= 5e-5 * (1e-5 + b.norm())


@pytest.mark.parametrize("family", [*tiny.PLAIN, *tiny.PACKED])
def test_every_architecture_trains_on_the_log_probs_that_the_door_gives(family, monkeypatch, capsys):
    extra = tiny.PLAIN.get(family, tiny.PACKED.get(family))
    lm = tiny.shaped(family, len(TOK), extra).float()
    assert packs(lm) == (family not in tiny.PLAIN)
    monkeypatch.setattr(training, "check_start", lambda *_: None)
    seam._say_once.cache_clear()
    trainer = fresh(PARAMS, lm)[2]
    with torch.no_grad():
        trainer.compute_loss(trainer.model, inputs(trainer))
        trainer.compute_loss(trainer.model, inputs(trainer))
    said = capsys.readouterr().err
    assert said.count("packing is off") == (family in tiny.PLAIN)
    assert said.count("TRL's own") == (family in tiny.PLAIN and family != "t5")
    groups = [Group(pair.prompt, (pair.chosen, pair.rejected)) for pair in PAIRS]
    chosen, rejected = completion_logps(lm, groups).view(-1, 2).mean(0).tolist()
    metrics = trainer._metrics["train"]
    assert metrics["logps/chosen"][-1] == pytest.approx(chosen, abs=2e-3)
    assert metrics["logps/rejected"][-1] == pytest.approx(rejected, abs=2e-3)
    print(said, file=sys.stderr)


def test_a_head_that_is_sharded_over_processes_goes_trls_way_and_agrees(tmp_path):
    from torch.distributed import destroy_process_group, init_process_group
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    lm = tiny.llama(len(TOK)).float()
    lm.lm_head.weight = torch.nn.Parameter(lm.lm_head.weight.detach().clone(), requires_grad=False)
    trainer = fresh(PARAMS, lm)[2]
    packed = trainer.compute_loss(trainer.model, inputs(trainer)).item()
    init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        sharded = distribute_tensor(lm.lm_head.weight, init_device_mesh("cpu", (1,)), [Shard(0)])
        lm.lm_head.weight = torch.nn.Parameter(sharded, requires_grad=False)
        assert not packs(lm)
        assert trainer.compute_loss(trainer.model, inputs(trainer)).item() == pytest.approx(packed, abs=1e-5)
    finally:
        destroy_process_group()


def test_checkpointing_draws_no_gradient_below_the_lowest_adapter():
    params = replace(
        PARAMS,
        train=replace(PARAMS.train, gradient_checkpointing=True),
        lora=replace(PARAMS.lora, layers=1),
    )
    lm, _, trainer = fresh(params)
    seen = []
    for layer in lm.model.layers:
        layer.register_forward_hook(lambda _, __, out: seen.append(out.requires_grad))
    training.train(trainer, lambda epoch: None)
    assert seen[:2] == [False, True] and lm.is_gradient_checkpointing


def quirky(family):
    """The tiny tokenizer with the habits of a family: who writes a BOS, what pads, which ids are one."""
    tok = tiny.tokenizer()
    if family in ("llama", "mistral"):  # a BOS by itself, and nothing to pad with
        tok.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"{tok.bos_token} $A", special_tokens=[(tok.bos_token, tok.bos_token_id)]
        )
        tok.pad_token = tok.eos_token
    elif family == "gpt2":  # one token for everything
        tok.bos_token = tok.pad_token = tok.eos_token
    else:  # no BOS at all
        tok.bos_token = None
    return tok


@pytest.mark.parametrize("family", ["llama", "mistral", "gpt2", "qwen2"])
def test_a_familys_tokenizer_changes_no_log_prob_on_its_way_through_padding(family):
    tok, lm = quirky(family), tiny.shaped(family, len(TOK), tiny.PACKED[family])
    encoding = replace(tiny.ENCODING, template="plain", prefix="Post: ", suffix="\nReply: ")
    around = frame(tok, encoding)
    assert (around.head[0] == tok.bos_token_id) == (family in ("llama", "mistral"))
    pairs = [encode_pair(tok, around, pair, encoding) for pair in tiny.pairs()]
    trainer = training.build(lm, tok, pairs, tiny.reference(lm, pairs), PARAMS)
    with torch.no_grad():
        batch = inputs(trainer)
        given = {name: batch[name] for name in ("input_ids", "attention_mask")}
        labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, -100)
        found = lm(**given, labels=labels, fused_lm_head=True).log_probs.sum(1)
        rows = [(pair.prompt, pair.chosen) for pair in pairs] + [(pair.prompt, pair.rejected) for pair in pairs]
        truth = torch.stack([naive(lm, *row) for row in rows])
    assert (found - truth).abs().max() <= 1e-10


def test_an_encoder_decoder_goes_the_whole_way(tmp_path):
    models.save_base(tiny.shaped("t5", len(TOK), tiny.PLAIN["t5"]).float(), TOK, tmp_path)
    require_targets(tmp_path, PARAMS.lora)
    lm, tok = models.load_base(tmp_path, PARAMS.compute, torch.device("cpu"))
    trainer = fresh(PARAMS, lm)[2]  # starts at ln 2, or is refused
    assert training.train(trainer, lambda epoch: None)[1] == 2
    replies = sample(trainer.model, tok, [pair.prompt for pair in PAIRS], greedy(5, 2))
    assert len(replies) == len(PAIRS) and all(reply.tokens <= 5 for reply in replies)
