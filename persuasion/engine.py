"""Units of work to parts on disk, and ranges to finished rows, on this machine's cores.

Bytes are decompressed in threads here and parsed in processes, so that even a single frame keeps
every core busy. Blocks travel through files in the scratch folder; nothing depends on the order in
which they are done. ``cluster`` reads the same units on Ray.
"""

import ctypes
import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any, TypeVar

import pyarrow as pa

from persuasion.config import Source
from persuasion.dumps import Block
from persuasion.errors import SurroundingsFailure
from persuasion.gathering import Stored, store
from persuasion.parts import Account, Part, Reader, read_block
from persuasion.progress import bar
from persuasion.units import Unit, read_blocks, read_unit, reader

SMALL_WINDOW = 1 << 27  # frames of larger windows are decompressed one at a time, or memory would multiply
WORTHWHILE = 1 << 24  # bytes on disk below which starting processes costs more than it saves
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1  # mallopt(3)
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A part on disk; a table without rows is None."""

    file: str
    submissions: Stored | None
    comments: Stored | None
    account: Account


def cores(source: Source) -> int:
    """How many cores to use: ``source.workers``, or all there are for this process."""
    return source.workers or len(os.sched_getaffinity(0))


@contextmanager
def workers(source: Source, size: int) -> Iterator[Executor]:
    """An executor with ``source.workers`` processes; one that works in place for ``size`` bytes that are few.

    Raises SurroundingsFailure when a worker is killed, as happens when memory runs out.
    """
    if cores(source) == 1 or (size < WORTHWHILE and not source.workers):
        yield _InPlace()
        return
    _keep_memory()
    # forked before any thread is begun here: nothing is imported twice, and no lock is held by nobody
    pool = ProcessPoolExecutor(cores(source), mp_context=multiprocessing.get_context("fork"), initializer=_settled)
    try:
        pool.submit(_settled).result()
        yield pool
    except BrokenProcessPool:
        raise SurroundingsFailure(
            "a worker process was killed", why="most often memory ran out", fix="set source.workers lower"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def read_parts(units: Sequence[Unit], source: Source, scratch: Path, pool: Executor) -> list[list[Saved]]:
    """Read every unit to parts in ``scratch``; return them by unit, in order."""
    slots: SimpleQueue[Path] = SimpleQueue()
    stop = Event()
    scratch.mkdir(parents=True)
    for number in range(cores(source) + 2):
        slots.put(scratch / f"slot{number}")
    jobs = [
        _Job(unit=unit, source=source, scratch=scratch / f"unit{number}", slots=slots, stop=stop)
        for number, unit in enumerate(units)
    ]
    wide = isinstance(pool, _InPlace) or any(unit.window > SMALL_WINDOW for unit in units)
    begun = [_begun(job, pool) for job in jobs] if wide or len(jobs) == 1 else _together(jobs, pool)
    return [[part.result() for part in parts] for parts in begun]


def in_order(pool: Executor, work: Callable[[Any], Done], tasks: Sequence[Any], ahead: int) -> Iterator[Done]:
    """Yield ``work(task)`` for every task, in their order, with at most ``ahead`` of them begun."""
    waiting: list[Future[Done]] = []
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    while waiting:
        yield waiting.pop(0).result()


def save_part(part: Part, name: str, target: Path) -> Saved:
    """Write a part's tables beside ``target``."""
    return Saved(
        file=name,
        submissions=store(part.submissions, target.with_suffix(".submissions")),
        comments=store(part.comments, target.with_suffix(".comments")),
        account=part.account,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A unit to read. Blocks wait for their worker in files, the free ones of which are in ``slots``."""

    unit: Unit
    source: Source
    scratch: Path
    slots: SimpleQueue[Path]
    stop: Event


def _together(jobs: Sequence[_Job], pool: Executor) -> list[list[Future[Saved]]]:
    """Begin all jobs, each in a thread of its own as far as there are cores: decompressing needs no Python."""
    with ThreadPoolExecutor(min(len(jobs), os.cpu_count() or 1)) as threads:
        try:
            return list(threads.map(lambda job: _begun(job, pool), jobs))
        except BaseException:  # threads would read on to the end of their files
            jobs[0].stop.set()
            raise


def _begun(job: _Job, pool: Executor) -> list[Future[Saved]]:
    """Begin to read a unit: dumps block by block in the pool; other forms here, and at once."""
    if not job.unit.is_dump:
        job.scratch.mkdir()
        here, found = _InPlace(), enumerate(read_unit(job.unit, job.source))
        return [here.submit(save_part, part, name, job.scratch / str(number)) for number, (name, part) in found]
    job.scratch.mkdir()
    waiting: list[Future[Saved]] = []
    unit = job.unit
    with bar(unit.end - unit.start, unit.name, "B", scale=True) as shown:
        for number, block in enumerate(read_blocks(unit, job.source, shown.update)):
            if not (part := _submitted(block, job.scratch / str(number), job, pool)):
                break
            waiting.append(part)
    return waiting


def _submitted(block: Block, target: Path, job: _Job, pool: Executor) -> Future[Saved] | None:
    """Hand a block to the pool as soon as a slot is free; None when another thread has failed meanwhile.

    Whatever happens, the slot goes back: others wait for it.
    """
    slot = job.slots.get()
    try:
        if job.stop.is_set():
            job.slots.put(slot)
            return None
        part = pool.submit(_parse, _handed(block, slot), slot, job.unit.name, reader(job.source), target)
    except BaseException:
        job.slots.put(slot)
        raise
    part.add_done_callback(partial(_free, job.slots, slot))
    return part


def _free(slots: SimpleQueue[Path], slot: Path, _: Future[Saved]) -> None:
    slots.put(slot)


def _handed(block: Block, slot: Path) -> Block:
    """Put a block's bytes into a slot, which is written over and over, and leave the rest to be sent."""
    if block.data is None:
        return block
    with slot.open("r+b" if slot.exists() else "wb") as file:
        file.write(block.data)
    return replace(block, data=b"")


def _parse(block: Block, slot: Path, name: str, how: Reader, target: Path) -> Saved:
    """Parse a block whose bytes wait in a slot, in a worker."""
    if block.data is not None:
        with slot.open("rb") as file, mmap(file.fileno(), block.length, access=ACCESS_READ) as mapped:
            block = replace(block, data=bytes(mapped))
    return save_part(read_block(block, name, how), name, target)


def _settled() -> None:
    """Spare a worker the search for circles among rows, which have none."""
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
        libc.mallopt(_TRIM_THRESHOLD, 1 << 28)


class _InPlace(Executor):
    """Work done at once in this process."""

    def submit(self, fn: Callable[..., Done], /, *args: Any, **kwargs: Any) -> Future[Done]:
        """Do it now."""
        future: Future[Done] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
