"""Who works on a trial, as text that any other process can judge: a host, and a process there since its start."""

import os
import socket
from contextlib import suppress
from pathlib import Path

MARK = "PERSUASION_SWEEP"
"""In the environment of everything a sweep starts: the folder it works in."""


def me() -> str:
    """The process that calls, as an owner."""
    return owner(os.getpid())


def owner(pid: int) -> str:
    """The process ``pid`` of this host; its number alone may have been another's."""
    import psutil

    return f"{_host()} {pid} {psutil.Process(pid).create_time():.2f}"


def gone(name: str) -> bool | None:
    """Whether the owner is no more; None where it is on another host, of which nothing is known here."""
    import psutil

    host, _, rest = name.partition(" ")
    pid, _, since = rest.partition(" ")
    if host != _host():
        return None
    try:
        process = psutil.Process(int(pid))
        there = f"{process.create_time():.2f}" == since and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return True
    return not there


def reap(folder: Path, *, but: frozenset[int] = frozenset(), name: str | None = None) -> int:
    """End what was started for ``folder`` (a trial's experiment ``name`` alone) and still runs; return how many.

    A process group is not enough: DVC and the stages start sessions of their own.
    """
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            environment = process.environ()
            ours = environment.get(MARK) == str(folder) and process.pid not in {os.getpid(), *but}
            if ours and name in (None, environment.get("DVC_EXP_NAME"), environment.get(f"{MARK}_TRIAL")):
                found.append(process)
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=10)
    return len(found)


def _host() -> str:
    """The machine and its process numbers' name space: containers share a host's name, or number anew."""
    with suppress(OSError):
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}".replace(" ", "")
    return socket.gethostname()
