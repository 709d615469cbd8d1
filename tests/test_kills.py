"""Any stage, killed at any moment, ends with the bytes of an undisturbed run once it is run again.

Half of the kills strike before a chosen write, the others wherever the stage is after a chosen time of work; several
in a row, as DVC would start it again. ``pytest --kills 20 tests/test_kills.py`` kills each stage that often, as
`make faults` does.
"""

import random
import re
import shutil
import signal
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
import pytest

from persuasion.files import digest, remove
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.project import SMALL, copied

STAGES = ["sample", "extract", "pair", "base", "lm", "sft", "reference", "train", "evaluate", "generate", "report"]
SETTINGS = SMALL | {
    "compute.threads": 1,
    "source.workers": 2,
    "base.prepare.lm": ["base"],
    "base.prepare.sft": ["lm"],
    "base.serves": "sft",
    "base.prepare.batch_size": 16,
    "model.small.context": 192,
    "encoding.prompt_tokens": 96,
    "encoding.total_tokens": 160,
    "train.batch_size": 4,
    "train.save_every": 2,
    "generate.challenges": False,
}
CODE = ("benchmarks", "docs", "persuasion", "stages", "tests")  # runs from where it is
IN_A_ROW = 4  # kills before a run is left in peace
LIVE = Path("metrics/train")  # curves, to be watched while they grow
ALONE = "stage._mirror = lambda: None"  # what MLflow is told is test_tracking's
PATCHES = {"report": ALONE}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(server, tmp_path_factory):
    """Every stage run once, undisturbed, and how each went."""
    folder = copied(tmp_path_factory.mktemp("kills") / "finished", SETTINGS)
    for name in CODE:
        remove(folder / name)
    ran = {stage: server.run(folder, stage, patch=PATCHES.get(stage, "")) for stage in STAGES}
    assert "".join(one.said for one in ran.values() if one.code) == ""
    return folder, ran


def written(folder: Path) -> dict[Path, str]:
    """Every file below a folder, hidden ones too but git's own, and its hash."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path: digest(folder / path) for path in files if path.parts[0] != ".git"}


@cache
def outputs(stage: str) -> list[Path]:
    """What DVC removes before it runs a stage, and takes for its result afterwards."""
    known = load_yaml(ROOT / "dvc.yaml")["stages"][stage]
    known = known.get("do", known)
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in known.get(kind, [])]
    return [Path(entry if isinstance(entry, str) else next(iter(entry))) for entry in entries]


def begun_at(ran) -> int:
    """The step from which a training continued."""
    found = re.search(r"continues from step-(\d+)", ran.said)
    return int(found[1]) if found else 0


def at_work(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


class Victim:
    """A stage in a copy of the finished folder."""

    def __init__(self, server, finished, stage: str) -> None:
        done, ran = finished
        self.server, self.stage, self.usual = server, stage, ran[stage]
        self.expected, self.folder = written(done), done.with_name(stage)
        shutil.copytree(done, self.folder)
        self.steps = 0  # that were done when it was struck

    def run(self, before: str = "", **strike):
        """Run it as DVC would; assert that what looks finished is, and that a training lost little."""
        for path in outputs(self.stage):
            remove(self.folder / path)
        ran = self.server.run(self.folder, self.stage, patch=before + PATCHES.get(self.stage, ""), **strike)
        until = time.monotonic() + 60
        while left := at_work(self.folder):  # a worker that outlives its stage would write on
            assert time.monotonic() < until, left
            time.sleep(0.01)
        done = ran.events.count("training_step")
        if done or ran.code == 0:  # it came to its steps
            assert self.steps - begun_at(ran) <= SETTINGS["train.save_every"], ran.said
            whole = all((self.folder / path).exists() for path in outputs(self.stage))
            self.steps = 0 if whole else begun_at(ran) + done - 1
        for path, found in written(self.folder).items():
            if any(path.is_relative_to(out) for out in outputs(self.stage)) and not path.is_relative_to(LIVE):
                assert found == self.expected[path], path
        if ran.code == 0:
            assert written(self.folder) == self.expected
        return ran

    def partial(self) -> list[Path]:
        """What lies there half written."""
        return list(self.folder.rglob(".*.partial"))


@pytest.fixture
def victim(server, finished, request):
    one = Victim(server, finished, request.getfixturevalue("stage"))
    yield one
    shutil.rmtree(one.folder)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_any_moment_ends_the_same(request, victim, stage):
    chance, wanted, killed, torn = random.Random(stage), request.config.getoption("kills"), 0, 0
    usual = victim.usual
    for number in range(3 * wanted):
        if number % 2:
            ran = victim.run(after=chance.uniform(0, usual.seconds))
        else:
            ran = victim.run(at=chance.randint(1, len(usual.events)))
        assert ran.code in (0, -signal.SIGKILL), ran.said  # continued, it may be quicker than the strike
        killed += ran.code != 0
        torn += bool(victim.partial())
        if killed and killed % IN_A_ROW == 0 and ran.code:
            assert victim.run().code == 0
        if killed == wanted:
            break
    assert killed == wanted
    assert torn or wanted < 10  # of a few none need strike while something is half written
    assert victim.run().code == 0


CLOCK = """
import itertools, time
ticks = itertools.count()
time.time = lambda: 2**31 * (next(ticks) % 2)  # 1970 and 2038 by turns
"""


@pytest.mark.parametrize("stage", ["pair", "train", "generate"])
def test_a_clock_that_jumps_changes_no_byte(victim, stage):
    assert victim.run(before=CLOCK).code == 0


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_asked_to_end_leaves_nothing_half_and_ends_the_same(victim, stage):
    events = len(victim.usual.events)
    # the second, early: a training may have little left to do
    for by, code, at in ((signal.SIGTERM, 143, events // 2), (signal.SIGINT, 130, 1 + events // 10)):
        ran = victim.run(at=at, by=by)
        assert ran.code == code and "run the same command again to continue" in ran.said
        assert not victim.partial()
    assert victim.run().code == 0
