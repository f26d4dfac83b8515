"""Memory that a step frees is kept for the next one, on Linux with glibc."""

from __future__ import annotations

import resource
import sys

import pytest
import torch

from models.training import memory

PIECE, PIECES = 20 << 20, 4


def faults(times: int) -> int:
    """Pages that the system had to give while pieces were taken and freed together."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        pieces = [torch.ones(PIECE // 4) for _ in range(PIECES)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_freed_memory_comes_back_without_new_pages() -> None:
    without = faults(3)
    with memory.kept():
        faults(1)
        assert faults(3) < without / 2


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with memory.kept():
        assert memory._glibc() is None
