"""The real stages on a tiny model, many times in seconds: a server that forks a process for each run.

A run can be struck, by any signal, at its nth event: a step, a verdict on an epoch, a file settled
on the disk, a rename, a folder removed; or once it has worked for some seconds, whatever it is doing. The seconds are
its processor's, which a busy machine does not stretch. ``python -m tests.workbench`` is the server.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from tests import tiny
from tests.closures import ROOT
from tests.project import change

OUTPUTS = ("models/adapter", "data/samples", "metrics/train.json", "metrics/train")
SETTINGS = {
    "compute.threads": 1,
    "encoding.prompt_tokens": 64,
    "encoding.total_tokens": 128,
    "train.epochs": 2,
    "train.batch_size": 2,
    "train.log_every": 3,
    "train.save_every": 2,
    "train.sample_pairs": 2,
    "train.sample_tokens": 6,
    "lora.r": 2,
}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: its exit code (negative: the signal), what it said, its events in order, its seconds of work."""

    code: int
    said: str
    events: list[str]
    seconds: float


def bench(folder: Path, **changes: object) -> Path:
    """A folder in which the stage can run: parameters, pairs, a tiny base, and its reference."""
    from persuasion import models
    from persuasion.records import Pair
    from persuasion.tables import write_rows

    folder.mkdir(parents=True)
    shutil.copyfile(ROOT / "params.yaml", folder / "params.yaml")
    change(folder, SETTINGS | changes)
    for split, numbers in (("train", range(9)), ("validation", range(9, 14)), ("test", range(14, 16))):
        rows = [replace(pair(number), split=split) for number in numbers]
        write_rows(folder / f"data/pairs/{split}.parquet", rows, Pair, "pair_id")
    (folder / "models/base").mkdir(parents=True)
    tok = tiny.tokenizer()
    models.save_base(tiny.llama(len(tok)).float(), tok, folder / "models/base")
    return folder


def pair(number: int):
    """Pairs of several lengths; two of every three stand on one post."""
    chosen, rejected = tiny.TEXTS[number % 4], tiny.TEXTS[(number + 1 + number % 3) % 4]
    return tiny.pair(
        number, prompt=f"CMV: view {number // 3} of many\n\nI may be wrong.", chosen=chosen, rejected=rejected
    )


def twin(folder: Path, name: str, **changes: object) -> Path:
    """A copy of a bench beside it, with parameters changed."""
    other = folder.with_name(name)
    shutil.copytree(folder, other)
    change(other, changes)
    return other


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Every output file and its content."""
    files = [file for name in OUTPUTS for file in (folder / name, *(folder / name).rglob("*")) if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


class Server:
    """Starts the stages; the imports are paid for once."""

    def __enter__(self) -> "Server":
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        env.pop("DVC_ROOT", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.workbench"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def run(
        self,
        folder: Path,
        stage: str = "train",
        at: int = 0,
        by: int = signal.SIGKILL,
        after: float | None = None,
        patch: str = "",
        **env: str,
    ) -> Ran:
        """Run ``stage`` in ``folder``; signal ``by`` strikes at event ``at`` (0: never); ``patch`` runs before.

        ``after``: it strikes once the stage has worked for so many seconds of processor time (None: never).
        """
        asked = {"folder": str(folder), "stage": stage, "at": at, "by": int(by), "after": after}
        asked |= {"patch": patch, "env": env}
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return Ran(**json.loads(self.process.stdout.readline()))


def _serve() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        import_module(f"stages.{asked['stage']}")  # once, before the forks
        log = Path(asked["folder"]).with_suffix(".log")
        log.write_text("")
        events = Path(asked["folder"]).with_suffix(".events")
        events.write_text("")
        child = os.fork()
        if child == 0:
            _child(asked, log, events)
        seconds = _awaited(child, asked["after"], asked["by"])
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ran = {"code": status, "said": log.read_text(), "events": events.read_text().split(), "seconds": seconds}
        print(json.dumps(ran), flush=True)


def _awaited(child: int, after: float | None, by: int) -> float:
    """Wait until a process has ended, signal it once it has worked so long; its seconds of work."""
    clock = ctypes.c_int()
    ctypes.CDLL(None).clock_getcpuclockid(child, ctypes.byref(clock))  # clock_getcpuclockid(3)
    while after is not None and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.clock_gettime(clock.value) >= after:
            os.kill(child, by)
            after = None
        time.sleep(0.001)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    return time.clock_gettime(clock.value)


def _child(asked: dict, log: Path, events: Path) -> None:
    """Become the stage."""
    from persuasion.running import run

    handle = os.open(log, os.O_WRONLY)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.chdir(asked["folder"])
    os.environ.update(asked["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
    stage = sys.modules[f"stages.{asked['stage']}"]
    _watch(events.open("a", buffering=1), asked["at"], asked["by"])
    exec(asked["patch"], {"stage": stage})
    code = 1
    try:
        run(stage.main)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _watch(events, at: int, by: int) -> None:
    """Note every event, and strike before the one whose turn it is."""
    from persuasion import files

    count, me = 0, os.getpid()

    def before(owner, name: str) -> None:
        plain = getattr(owner, name)

        def watched(*args, **kwargs):
            nonlocal count
            if os.getpid() != me:  # a worker of the stage
                return plain(*args, **kwargs)
            count += 1
            print(name, file=events)
            if count == at:
                os.kill(os.getpid(), by)
            return plain(*args, **kwargs)

        setattr(owner, name, watched)

    for owner, name in (
        (os, "fsync"),
        (Path, "replace"),
        (Path, "mkdir"),
        (shutil, "rmtree"),
        (files, "write_text"),
    ):
        before(owner, name)
    if training := sys.modules.get("persuasion.training"):  # no other stage need import torch
        before(training.PairTrainer, "training_step")
        before(training.PairTrainer, "_get_grad_norm")
    if journal := sys.modules.get("persuasion.journal"):
        before(journal.Journal, "__call__")


if __name__ == "__main__":
    _serve()
