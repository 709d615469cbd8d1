"""Several processes train as one would: every pair once, the same losses, and continued after a kill."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from persuasion import processes
from persuasion.processes import Shares, share
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.test_watching import rows
from tests.workbench import bench, bytes_of, twin

TWO = {"train.processes": 2, "train.batch_size": 2}


def batches(monkeypatch, count, size, world, epoch=0):
    """The batches of every process, in order."""
    monkeypatch.setenv("WORLD_SIZE", str(world))
    found = []
    for rank in range(world):
        monkeypatch.setenv("RANK", str(rank))
        shares = Shares([[number] for number in range(count)], size, seed=3)
        shares.set_epoch(epoch)
        found.append(list(shares))
        assert len(found[-1]) == len(shares)
    return found


@pytest.mark.parametrize(
    ("count", "size", "world"), [(9, 2, 2), (8, 2, 2), (10, 3, 2), (9, 1, 4), (7, 2, 3), (1, 2, 2)]
)
def test_every_pair_is_seen_once_an_epoch_in_the_order_of_one_process(monkeypatch, count, size, world):
    one = batches(monkeypatch, count, size * world, 1)[0]
    many = batches(monkeypatch, count, size, world)
    assert len({len(process) for process in many}) == 1  # all take part in every step
    together = [[n for part in step for n in part if n >= 0] for step in zip(*many, strict=True)]
    assert together == one
    assert sorted(n for step in one for n in step) == list(range(count))
    assert all(len(part) == 1 for process in many for part in process if part[0] < 0)


def test_the_order_is_that_of_accelerate_and_differs_between_epochs(monkeypatch):
    from accelerate.data_loader import SeedableRandomSampler

    theirs = SeedableRandomSampler(range(20), data_seed=3)
    theirs.set_epoch(1)
    ours = [n for part in batches(monkeypatch, 20, 4, 1, epoch=1)[0] for n in part]
    assert ours == list(theirs)
    assert ours != [n for part in batches(monkeypatch, 20, 4, 1, epoch=0)[0] for n in part]


@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_shares_make_up_the_whole(monkeypatch, count):
    monkeypatch.setenv("WORLD_SIZE", "4")
    parts = []
    for rank in range(4):
        monkeypatch.setenv("RANK", str(rank))
        parts.append(share(range(count)))
    assert [item for part in parts for item in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("codes", "told"), [([0, 0], 0), ([1, 6], 6), ([1, -9], -9), ([None, 4], 4), ([143, 143], 143)]
)
def test_the_code_that_says_most_is_told(codes, told):
    running = [type("Process", (), {"returncode": code}) for code in codes]
    assert processes._told(running) == told


@pytest.fixture(scope="module")
def start(server, tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "start", **{"train.log_every": 1, "train.batch_size": 4})
    assert server.run(folder, "reference").code == 0
    return folder


@pytest.fixture(scope="module")
def two(server, start):
    folder = twin(start, "two", **TWO)
    ran = server.run(folder)
    assert ran.code == 0, ran.said
    assert ran.said.count("train: 6 steps") == 1
    return folder


@pytest.mark.slow
def test_two_processes_have_the_loss_curve_of_one(server, start, two):
    one = twin(start, "one")
    assert server.run(one).code == 0
    for name in ("training", "validation"):
        for a, b in zip(rows(one, name), rows(two, name), strict=True):
            assert a["loss"] == pytest.approx(b["loss"], abs=1e-5)
    figures = [json.loads((folder / "metrics/train.json").read_text())["train"] for folder in (one, two)]
    assert figures[0]["loss"] == pytest.approx(figures[1]["loss"], abs=1e-5)
    assert figures[0]["steps"] == figures[1]["steps"] == 6


@pytest.mark.slow
def test_kto_on_two_processes_measures_rewards_against_the_divergence_of_the_whole_batch(server, start):
    kto = {"train.method": "kto", "train.learning_rate": 0.02}
    one, many = twin(start, "kto-one", **kto), twin(start, "kto-two", **TWO, **kto)
    assert server.run(one).code == server.run(many).code == 0
    losses = [[row["loss"] for row in rows(folder, "training")] for folder in (one, many)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-5)
    assert max(losses[0]) - min(losses[0]) > 0.01  # the policy has moved, so there is a divergence


@pytest.mark.slow
def test_weights_that_fsdp_shards_are_trained_judged_and_saved_as_whole_ones(server, start):
    """With the settings of configs/fsdp.yaml, by the plain path."""
    asked = load_yaml(ROOT / "configs/fsdp.yaml")["fsdp_config"]
    env = {name.upper(): str(value).lower() if isinstance(value, bool) else str(value) for name, value in asked.items()}
    one, two = twin(start, "unsharded"), twin(start, "sharded", **{"train.batch_size": 2})
    assert server.run(one).code == 0
    done = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "tests.sharded"],
        cwd=two, env={**os.environ, **env, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_FSDP": "true"},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and "TRL's own fused head is taken" in done.stderr, done.stderr
    for name in ("training", "validation"):
        losses = [[row["loss"] for row in rows(folder, name)] for folder in (one, two)]
        assert losses[1] == pytest.approx(losses[0], abs=1e-5), name
    whole, sharded = (load_file(folder / "models/adapter/adapter_model.safetensors") for folder in (one, two))
    assert whole.keys() == sharded.keys()
    assert all(sharded[name].numpy() == pytest.approx(tensor.numpy(), abs=1e-4) for name, tensor in whole.items())


def started(folder):
    """The stage as a user starts it, and a checkpoint made."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "stages.train"], cwd=folder, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    until = time.monotonic() + 240
    while not list((folder / ".persuasion").glob("checkpoints/*/step-*/whole.json")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.02)
    return process


def ended(process):
    """Wait until no process of the run is left."""
    until = time.monotonic() + 60
    while subprocess.run(["pgrep", "-g", str(process)], capture_output=True).stdout:
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize(("by", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_struck_together_they_continue_together(server, start, two, by, code):
    folder = twin(start, f"struck-{int(by)}", **TWO)
    process = started(folder)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) == 2
    process.send_signal(by)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == code, said
    for child in children:
        ended(child)
    assert not (folder / "models/adapter").exists()
    again = server.run(folder)
    assert again.code == 0 and "continues from step-" in again.said
    assert bytes_of(folder) == bytes_of(two)


@pytest.mark.slow
def test_when_one_is_killed_the_others_end_and_it_is_said(start):
    folder = twin(start, "one-killed", **TWO)
    process = started(folder)
    child = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()[1]
    os.kill(int(child), signal.SIGKILL)
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 4 and "one of 2 processes was killed" in said


@pytest.mark.slow
def test_torchrun_starts_it_as_well(start, two):
    folder = twin(start, "torchrun", **TWO)
    command = ["torch.distributed.run", "--standalone", "--nproc_per_node", "2", "-m", "stages.train"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert bytes_of(folder) == bytes_of(two)
