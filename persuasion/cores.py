"""Work on this machine's cores: processes that begin at once and fail with a message, and results in order.

Knows nothing of what the work is.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import pyarrow as pa

from persuasion.errors import SurroundingsFailure

WORTHWHILE = 1 << 24  # bytes on disk below which starting processes costs more than it saves
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # mallopt(3)
_PR_SET_PDEATHSIG = 1  # prctl(2)
Done = TypeVar("Done")


def cores(count: int) -> int:
    """How many cores to use: ``count``, or for 0 all there are for this process."""
    return count or len(os.sched_getaffinity(0))


@contextmanager
def workers(count: int, size: int) -> Iterator[Executor]:
    """An executor with ``count`` processes (0: one per core); one that works in place for ``size`` bytes that are few.

    Raises SurroundingsFailure when a worker is killed, as happens when memory runs out.
    """
    _keep_memory()
    if cores(count) == 1 or (size < WORTHWHILE and not count):
        yield InPlace()
        return
    # forked before any thread is begun here: nothing is imported twice, and no lock is held by nobody
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(cores(count), context, initializer=_begin, initargs=(os.getpid(),))
    try:
        pool.submit(os.getpid).result()
        yield pool
    except BrokenProcessPool:
        raise SurroundingsFailure(
            "a worker process was killed", why="most often memory ran out", fix="set source.workers lower"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def in_order(pool: Executor, work: Callable[[Any], Done], tasks: Sequence[Any], ahead: int) -> Iterator[Done]:
    """Yield ``work(task)`` for every task, in their order, with at most ``ahead`` of them begun."""
    waiting: list[Future[Done]] = []
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    while waiting:
        yield waiting.pop(0).result()


def _begin(parent: int) -> None:
    """A worker's first deed: end with the process it works for, leave Ctrl-C to it, search for no circles among rows.

    One that outlived a killed parent would write on, into the files of the run that comes next.
    """
    with suppress(AttributeError, OSError):  # Linux's own
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it was killed before it could be said
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which the pool ends those that are left
    gc.freeze()
    gc.disable()


@contextmanager
def unsearched() -> Iterator[None]:
    """Spare this process the search for circles among objects: there are millions of them here, and no circles."""
    searched = gc.isenabled()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if searched:
            gc.enable()


def _keep_memory() -> None:
    """Have the memory of one block serve the next, here and in the workers, instead of going back each time."""
    pa.set_memory_pool(pa.system_memory_pool())
    with suppress(AttributeError, OSError):  # glibc's own; other C libraries do as they like
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(_TRIM_THRESHOLD, 1 << 30)


class InPlace(Executor):
    """Work done at once in this process."""

    def submit(self, fn: Callable[..., Done], /, *args: Any, **kwargs: Any) -> Future[Done]:
        """Do it now."""
        future: Future[Done] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
