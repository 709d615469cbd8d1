"""What can be seen of a training while it runs, and which epoch it keeps."""

import json
import signal

import pytest
from safetensors.torch import load_file

from tests.workbench import bench, bytes_of, twin

pytestmark = pytest.mark.slow
UNEVEN = {"train.epochs": 4, "train.learning_rate": 0.03, "train.schedule": "constant", "train.warmup_ratio": 0.0,
          "train.log_every": 1}  # fmt: skip


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "start", **UNEVEN)
    assert server.run(folder, "reference").code == 0
    return folder


@pytest.fixture(scope="module")
def whole(server, start):
    folder = twin(start, "whole")
    ran = server.run(folder)
    assert ran.code == 0
    return folder, ran


def rows(folder, name):
    head, *lines = (folder / f"metrics/train/{name}.tsv").read_text().splitlines()
    return [dict(zip(head.split("\t"), map(float, line.split("\t")), strict=True)) for line in lines]


def test_curves_grow_while_it_runs(server, start, whole):
    folder = twin(start, "seen")
    at = [n for n, kind in enumerate(whole[1].events, 1) if kind == "training_step"][11]
    assert server.run(folder, at=at).code == -signal.SIGKILL
    for name, count in (("training", 11), ("validation", 2)):
        assert rows(folder, name) == rows(whole[0], name)[:count]


def test_every_point_has_its_figures(whole):
    first, *others = rows(whole[0], "training")
    assert first.keys() == {"step", "epoch", "loss", "reward_margin", "reward_accuracy", "rewards_chosen",
                            "rewards_rejected", "perplexity_chosen", "perplexity_rejected", "learning_rate",
                            "grad_norm"}  # fmt: skip
    assert first["loss"] == pytest.approx(0.6931, abs=1e-3) and len(others) == 4 * 5 - 1
    assert all(row["perplexity_chosen"] > 1 for row in others)
    validation = rows(whole[0], "validation")
    assert len({row["loss"] for row in validation}) == 4
    figures = json.loads((whole[0] / "metrics/train.json").read_text())["train"]
    assert figures["perplexity"]["policy"]["chosen"] == validation[-1]["perplexity_chosen"]
    assert figures["rewards"]["rejected"] == validation[-1]["rewards_rejected"]
    assert figures["validation"].keys() == {"loss", "reward_margin", "reward_accuracy", "nll_calibrated"}


def test_the_epoch_that_was_best_is_the_one_that_is_kept(server, start, whole):
    losses = [row["loss"] for row in rows(whole[0], "validation")]
    best = losses.index(min(losses)) + 1
    assert best < 4
    chosen = twin(start, "chosen", **{"train.select": "loss"})
    shorter = twin(start, "shorter", **{"train.epochs": best})
    assert server.run(chosen).code == server.run(shorter).code == 0
    weights = [load_file(folder / "models/adapter/adapter_model.safetensors") for folder in (chosen, shorter)]
    assert weights[0].keys() == weights[1].keys()
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    figures, other = (json.loads((folder / "metrics/train.json").read_text())["train"] for folder in (chosen, shorter))
    assert (figures["epoch"], figures["epochs"]) == (best, 4)
    assert figures["validation"] == other["validation"] and figures["rewards"] == other["rewards"]
    at = max(n for n, kind in enumerate(whole[1].events, 1) if kind == "training_step")
    again = twin(start, "again", **{"train.select": "loss"})
    assert server.run(again, at=at).code == -signal.SIGKILL  # after the best epoch: its weights come from a checkpoint
    assert server.run(again).code == 0
    assert bytes_of(again) == bytes_of(chosen)


def test_it_stops_early_and_a_stopped_run_stays_stopped(server, start, whole):
    losses = [row["loss"] for row in rows(whole[0], "validation")]
    stop = next(n for n in range(1, 4) if losses[n] >= min(losses[:n])) + 1
    assert stop < 4
    early = {"train.early_stopping": 1, "train.select": "loss"}
    folder = twin(start, "early", **early)
    ran = server.run(folder)
    assert ran.code == 0
    figures = json.loads((folder / "metrics/train.json").read_text())["train"]
    assert (figures["epochs"], figures["epoch"], figures["steps"]) == (stop, stop - 1, 5 * stop)
    killed = twin(start, "early-killed", **early)
    at = max(n for n, kind in enumerate(ran.events, 1) if kind == "write_text")  # outputs are being written
    assert server.run(killed, at=at).code == -signal.SIGKILL
    again = server.run(killed)
    assert again.code == 0 and "training_step" not in again.events
    assert bytes_of(killed) == bytes_of(folder)
