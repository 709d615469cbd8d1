"""Several processes on one training: start them, share out the pairs, and gather exactly what each has.

``torchrun --nproc_per_node N -m stages.train`` and ``accelerate launch`` set the same environment
(WORLD_SIZE, RANK, ...) as ``launched``, so either may start the stage instead.
"""

import ctypes
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from persuasion.errors import SurroundingsFailure

POLL = 0.1  # seconds between looks at the processes
PR_SET_PDEATHSIG = 1  # linux/prctl.h
CHILD = "PERSUASION_PARENT"
Item = TypeVar("Item")


def world() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Which of them this is; the first one, 0, writes."""
    return int(os.environ.get("RANK", "0"))


def launched(count: int, module: str) -> bool:
    """Run ``python -m module`` in ``count`` processes and wait; False where that is not asked or this is one of them.

    Exits with the code of the first that fails. A signal goes to all; should this process be
    killed, the others are too.
    """
    if CHILD in os.environ and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if count == 1 or "WORLD_SIZE" in os.environ:
        return False
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), CHILD: str(os.getpid())}
    running = [
        subprocess.Popen(  # noqa: S603 - this very interpreter and stage
            [sys.executable, "-m", module, *sys.argv[1:]],
            env={**os.environ, **shared, "WORLD_SIZE": str(count), "RANK": str(n), "LOCAL_RANK": str(n)},
            start_new_session=True,  # Ctrl-C reaches them once, through us
        )
        for n in range(count)
    ]
    code = _awaited(running)
    if code == -signal.SIGKILL:
        raise SurroundingsFailure(
            f"one of {count} processes was killed",
            why="perhaps the machine ran out of memory",
            fix="lower train.batch_size or train.processes; the same command continues",
        )
    if code:
        raise SystemExit(code if code > 0 else 128 - code)
    return True


def _awaited(running: Sequence["subprocess.Popen[bytes]"]) -> int:
    """Wait for all, passing signals on; the first that fails ends the others, which could only wait for it."""

    def pass_on(number: int, _: object) -> None:
        for process in running:
            process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        while any(process.poll() is None for process in running) and not _told(running):
            time.sleep(POLL)
        told = _told(running)
        for process in running:
            process.kill()
            process.wait()
        return told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(running: Sequence["subprocess.Popen[bytes]"]) -> int:
    """0 while none failed, else the code that says most: a signal, then a failure of ours; 1 may just be its echo."""
    return max((process.returncode or 0 for process in running), key=lambda code: (code < 0, code))


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


class Shares:
    """The batches of one process: every part once an epoch, in an order that ``seed`` and the epoch give.

    ``parts`` are lists of row numbers, mostly of one pair each; ``size`` parts per process and batch.
    All processes together take the batches that one process of ``size * world`` would take. Where the
    last batch has fewer parts than there are processes, some are left with none; they get a row to hold
    (its number is negative) that counts for nothing. ``whole``: the rows of the batch given last, of all processes.
    """

    def __init__(self, parts: Sequence[Sequence[int]], size: int, seed: int) -> None:
        self.parts, self.size, self.seed = parts, size, seed
        self.epoch = 0
        self.whole: list[int] = []
        self.batch_sampler = self  # where transformers looks for `set_epoch`

    def set_epoch(self, epoch: int) -> None:
        """Choose the order."""
        self.epoch = epoch

    def __len__(self) -> int:
        return math.ceil(len(self.parts) / (self.size * world()))

    def __iter__(self) -> Iterator[list[int]]:
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.parts), generator=generator).tolist()
        for start in range(0, len(order), self.size * world()):
            together = order[start : start + self.size * world()]
            self.whole = [row for part in together for row in self.parts[part]]
            mine = share(together)
            yield [row for part in mine for row in self.parts[part]] or [-1 - self.parts[order[start]][0]]


def share(items: Sequence[Item]) -> list[Item]:
    """The part of this process of ``items``: consecutive, sizes at most one apart."""
    low, high = (len(items) * at // world() for at in (rank(), rank() + 1))
    return list(items[low:high])


def gathered(part: Tensor) -> Tensor:
    """The parts [n, ...] of all processes, one after the other; they may differ in n, which may be 0."""
    if world() == 1:
        return part
    sizes = [torch.zeros(1, dtype=torch.int64, device=part.device) for _ in range(world())]
    dist.all_gather(sizes, torch.tensor([len(part)], device=part.device))
    longest = int(max(size.item() for size in sizes))
    padded = part.new_zeros((longest, *part.shape[1:]))
    padded[: len(part)] = part
    parts = [torch.zeros_like(padded) for _ in range(world())]
    dist.all_gather(parts, padded)
    return torch.cat([one[: int(size.item())] for one, size in zip(parts, sizes, strict=True)])


def total(values: Sequence[float], device: torch.device) -> list[float]:
    """The sums of ``values`` over all processes, in float64."""
    if world() == 1:
        return list(values)
    sums = torch.tensor(values, dtype=torch.float64, device=device)
    dist.all_reduce(sums)
    summed: list[float] = sums.tolist()
    return summed


def together() -> None:
    """Wait for all processes."""
    if world() > 1:
        dist.barrier()


def parted() -> None:
    """From here on each process is on its own."""
    if world() > 1:
        dist.barrier()
        dist.destroy_process_group()
