"""Memory of a training: what a step frees is kept for the next one, and what does not fit is told in words.

The C library hands large pieces back to the system at once and gets them again page by page, each of them filled with
zeros: up to a tenth of the time of a step of a small model.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from data.errors import TextmillError

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3  # malloc.h
KEPT, PAD, LARGE = 1 << 30, 64 << 20, 32 << 20
"""Bytes: how much free memory is kept, how much is asked for at a time, what is mapped apart (the largest allowed)."""

SMALLER = "lower the width or the layers of the model, or tokeniser.vocab_size"
"""The remedy where the model alone does not fit."""


class OutOfMemoryError(TextmillError, RuntimeError):
    """A model or a batch does not fit into the memory; the message says which option to change."""


@contextmanager
def told(where: str, remedy: str) -> Iterator[None]:
    """Raise OutOfMemoryError with a remedy where memory does not suffice; any other error passes as it is."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        full = isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)
        if not full:
            raise
        raise OutOfMemoryError(f"out of memory {where}; {remedy}") from error


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
