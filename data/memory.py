"""Give back memory that is free, yet held by the allocators of this process."""

from __future__ import annotations

import ctypes
import sys


def release() -> None:
    """Return what is free to the system, where that can be done: milliseconds, after work that needed much.

    glibc keeps what small blocks filled: after a tokenizer was trained, 500 of 700 MiB.
    """
    if arrow := sys.modules.get("pyarrow"):
        arrow.default_memory_pool().release_unused()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
