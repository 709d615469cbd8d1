"""A process that runs one `dvc` command at a time in its workshop, which ``bench`` names as its argument.

It reads orders from standard input, one JSON object a line, and answers each with one. DVC is imported once and
forked for each command, which is then a process of its own in a session of its own. When standard input ends,
as it does however the sweep ends, whatever was started for the workshop is killed, DVC's queue included.
"""

import json
import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from persuasion.lab.sweep import owners

_INTERVAL = 0.05  # seconds between looks at the command and at standard input


def main() -> None:
    """Serve in the folder that is named, until standard input ends."""
    import dvc.repo
    import dvc.repo.experiments.queue.tempdir
    from dvc.cli import main as dvc

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the sweep's business, which then ends this
    place = Path(sys.argv[1])
    os.chdir(place)
    for line in _orders():
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order, dvc)
        with suppress(BrokenPipeError):  # the sweep is gone, as standard input will say too
            print(json.dumps({"pid": child}), flush=True)
            code = _awaited(child)
            print(json.dumps({"name": order["name"], "code": code}), flush=True)
    owners.reap(place)


def _orders() -> Any:
    """Lines of standard input, read without a buffer, so that ``select`` sees all there is."""
    rest = b""
    while block := os.read(0, 65536):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


def _awaited(child: int) -> int:
    """The command's exit code; ends it when the sweep is gone."""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if select.select([0], [], [], _INTERVAL)[0]:  # no order comes while one is at work: it is the end
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)


def _become(order: dict[str, Any], dvc: Any) -> None:
    """Be the command, in the child."""
    os.setsid()
    _die_with(os.getppid())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    code = 1
    try:
        code = dvc(order["arguments"])
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with(parent: int) -> None:
    """Have the system kill this process when the worker dies, where it can (Linux)."""
    import ctypes

    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        return
    if os.getppid() != parent:
        os._exit(1)
