"""A real PostgreSQL on loopback, for as long as a test needs it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PROGRAMS = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def running() -> Iterator[str]:
    """The address of an empty database, with its password."""
    if not (PROGRAMS / "initdb").exists() or os.geteuid() != 0:
        pytest.skip("no PostgreSQL 15 here, or no right to start it as its own user")
    folder = Path(tempfile.mkdtemp(prefix="persuasion-postgres-"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "password").write_text("secret")
    shutil.chown(folder, "postgres", "postgres")
    shutil.chown(folder / "password", "postgres", "postgres")
    folder.chmod(0o711)
    settings = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    try:
        _do(folder, "initdb", "-D", "data", "-U", "optuna", "-A", "scram-sha-256", "--pwfile=password", "-E", "UTF8")
        _do(folder, "pg_ctl", "-D", "data", "-l", "log", "-w", "-o", settings, "start")
        yield f"postgresql+psycopg://optuna:secret@127.0.0.1:{port}/postgres"
    finally:
        _do(folder, "pg_ctl", "-D", "data", "-m", "immediate", "stop", ok=False)
        shutil.rmtree(folder)


def _do(folder: Path, program: str, *arguments: str, ok: bool = True) -> None:
    command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", str(PROGRAMS / program), *arguments]
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    log = subprocess.DEVNULL  # the server keeps what it inherits
    done = subprocess.run(command, cwd=folder, env=env, stdout=log, stderr=log, timeout=120)
    assert not ok or done.returncode == 0, program
