from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import pytest

from data import memory


def test_free_memory_of_arrow_and_of_the_heap_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    pool = SimpleNamespace(release_unused=lambda: done.append("arrow"))
    monkeypatch.setitem(sys.modules, "pyarrow", SimpleNamespace(default_memory_pool=lambda: pool))
    heap = SimpleNamespace(malloc_trim=lambda kept: done.append(f"heap, {kept} bytes kept"))
    monkeypatch.setattr(ctypes, "CDLL", lambda _: heap)
    memory.release()
    assert done == ["arrow", "heap, 0 bytes kept"]


def test_nothing_is_loaded_or_asked_for_where_it_cannot_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pyarrow", raising=False)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())
    memory.release()
    assert "pyarrow" not in sys.modules
