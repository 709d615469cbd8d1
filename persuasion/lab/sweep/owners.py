"""Who works on a trial, as text that any other process can judge: a host, and a process there since its start."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

MARK = "PERSUASION_SWEEP"
"""In the environment of everything a sweep starts: the folder it works in."""
_ROUNDS = 5
"""Looks for what is still there, at most: a process that waits for a disk may not die at once."""


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


def started(folder: Path) -> list[Any]:
    """The processes (of psutil) that were started for ``folder`` and still run, but for the caller.

    A process group is not enough: DVC and the stages start sessions of their own, and celery's workers leave theirs.
    """
    import psutil

    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK) == str(folder) and process.pid != os.getpid():
                found.append(process)
    return found


def reap(folder: Path, *, but: frozenset[int] = frozenset(), name: str = "", word: str = "") -> int:
    """End what was started for ``folder`` and still runs; return how many.

    With a ``name``, only that experiment's; ``word`` in a command line tells it where the environment does not.
    Looks until nothing is left, for what is killed may just have started something.
    """
    import psutil

    count = 0
    for _ in range(_ROUNDS):
        there = [one for one in started(folder) if one.pid not in but]
        found = [one for one in there if not (name or word) or _is(one, name, word)]
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(found, timeout=10)
        count += len(found)
        if not found:
            break
    return count


def _is(process: Any, name: str, word: str) -> bool:
    """Whether the process belongs to the experiment: DVC names it to the stages, a command line names its commit."""
    import psutil

    try:
        return bool(name and name == process.environ().get("DVC_EXP_NAME")) or bool(
            word and any(word in part for part in process.cmdline())
        )
    except psutil.Error:
        return False


def _host() -> str:
    """The machine and its process numbers' name space: containers share a host's name, or number anew."""
    with suppress(OSError):
        return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}".replace(" ", "")
    return socket.gethostname()
