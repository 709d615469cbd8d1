"""Every method is TRL's own on the same batch, starts at the reference, learns, and continues to the byte."""

import json
import math
import signal
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from persuasion import training
from persuasion.errors import IntegrityFailure
from persuasion.filling import filled
from persuasion.methods import rows_of
from persuasion.scoring import judge_pairs
from persuasion.verdicts import perplexities
from tests import tiny
from tests.test_seam import inputs, unpacked
from tests.test_training import PAIRS, PARAMS, TOK, fresh, perturb
from tests.test_watching import rows
from tests.workbench import bench, bytes_of, twin

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def told(method="dpo", **changes):
    """Parameters with a method, and changes to the section of its name."""
    section = replace(getattr(PARAMS, method), **changes)
    return replace(PARAMS, train=replace(PARAMS.train, method=method), **{method: section})


WAYS = {
    "dpo and sft": told(loss=("sigmoid", "sft"), weights=(1.0, 0.3)),
    "robust and apo": told(loss=("robust", "apo_zero", "apo_down"), weights=(0.5, 1.0, 2.0), label_smoothing=0.2),
    "length-normalised": told(loss="sigmoid_norm"),
    "ld": told(ld_alpha=0.4),
    "kto": told("kto"),
    "kto, weighed": told("kto", desirable_weight=1.5, undesirable_weight=0.5),
    "sft": told("sft"),
    "sft with posts": told("sft", completion_only=False),
    "sft, packed": told("sft", packed=True),
}


@pytest.mark.parametrize("way", WAYS)
def test_loss_and_gradient_are_trls_own_with_a_reference_of_its_own(way):
    got, widths = [], []
    for lm in (tiny.llama(len(TOK)), unpacked(tiny.llama(len(TOK)))):
        trainer = fresh(WAYS[way], lm)[2]
        lm.get_input_embeddings().register_forward_pre_hook(lambda _, given: widths[-1].add(given[0].shape[0]))
        widths.append(set())
        trainer.model.double().train()
        perturb(trainer.model)
        if not lm.persuasion_packs:
            trainer.precompute_ref_logps = False  # theirs scores the reference itself
        batch = trainer.data_collator([trainer.train_dataset[number] for number in range(len(trainer.train_dataset))])
        loss = trainer.compute_loss(trainer.model, trainer._prepare_inputs(batch))
        loss.backward()
        got.append((loss.item(), [p.grad for p in trainer.model.parameters() if p.requires_grad]))
    (ours, gradients), (theirs, truth) = got
    assert widths[0] == {1} and max(widths[1]) > 1  # one packed row, against padded ones
    assert ours == pytest.approx(theirs, rel=5e-5)
    for a, b in zip(gradients, truth, strict=True):
        assert (a - b).norm() <= 5e-5 * (1e-5 + b.norm())


def test_weights_add_losses_up():
    def value(**changes):
        trainer = fresh(told(**changes), tiny.llama(len(TOK)))[2]
        trainer.model.double()
        perturb(trainer.model)
        return trainer.compute_loss(trainer.model, inputs(trainer)).item()

    single = {name: value(loss=name) for name in ("ipo", "hinge")}
    assert value(loss=("ipo", "hinge"), weights=(0.5, 3.0)) == pytest.approx(0.5 * single["ipo"] + 3 * single["hinge"])


@pytest.mark.parametrize(("way", "start"), [("kto", 0.5), ("kto, weighed", 0.5), ("sft", None), ("ld", math.log(2))])
def test_each_starts_at_the_reference_or_is_refused(way, start):
    _, reference, trainer = fresh(WAYS[way])
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, inputs_of_all(trainer)).item()
    if start is None:  # the mean over tokens
        start = -sum(reference[p.pair_id].reference_chosen_logp for p in PAIRS) / sum(len(p.chosen) for p in PAIRS)
    assert loss == pytest.approx(start, abs=1e-5)
    shifted = {
        name: replace(row, reference_chosen_logp=row.reference_chosen_logp - 5) for name, row in reference.items()
    }
    with pytest.raises(IntegrityFailure, match="before the first step"):
        training.build(tiny.llama(len(TOK)).float(), TOK, PAIRS, shifted, WAYS[way])


def inputs_of_all(trainer):
    return trainer._prepare_inputs(trainer.data_collator(list(trainer.train_dataset)))


@pytest.mark.parametrize("method", ["kto", "sft"])
def test_each_learns(method):
    params = told(method)
    params = replace(params, train=replace(params.train, epochs=8, learning_rate=0.01))
    lm, reference, trainer = fresh(params)
    _, steps, curve = training.train(trainer, lambda epoch: None)
    verdicts = judge_pairs(lm, PAIRS, reference, 0.5, 512)
    assert steps == 8 and curve[-1]["loss"] < curve[0]["loss"]
    if method == "kto":
        assert all(verdict.margin > 0 for verdict in verdicts) and curve[-1]["reward_accuracy"] == 1
    else:
        found = perplexities(verdicts)
        assert found["policy"]["chosen"] < found["reference"]["chosen"]
        assert curve[-1]["reward_margin"] is None and curve[-1]["rewards_chosen"] > 0
        assert math.log(curve[-1]["perplexity_chosen"]) == pytest.approx(curve[-1]["loss"], rel=1e-5)


def test_a_tie_is_half_of_a_success():
    trainer = fresh()[2]
    known = {"referenced": True, "reference_chosen": [-3.0, -3.0, -9.0], "reference_rejected": [-5.0, -5.0, -5.0],
             "tokens_chosen": 3, "tokens_rejected": 3}  # fmt: skip
    trainer.logps = [-3.0, -2.0, -9.0, -5.0, -5.0, -4.0]  # a tie, a win and a loss
    assert trainer._sums(3, known)["reward_accuracy"] == 1.5


def test_kto_borrows_the_completions_of_another_post():
    trainer = fresh(WAYS["kto"])[2]
    batch = trainer.data_collator(list(trainer.train_dataset))
    assert batch["label"].tolist() == [True] * 4 + [False] * 4
    borrowed = [
        tuple(ids[mask == 1].tolist())
        for ids, mask in zip(batch["KL_input_ids"], batch["KL_completion_mask"], strict=True)
    ]
    lenders = [PAIRS[number] for number in (3, 3, 1, 2)]  # the first two answer one post
    assert borrowed == [pair.chosen for pair in lenders] + [pair.rejected for pair in lenders]
    assert trainer.data_collator([trainer.train_dataset[0]])["KL_input_ids"].tolist()[0][-2:] == list(
        PAIRS[0].chosen[-2:]
    )


def test_sft_takes_every_chosen_completion_once():
    again = replace(PAIRS[0], pair_id="p_9", rejected=PAIRS[1].rejected)
    reference = dict.fromkeys(
        [*(pair.pair_id for pair in PAIRS), "p_9"], tiny.reference(tiny.llama(len(TOK)), PAIRS)["p_0"]
    )
    found = rows_of([*PAIRS, again], reference, told("sft"))
    assert [row["pair_id"] for row in found] == [pair.pair_id for pair in PAIRS]
    whole = rows_of([again], reference, told("sft", completion_only=False))[0]
    assert whole["prompt_ids"] == [] and whole["chosen_ids"] == [*again.prompt, *again.chosen]
    assert "ref_chosen_logps" not in whole
    assert len(rows_of([*PAIRS, again], reference, PARAMS)) == 5


@given(st.lists(st.integers(1, 120), max_size=60))
def test_parts_hold_every_completion_once_and_no_two_could_be_one(lengths):
    parts = filled(lengths, 100)
    assert sorted(number for part in parts for number in part) == list(range(len(lengths)))
    sums = sorted(sum(lengths[number] for number in part) for part in parts)
    assert all(len(part) == 1 for part in parts if sum(lengths[number] for number in part) > 100)
    assert len(sums) < 2 or sums[0] + sums[1] > 100


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "start", **{"train.log_every": 1})
    assert server.run(folder, "reference").code == 0
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [{"train.method": "kto", "lora.dropout": 0.2}, {"train.method": "sft", "sft.packed": True},
     {"dpo.loss": ["sigmoid", "sft"], "dpo.weights": [1, 0.1], "dpo.ld_alpha": 0.5}],
    ids=["kto", "sft", "dpo"],
)  # fmt: skip
def test_killed_it_ends_with_the_same_bytes(server, start, changes):
    whole, killed = (twin(start, f"{name}-{len(str(changes))}", **changes) for name in ("whole", "killed"))
    ran = server.run(whole)
    assert ran.code == 0, ran.said
    figures = json.loads((whole / "metrics/train.json").read_text())["train"]
    assert figures["validation"]["reward_accuracy"] is not None and len(rows(whole, "validation")) == 2
    steps = [n for n, kind in enumerate(ran.events, 1) if kind == "training_step"]
    assert server.run(killed, at=steps[-1]).code == -signal.SIGKILL
    again = server.run(killed)
    assert again.code == 0 and "continues from step-" in again.said
    assert bytes_of(killed) == bytes_of(whole)
    assert "aligned by" in (whole / "models/adapter/README.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["sft"])
def test_two_processes_learn_as_one(server, start, method):
    one, two = (
        twin(start, f"{method}-{count}", **{"train.method": method, "train.processes": count, "train.batch_size": size})
        for count, size in ((1, 4), (2, 2))
    )
    for folder in (one, two):
        ran = server.run(folder)
        assert ran.code == 0, ran.said
    for a, b in zip(figures(one), figures(two), strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def figures(folder):
    """Losses and perplexities; None stands in columns that a method leaves empty."""
    head, *lines = (folder / "metrics/train/training.tsv").read_text().splitlines()
    table = [dict(zip(head.split("\t"), line.split("\t"), strict=True)) for line in lines]
    return [float(row[name]) for row in table for name in ("loss", "perplexity_chosen")]
