"""Any stage, killed at random moments: what looks finished is, and the next run ends with an undisturbed one's bytes.

``pytest --kills 20 tests/test_kills.py`` kills each stage that often; `make faults` does.
"""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from persuasion.files import digest, remove
from persuasion.yaml12 import load_yaml
from tests.closures import ROOT
from tests.project import SMALL, copied

STAGES = ["sample", "extract", "pair", "base", "reference", "train", "evaluate", "generate", "report"]
IN_A_ROW = 4  # kills before a run is left in peace
LIVE = Path("metrics/train")  # curves, to be watched while they grow


@pytest.fixture(scope="module")
def finished(server, tmp_path_factory):
    """Every stage run once, undisturbed, and the seconds that each took."""
    folder = copied(tmp_path_factory.mktemp("kills") / "finished", SMALL | {"compute.threads": 1})
    seconds = {}
    for stage in STAGES:
        server.run(folder, stage, after=0)  # the imports are paid for
        begun = time.monotonic()
        ran = server.run(folder, stage)
        assert ran.code == 0, ran.said
        seconds[stage] = time.monotonic() - begun
    return folder, seconds


def written(folder: Path) -> dict[Path, str]:
    """Every file below a folder, hidden ones too but git's own, and its hash."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path: digest(folder / path) for path in files if path.parts[0] != ".git"}


def outputs(stage: str) -> list[Path]:
    """What DVC removes before it runs a stage, and takes for its result afterwards."""
    known = load_yaml(ROOT / "dvc.yaml")["stages"][stage]
    entries = [*known.get("outs", []), *known.get("metrics", [])]
    return [Path(entry if isinstance(entry, str) else next(iter(entry))) for entry in entries]


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_any_moment_leaves_nothing_half_and_ends_the_same(request, server, finished, stage):
    done, seconds = finished
    folder = done.with_name(stage)
    shutil.copytree(done, folder)
    expected, chance, killed = written(done), random.Random(stage), 0
    for number in range(1, request.config.getoption("kills") + 1):
        for path in outputs(stage):
            remove(folder / path)
        ran = server.run(folder, stage, after=chance.uniform(0, seconds[stage]))
        assert ran.code in (0, -signal.SIGKILL), ran.said  # it may have been quicker
        killed += ran.code != 0
        for path, found in written(folder).items():
            if any(path.is_relative_to(out) for out in outputs(stage)) and not path.is_relative_to(LIVE):
                assert found == expected[path], path
        if number % IN_A_ROW == 0:
            ran = server.run(folder, stage)
            assert ran.code == 0, ran.said
            assert not {path for path, _ in written(folder).items() ^ expected.items()}
    assert killed
    shutil.rmtree(folder)
