"""glibc's allocator, as our stages set it and as it comes, so that both contenders can have either."""

import ctypes
import sys

from persuasion.device import keep_freed_memory, return_idle_memory

__all__ = ["keep_freed_memory", "return_freed_memory"]

# malloc.h: M_MMAP_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD and what they are at first
AS_IT_COMES = ((-4, 65536), (-3, 128 << 10), (-1, 128 << 10), (-2, 0))


def return_freed_memory() -> None:
    """Undo ``keep_freed_memory``, and give back what it kept."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "mallopt"):
            for option, value in AS_IT_COMES:
                libc.mallopt(option, value)
            return_idle_memory()
