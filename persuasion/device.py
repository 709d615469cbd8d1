"""Prepare torch for a stage: device, dtype, threads, determinism."""

import ctypes
import os
import sys

import torch

from persuasion.config import Compute
from persuasion.errors import SurroundingsFailure

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def prepare(compute: Compute, seed: int) -> torch.device:
    """Fix threads, seeds and deterministic kernels; return the device to use.

    Raises SurroundingsFailure when a GPU is asked for and there is none.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    keep_freed_memory()
    torch.set_num_threads(compute.threads)
    os.environ["OMP_NUM_THREADS"] = str(compute.threads)  # accelerate sets another number where this is not set
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)
    cuda = torch.cuda.is_available()
    if cuda and "LOCAL_RANK" in os.environ:  # one of several processes: each has a GPU of its own
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if compute.device == "cuda" and not cuda:
        raise SurroundingsFailure(
            "compute.device is cuda, but torch sees no GPU", fix="set compute.device: auto, or install a CUDA torch"
        )
    return torch.device("cuda" if cuda and compute.device != "cpu" else "cpu")


def keep_freed_memory() -> None:
    """Keep freed pages in the process (glibc): training frees and asks again for the same sizes all the time."""
    libc = _glibc()
    if libc:
        mmap_max, trim_threshold, top_pad = -4, -1, -2  # malloc.h: M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
        for option, value in ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 256 << 20)):
            libc.mallopt(option, value)


def return_idle_memory() -> None:
    """Give all pages that lie idle back (glibc), wherever they are; they cost time when they are asked for again."""
    libc = _glibc()
    if libc:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "mallopt") else None
