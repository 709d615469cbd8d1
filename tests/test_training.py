import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from persuasion import dpo, models, training
from persuasion.adapters import save_adapter
from persuasion.errors import IntegrityFailure, SurroundingsFailure, TrainingFailure, UsageFailure
from persuasion.files import digest
from persuasion.journal import Journal
from persuasion.scoring import encode_pairs, judge_pairs
from tests import tiny

TOK = tiny.tokenizer()
PAIRS = tiny.encoded(TOK)
PARAMS = replace(
    tiny.PARAMS, encoding=tiny.ENCODING, train=replace(tiny.PARAMS.train, epochs=2, batch_size=4, log_every=1)
)


pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # trl 1.16 on names that transformers renames


def fresh(params=PARAMS, lm=None):
    lm = lm or tiny.llama(len(TOK)).float()
    reference = tiny.reference(lm, PAIRS)
    return lm, reference, training.build(lm, TOK, PAIRS, reference, params)


def test_a_fresh_adapter_is_the_reference():
    lm, reference, _ = fresh()
    for verdict in judge_pairs(lm, PAIRS, reference, 0.1, 512):
        assert verdict.margin == pytest.approx(0, abs=1e-5)
        assert dpo.loss(verdict.margin) == pytest.approx(math.log(2), abs=1e-5)


def test_training_learns_its_pairs_and_leaves_curves_and_tables():
    params = replace(PARAMS, train=replace(PARAMS.train, epochs=8, learning_rate=0.01))
    lm, reference, trainer = fresh(params)
    journal = Journal(lm, TOK, tiny.pairs(), PAIRS, reference, params)
    loss, steps, curve = training.train(trainer, journal)
    assert loss < dpo.LN2 and steps == 8
    assert [row["step"] for row in curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert [row["epoch"] for row in journal.curve] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert journal.curve[-1]["reward_accuracy"] == 1.0
    assert len(journal.verdicts) == 8 * len(PAIRS)


def test_swapped_sides_negate_the_margin():
    lm, reference, trainer = fresh()
    training.train(trainer, lambda epoch: None)
    swapped = [replace(pair, chosen=pair.rejected, rejected=pair.chosen) for pair in PAIRS]
    with trainer.model.disable_adapter():
        mirrored = tiny.reference(lm, swapped)
    for a, b in zip(
        judge_pairs(lm, PAIRS, reference, 0.1, 512), judge_pairs(lm, swapped, mirrored, 0.1, 512), strict=True
    ):
        assert a.margin == pytest.approx(-b.margin, abs=1e-5)


def test_trl_runs_the_packed_path_and_agrees_with_its_own():
    lm, reference, trainer = fresh()
    shapes = []
    lm.get_input_embeddings().register_forward_pre_hook(lambda _, given: shapes.append(given[0].shape))
    inputs = trainer._prepare_inputs(trainer.data_collator([trainer.train_dataset[i] for i in range(4)]))
    perturb(trainer.model)
    packed = trainer.compute_loss(trainer.model, inputs)
    assert abs(packed.item() - dpo.LN2) > 0.01
    assert shapes == [(1, sum(len(ids) for ids in unique_segments()))]
    other = tiny.llama(len(TOK)).float()
    other.persuasion_packs = False
    other.config._attn_implementation = "sdpa"
    theirs = training.build(other, TOK, PAIRS, reference, PARAMS)
    perturb(theirs.model)
    assert theirs.compute_loss(theirs.model, inputs).item() == pytest.approx(packed.item(), abs=1e-4)


@pytest.mark.parametrize("quirk", ["ours", "pad is the end", "adds bos"])
def test_trl_sees_every_row_and_token_that_the_budgets_left(quirk):
    """Texts far over budget: the trainer's batches and the model's own input hold what `encoding` left, and no less."""
    far = [
        tiny.pair(n, prompt=f"Post {n}. " + tiny.TEXTS[0] * 30, chosen=f"{n} " * n * 50, rejected=tiny.TEXTS[2] * 20)
        for n in range(1, 7)
    ]
    tok = tiny.QUIRKS[quirk]()
    encoded = encode_pairs(tok, [*far, tiny.pair(9, chosen="")], tiny.ENCODING)
    assert len(encoded) == 6 and all(pair.prompt_lost and pair.rejected_lost for pair in encoded)
    lm = tiny.llama(len(tok)).float()
    params = replace(PARAMS, train=replace(PARAMS.train, epochs=1))
    trainer = training.build(lm, tok, encoded, tiny.reference(lm, encoded), params)
    seen = [
        (tuple(ids[mask == 1].tolist()), int(scored.sum()))
        for batch in trainer.get_train_dataloader()
        for ids, mask, scored in zip(batch["input_ids"], batch["attention_mask"], batch["completion_mask"], strict=True)
    ]
    expected = [(pair.prompt + ids, len(ids)) for pair in encoded for ids in (pair.chosen, pair.rejected)]
    assert sorted(seen) == sorted(expected)
    fed = []
    lm.get_input_embeddings().register_forward_pre_hook(lambda _, args: fed.append(args[0].numel()))
    _, steps, _ = training.train(trainer, lambda epoch: None)
    assert steps == len(fed) == 2  # batches of 4 and 2
    assert sum(fed) == sum(len(pair.prompt) + len(pair.chosen) + len(pair.rejected) for pair in encoded)


def perturb(model):
    """Move a fresh adapter off its base, the same way for every model of this shape."""
    torch.manual_seed(3)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(parameter, std=0.2)


def unique_segments():
    """Each prompt once, every completion of every row."""
    prompts = {pair.prompt for pair in PAIRS}
    return [*prompts, *(ids for pair in PAIRS for ids in (pair.chosen, pair.rejected))]


@pytest.mark.parametrize("loss", ["hinge", "robust", "sft"])
def test_every_loss_starts(loss):
    smoothing = 0.1 if loss == "robust" else 0.0
    params = replace(PARAMS, dpo=replace(PARAMS.dpo, loss=loss, label_smoothing=smoothing))
    _, _, trainer = fresh(params)
    assert math.isfinite(training.train(trainer, lambda epoch: None)[0])


def test_a_wrong_reference_stops_before_the_first_step():
    lm = tiny.llama(len(TOK)).float()
    shifted = {
        key: replace(row, reference_chosen_logp=row.reference_chosen_logp - 5)
        for key, row in tiny.reference(lm, PAIRS).items()
    }
    with pytest.raises(IntegrityFailure, match="before the first step"):
        training.build(lm, TOK, PAIRS, shifted, PARAMS)


def test_targets_that_match_nothing_name_the_candidates():
    with pytest.raises(UsageFailure) as refused:
        fresh(replace(PARAMS, lora=replace(PARAMS.lora, targets=("c_attn",))))
    assert "q_proj" in str(refused.value)


@pytest.mark.parametrize(
    ("optimizer", "failure", "says"),
    [("adamw_torc", UsageFailure, "adamw_torch"), ("paged_adamw_32bit", SurroundingsFailure, "cannot be used here")],
)
def test_an_optimiser_that_is_unknown_or_not_installed_is_named(optimizer, failure, says):
    with pytest.raises(failure) as refused:
        training.train(fresh(replace(PARAMS, train=replace(PARAMS.train, optimizer=optimizer)))[2], lambda epoch: None)
    assert says in str(refused.value)


def test_a_loss_that_is_not_finite_stops_with_its_step():
    _, _, trainer = fresh()
    for name, parameter in trainer.model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, float("nan"))
    with pytest.raises(TrainingFailure, match="step 1"):
        training.train(trainer, lambda epoch: None)


def test_an_adapter_is_bytewise_the_same_and_bound_to_its_base(tmp_path):
    _, _, trainer = fresh()
    base = tmp_path / "base"
    models.save_base(tiny.llama(len(TOK)).float(), TOK, base)
    perturb(trainer.model)
    facts = {"base_sha256": digest(base), "pairs": 4, "steps": 0}
    save_adapter(trainer.model, TOK, tmp_path / "adapter", PARAMS, facts)
    device = torch.device("cpu")
    policy, _ = models.load_policy(base, tmp_path / "adapter", PARAMS.compute, device)
    for name, tensor in trainer.model.named_parameters():
        assert torch.equal(tensor, dict(policy.named_parameters())[name])
    other = tmp_path / "other"
    torch.manual_seed(9)
    models.save_base(models.new_small(TOK, replace(PARAMS.model.small, width=32, heads=4)), TOK, other)
    with pytest.raises(IntegrityFailure, match="another base"):
        models.load_policy(other, tmp_path / "adapter", PARAMS.compute, device)
    targets = json.loads((tmp_path / "adapter/adapter_config.json").read_text())["target_modules"]
    assert targets == sorted(targets) and len(targets) > 3


@pytest.mark.parametrize("plant", ["missing", "pickle"])
def test_a_base_that_cannot_be_trusted_or_found_is_refused(tmp_path, plant):
    if plant == "pickle":
        models.save_base(tiny.llama(len(TOK)).float(), TOK, tmp_path)
        torch.save(tiny.llama(len(TOK)).state_dict(), tmp_path / "pytorch_model.bin")
        (tmp_path / "model.safetensors").unlink()
    with pytest.raises(SurroundingsFailure, match="no model can be loaded"):
        models.load_base(tmp_path, PARAMS.compute, torch.device("cpu"))


def test_a_hub_snapshot_comes_from_the_cache_at_its_pinned_revision(tmp_path):
    revision = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "hub/models--someone--tiny/snapshots" / revision
    snapshot.mkdir(parents=True)
    models.save_base(tiny.llama(len(TOK)).float(), TOK, snapshot)
    (snapshot / "extra.py").write_text("raise SystemExit('remote code ran')")
    code = (
        "import sys, pathlib; from dataclasses import replace; from persuasion import models; from tests import tiny;"
        f"m = replace(tiny.PARAMS.model, kind='hub', name='someone/tiny', revision='{revision}');"
        "t = pathlib.Path(sys.argv[1]); t.mkdir(); models.fetch(m, t);"
        "models.fetch(replace(m, revision='f' * 40), t)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "base")],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
    )
    assert "could not be fetched" in done.stderr  # the second, unknown revision
    assert {path.name for path in (tmp_path / "base").iterdir()} == {
        path.name for path in snapshot.iterdir() if path.suffix != ".py"
    }


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_setting_of_the_original_research_code_runs(tmp_path, precision):
    models.save_base(tiny.llama(len(TOK)).float(), TOK, tmp_path / "base")
    params = replace(
        PARAMS,
        compute=replace(PARAMS.compute, precision=precision),
        dpo=replace(PARAMS.dpo, beta=0.1),
        lora=replace(PARAMS.lora, r=16, alpha=16, dropout=0.05, targets=("q_proj", "v_proj")),
        train=replace(
            PARAMS.train,
            learning_rate=5e-5,
            schedule="linear",
            epochs=2,
            batch_size=2,
            accumulation=2,
            gradient_checkpointing=True,
            optimizer="adamw_torch",
        ),
    )
    lm, _ = models.load_base(tmp_path / "base", params.compute, torch.device("cpu"))
    assert lm.dtype == getattr(torch, precision)
    _, _, trainer = fresh(params, lm)
    loss, steps, _ = training.train(trainer, lambda epoch: None)
    assert steps == 2
    assert loss == pytest.approx(dpo.LN2, abs=0.02)
    trained = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    assert trained and all("q_proj" in name or "v_proj" in name for name in trained)
