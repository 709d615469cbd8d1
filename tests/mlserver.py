"""A real MLflow server on loopback, with PostgreSQL behind it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import postgres

SETTINGS = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}


@contextmanager
def running() -> Iterator[str]:
    """Its address; skips where there is no PostgreSQL."""
    with postgres.running() as database, tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        stores = ["--backend-store-uri", database, "--artifacts-destination", f"{folder}/files", "--workers", "1"]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "DVC_"))}
        log = Path(folder) / "log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [*command, *stores], env=kept | SETTINGS, stdout=stream, stderr=stream, start_new_session=True
            )
        try:
            yield _ready(f"http://127.0.0.1:{port}", log)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _ready(address: str, log: Path) -> str:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return address
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not start: {log.read_text()[-2000:]}")
