"""Memory that a step frees is kept for the next one, on Linux with glibc."""

from __future__ import annotations

import subprocess
import sys

import pytest

from models.training import memory

FAULTS = """
import resource, torch
from models.training import memory

def faults(times):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        pieces = [torch.ones(5 << 20) for _ in range(4)]
        del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

without = faults(3)
with memory.kept():
    faults(1)
    print(without, faults(3))
"""
"""Pages that the system had to give while pieces of 20 MB were taken and freed together."""


@pytest.mark.skipif(memory._glibc() is None, reason="only glibc is told to keep memory")
def test_freed_memory_comes_back_without_new_pages() -> None:
    """In a process of its own: what others freed before would serve here."""
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    without, kept = map(int, done.stdout.split())
    assert kept < without / 2


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with memory.kept():
        assert memory._glibc() is None
