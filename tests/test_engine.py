import os
import subprocess
import sys
import threading

import pytest

from persuasion import engine, unpacking
from persuasion.cores import in_order, workers
from persuasion.errors import DataFailure, SurroundingsFailure
from persuasion.parts import read_block
from tests.builders import awarded_thread, ndjson, raw_comment, raw_submission, source
from tests.closures import ROOT
from tests.extracting import read, read_files

CONTENT = ndjson([raw_submission(), *(raw_comment(id=f"c{number}") for number in range(300))])
SMALL = {"block_bytes": 1024}


def killed(*_):
    """What the kernel does to a worker when memory runs out."""
    os._exit(9)


def refusing(*_):
    raise DataFailure("it is of no use", where="a block")


def doubled(number):
    return 2 * number


@pytest.mark.parametrize("files", [1, 2])
def test_a_killed_worker_is_a_message_and_exit_4(files, monkeypatch):
    monkeypatch.setattr(engine, "_parse", killed)
    with pytest.raises(SurroundingsFailure, match="a worker process was killed") as failure:
        read_files(*[CONTENT] * files, workers=2, **SMALL)
    assert failure.value.exit_code == 4 and "source.workers" in failure.value.fix


def killed_among_many():
    """Two workers that are killed, many files, and a machine with more cores than workers."""
    engine._parse, os.cpu_count, unpacking.PLAIN_CHUNK = killed, lambda: 16, 1024
    with pytest.raises(SurroundingsFailure, match="a worker process was killed"):
        read_files(*[CONTENT] * 12, workers=2, **SMALL)


def test_no_thread_waits_for_ever_for_a_killed_worker():
    command = [sys.executable, "-c", "from tests import test_engine; test_engine.killed_among_many()"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        pytest.fail("threads wait for slots that nobody gives back")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("files", [1, 3])
def test_the_failure_of_a_block_arrives_as_it_is(workers, files, monkeypatch):
    monkeypatch.setattr(engine, "_parse", refusing)
    with pytest.raises(DataFailure, match="it is of no use") as failure:
        read_files(*[CONTENT] * files, workers=workers, **SMALL)
    assert failure.value.where == "a block"


def test_few_bytes_are_not_worth_a_process_and_many_are():
    with workers(0, 100) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()
    with workers(2, 100) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_order_with_few_of_them_waiting(count):
    with workers(count, 0) as pool:
        assert list(in_order(pool, doubled, range(20), 3)) == [2 * number for number in range(20)]
    begun = []
    found = in_order(engine.InPlace(), begun.append, range(20), 3)
    next(found)
    assert len(begun) == 3


def test_an_error_of_work_done_in_place_waits_for_its_result():
    future = engine.InPlace().submit(refusing)
    with pytest.raises(DataFailure, match="it is of no use"):
        future.result()


def test_blocks_are_handed_over_in_few_files(monkeypatch, tmp_path):
    (tmp_path / "dump.ndjson").write_bytes(CONTENT)
    most = []

    def watched(block, name, how):
        most.append(sum(path.is_file() for path in (tmp_path / "threads/scratch").iterdir()))
        return read_block(block, name, how)

    monkeypatch.setattr(engine, "read_block", watched)
    monkeypatch.setattr(unpacking, "PLAIN_CHUNK", 1024)
    read(source(tmp_path / "dump.ndjson", **SMALL), tmp_path / "threads")
    assert len(most) > 20 and 0 < max(most) <= 3
    assert not (tmp_path / "threads/scratch").exists()


def test_no_process_and_no_thread_stays_behind():
    before = threading.active_count()
    read_files(ndjson(awarded_thread()), ndjson(awarded_thread("two")), workers=2)
    assert threading.active_count() == before
