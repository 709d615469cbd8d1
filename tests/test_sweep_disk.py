"""A search on a disk that fills up: it stops and says so; with room again, the same command completes it."""

import json
import os

import pytest

from persuasion.errors import SurroundingsFailure
from persuasion.lab.sweep import diskroom
from tests import sweeping
from tests.servers.running import small_disk
from tests.sweeping import begun, do, pid_of_step, settled, status, steps, sweep, untouched


def filled(file):
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(os.urandom(1 << 16))
        except OSError:
            pass
        try:
            while True:
                stream.write(b"x")
        except OSError:
            pass


def test_only_what_the_last_try_says_is_blamed_on_the_disk(tmp_path):
    log = tmp_path / "sample-0.log"
    diskroom.begin(log)
    with log.open("a") as stream:
        stream.write("OSError: [Errno 28] No space left on device\nERROR: failed to reproduce 'train'\n")
    with pytest.raises(SurroundingsFailure, match="disk is full"):
        diskroom.blame(log)
    diskroom.begin(log)
    diskroom.blame(log)


@pytest.mark.slow
def test_a_full_disk_stops_the_search_and_the_same_command_completes_it(tmp_path):
    with small_disk(tmp_path / "disk"):
        project = sweeping.project(tmp_path / "disk/project", trials=3)
        running = begun(project, "run", BEFORE="3")
        pid_of_step(project, "train-begun", "sample-1")
        filled(tmp_path / "disk/filler")
        _, said = running.communicate(timeout=120)
        assert running.returncode == 4 and "disk is full" in said and "Traceback" not in said, said
        settled(project)
        refused = sweep(project, "run", ok=False)  # still full
        assert refused.returncode == 4 and "Traceback" not in refused.stderr, refused.stderr
        (tmp_path / "disk/filler").unlink()
        sweep(project, "run")
        told = status(project)
        assert told["states"] == {"complete": 3}
        assert sorted(steps(project, "train-done")) == ["-", "sample-0", "sample-1", "sample-2"]
        for line in (project / ".persuasion/sweep/sample/journal.log").read_text().splitlines():
            json.loads(line)
        untouched(project)
        do(project, "dvc", "exp", "show")
