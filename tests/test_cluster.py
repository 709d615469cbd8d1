"""The stage on a real Ray cluster of two workers, started here and stopped by its process group."""

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest

from persuasion import spans
from tests.builders import awarded_thread, ndjson, raw_comment
from tests.extracting import frames, stage
from tests.forms import tan_files, write_tree

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RAY = Path(sys.executable).parent / "ray"
NOISE = [random.Random(number).randbytes(9000).hex() for number in range(4000)]
TALK = [raw_comment(id=f"k{at}", link_id="t3_p1", parent_id="t3_p1", body=body) for at, body in enumerate(NOISE)]
DUMP = (
    ndjson([*awarded_thread("p1"), *TALK, *awarded_thread("p2"), raw_comment(id="lost", link_id="t3_gone")])
    + b"broken\n"
)


@pytest.fixture(scope="module")
def address():
    """The address of a cluster whose files lie under a short path (sockets' names may not be long)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        command = [RAY, "start", "--head", "--block", "--num-cpus=2", f"--port={port}", "--node-ip-address=127.0.0.1",
                   "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={folder}",
                   "--object-store-memory=200000000"]  # fmt: skip
        log = Path(folder) / "start.log"
        with log.open("wb") as said:
            head = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            _wait_for(head, log)
            yield f"127.0.0.1:{port}"
        finally:
            head.terminate()  # with --block it stops all that it started
            with suppress(subprocess.TimeoutExpired):
                head.wait(60)
            with suppress(ProcessLookupError):
                os.killpg(head.pid, signal.SIGKILL)
            head.wait()


def _wait_for(head, log):
    for _ in range(120):
        if "Ray runtime started" in log.read_text(errors="replace"):
            return
        if head.poll() is not None:
            break
        time.sleep(1)
    pytest.fail(f"the cluster did not start:\n{log.read_text(errors='replace')}")


def extracted(folder, address, **changes):
    """The stage's outputs by name."""
    done = stage(folder, env={"RAY_ADDRESS": address} if address else None, **changes)
    assert done.returncode == 0, done.stderr
    outputs = [*(folder / "data/threads").iterdir(), folder / "metrics/extract.json"]
    return {path.name: path.read_bytes() for path in outputs}


def refused_without_a_cluster(folder, address):
    write_tree(folder, {"dump/a.ndjson": ndjson(awarded_thread())})
    env = {"RAY_ADDRESS": address, "RAY_TMPDIR": str(folder)}
    done = stage(folder, env=env, timeout=120, path="dump", engine="ray")
    assert done.returncode == 4, done.stderr
    assert "no Ray cluster answers" in done.stderr and "ray start --head" in done.stderr
    assert "Traceback" not in done.stderr and not (folder / "data/threads").exists()


def test_without_a_cluster_the_message_says_how_to_start_one(tmp_path):
    from ray._private.services import find_gcs_addresses

    if find_gcs_addresses():
        pytest.skip("a Ray cluster of somebody else's runs on this machine")
    refused_without_a_cluster(tmp_path, "")


def test_an_address_where_nobody_listens_is_no_endless_wait(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    refused_without_a_cluster(tmp_path, f"127.0.0.1:{port}")


def test_the_cluster_makes_the_bytes_of_one_process(address, tmp_path):
    cuts = range(0, len(DUMP), len(DUMP) // 5)
    write_tree(tmp_path, {"dump/a.zst": frames(DUMP, cuts), "dump/b.ndjson": ndjson(awarded_thread("p3"))})
    assert len(spans.spans(tmp_path / "dump/a.zst")) > 1
    here = extracted(tmp_path, None, path="dump", engine="local", block_bytes=1 << 20)
    there = extracted(tmp_path, address, path="dump", engine="ray", block_bytes=1 << 20)
    assert there == here


def test_other_forms_are_read_there_too(address, tmp_path):
    write_tree(tmp_path, {f"cmv/{name}": content for name, content in tan_files().items()})
    here, there = (extracted(tmp_path, address, path="cmv", engine=engine) for engine in ("local", "ray"))
    assert there == here


def test_the_failure_of_a_unit_arrives_as_it_is(address, tmp_path):
    write_tree(tmp_path, {"dump/a.ndjson": ndjson(awarded_thread()), "dump/b.zst": frames(DUMP, [])[:-9]})
    done = stage(tmp_path, env={"RAY_ADDRESS": address}, path="dump", engine="ray")
    assert done.returncode == 3 and "b.zst is truncated after" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "data/threads").exists()


def test_without_ray_the_message_says_what_to_install(tmp_path):
    write_tree(tmp_path, {"dump/a.ndjson": ndjson(awarded_thread()), "without/ray/__init__.py": b"raise ImportError\n"})
    path = f"{tmp_path / 'without'}:{Path(__file__).parent.parent}"
    done = stage(tmp_path, env={"PYTHONPATH": path}, path="dump", engine="ray")
    assert done.returncode == 4 and "persuasion[ray]" in done.stderr, done.stderr
