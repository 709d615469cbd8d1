"""A training killed at any moment ends with the bytes of an undisturbed one; another run's state is never used."""

import fcntl
import os
import random
import shutil
import signal
from dataclasses import replace

import pytest

from persuasion.records import Pair
from persuasion.tables import read_rows, write_rows
from tests.project import change
from tests.workbench import bench, bytes_of, twin

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain(server, tmp_path_factory):
    folder = bench(tmp_path_factory.mktemp("benches") / "plain")
    assert server.run(folder, "reference").code == 0
    return folder


@pytest.fixture(
    scope="module",
    params=[{}, {"lora.dropout": 0.3, "train.accumulation": 2}],
    ids=["plain", "dropout"],
)
def undisturbed(request, server, plain):
    """A bench, and how its run went that nothing disturbed."""
    start = twin(plain, f"start-{len(request.param)}", **request.param)
    done = twin(start, f"done-{len(request.param)}")
    ran = server.run(done)
    assert ran.code == 0, ran.said
    assert not list((done / ".persuasion/checkpoints").iterdir())
    return start, bytes_of(done), ran


def moments(events, seed):
    """One moment of every kind of event, and more anywhere: by seed, so that a failure can be seen again."""
    chance = random.Random(seed)
    kinds = [chance.choice([n for n, kind in enumerate(events, 1) if kind == one]) for one in sorted(set(events))]
    return sorted({*kinds, *(chance.randint(1, len(events)) for _ in range(4))})


def test_killed_at_any_moment_it_ends_with_the_same_bytes(server, undisturbed):
    start, expected, ran = undisturbed
    assert {"models/adapter/adapter_model.safetensors", "data/samples/pairs.parquet", "metrics/train.json"} <= set(
        expected
    )
    assert ran.events.count("fsync") > 20
    continued = 0
    for at in moments(ran.events, seed=5):
        folder = twin(start, "killed")
        assert server.run(folder, at=at).code == -signal.SIGKILL
        again = server.run(folder)
        assert again.code == 0, again.said
        assert bytes_of(folder) == expected, f"event {at} of {len(ran.events)}: {ran.events[at - 1]}"
        assert not list((folder / ".persuasion/checkpoints").iterdir())
        continued += "continues from step-" in again.said
        shutil.rmtree(folder)
    assert continued > 3


def test_killed_over_and_over_it_still_gets_there(server, undisturbed):
    start, expected, ran = undisturbed
    folder = twin(start, "often")
    for at in (len(ran.events) // 4, len(ran.events) // 3, len(ran.events) // 2):
        server.run(folder, at=at)
    assert server.run(folder).code == 0
    assert bytes_of(folder) == expected
    shutil.rmtree(folder)


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_the_step_and_keeps_it(server, undisturbed, by, code):
    start, expected, ran = undisturbed
    folder = twin(start, "asked")
    steps = [n for n, kind in enumerate(ran.events, 1) if kind == "training_step"]
    stopped = server.run(folder, at=steps[2], by=by)
    assert stopped.code == code and "run the same command again to continue" in stopped.said
    (checkpoint, *_) = sorted((folder / ".persuasion/checkpoints").glob("*/step-*"), reverse=True)
    step = int(checkpoint.name.removeprefix("step-"))
    assert not (folder / "models/adapter").exists()
    again = server.run(folder)
    assert f"continues from step-{step:08d}" in again.said
    assert bytes_of(folder) == expected
    shutil.rmtree(folder)


def killed(server, start, name):
    """A bench whose run was killed late, with checkpoints left."""
    folder = twin(start, name)
    ran = server.run(folder, at=10**9)
    shutil.rmtree(folder)
    folder = twin(start, name)
    last = max(n for n, kind in enumerate(ran.events, 1) if kind == "training_step")
    assert server.run(folder, at=last).code == -signal.SIGKILL
    assert list((folder / ".persuasion/checkpoints").glob("*/step-*/whole.json"))
    return folder


@pytest.mark.parametrize(
    ("what", "other"),
    [("train.learning_rate", "train"), ("dpo.beta", "dpo"), ("pairs", "data/pairs/validation.parquet")],
)
def test_another_run_never_continues_it(server, plain, tmp_path, what, other):
    folder = killed(server, plain, f"other-{other.split('/')[0]}")
    if what == "pairs":  # a text that no figure depends on, but a table does
        path = folder / "data/pairs/validation.parquet"
        rows = read_rows(path, Pair)
        write_rows(path, [replace(row, thread_id="t3_x") for row in rows], Pair, "pair_id")
    else:
        change(folder, {what: 0.25})
    ran = server.run(folder)
    assert ran.code == 0 and "continues" not in ran.said
    assert f"checkpoints of another run are removed (other {other})" in ran.said
    assert not list((folder / ".persuasion/checkpoints").iterdir())


def test_how_often_it_is_kept_changes_no_byte_and_nothing_is_kept_on_request(server, plain):
    first, second = (
        twin(plain, "often-kept", **{"train.save_every": 1}),
        twin(plain, "never-kept", **{"train.save_every": 0}),
    )
    assert server.run(first).code == server.run(second).code == 0
    assert bytes_of(first) == bytes_of(second)
    assert server.run(second, at=30, by=signal.SIGTERM).code == 143
    assert not list(second.rglob("step-*"))


def test_a_broken_or_planted_checkpoint_is_passed_over(server, plain):
    folder = killed(server, plain, "broken")
    newest, older = sorted((folder / ".persuasion/checkpoints").glob("*/step-*"), reverse=True)[:2]
    (newest / "optimizer.pt").write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")  # a pickle that runs a command
    ran = server.run(folder)
    assert ran.code == 0
    assert f"{newest.name} is not whole" in ran.said and f"continues from {older.name}" in ran.said
    assert not (folder / "hacked").exists()


def test_in_a_temporary_copy_of_dvc_they_lie_in_the_repository(server, plain):
    home = twin(plain, "repository")
    copies = home / ".dvc/tmp/exps"
    first, second = twin(plain, "copy-1"), twin(plain, "copy-2")
    copies.mkdir(parents=True)
    for copy in (first, second):
        shutil.move(copy, copies / copy.name)
    (home / ".persuasion/checkpoints/someone").mkdir(parents=True)
    assert server.run(copies / "copy-1", at=60, DVC_ROOT=str(home)).code == -signal.SIGKILL
    shutil.rmtree(copies / "copy-1")  # as DVC does
    assert list((home / ".persuasion/checkpoints").glob("*/step-*"))
    ran = server.run(copies / "copy-2", DVC_ROOT=str(home))
    assert ran.code == 0 and "continues from" in ran.said
    assert [path.name for path in (home / ".persuasion/checkpoints").iterdir()] == ["someone"]


def test_two_trainings_in_one_folder_are_refused(server, plain):
    folder = twin(plain, "two")
    (folder / ".persuasion").mkdir()
    handle = os.open(folder / ".persuasion", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    ran = server.run(folder)
    os.close(handle)
    assert ran.code == 4 and "another training is at work" in ran.said
