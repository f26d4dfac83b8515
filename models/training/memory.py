"""What becomes of memory that a step frees: it is kept for the next step.

The C library hands large pieces back to the system at once and gets them again page by page, each of them filled with
zeros: up to a tenth of the time of a step of a small model.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # malloc.h
KEPT, PAD, LARGE = 1 << 30, 64 << 20, 32 << 20
"""Bytes: how much free memory is kept, how much is asked for at a time, what is mapped apart (the largest allowed)."""


@contextmanager
def kept() -> Iterator[None]:
    """Keep what is freed inside, and give it back at the end; nothing where the C library is not glibc."""
    library = _glibc()
    if library is None:
        yield
        return
    for what, value in ((MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, KEPT), (TOP_PAD, PAD)):
        library.mallopt(what, value)
    try:
        yield
    finally:
        library.mallopt(TOP_PAD, 0)
        library.mallopt(TRIM_THRESHOLD, 2 * LARGE)  # what glibc comes to by itself
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
