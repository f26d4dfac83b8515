"""A trace of some steps by the profiler of PyTorch, to be opened in chrome://tracing or https://ui.perfetto.dev."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import profiler

from models.training.config import TrainingConfigError

WARM_UP = 2
"""Steps before the trace: the first allocate memory and choose kernels."""


@contextmanager
def traced(steps: int, folder: Path | None, device: torch.device, *, rank: int = 0) -> Iterator[Callable[[], None]]:
    """What is to be called after every step; `steps` of them after the warm-up are traced into `trace-<rank>.json`.

    Nothing happens for 0 steps. Raises TrainingConfigError where there is no folder.
    """
    if steps == 0:
        yield _nothing
        return
    if folder is None:
        raise TrainingConfigError(f"profile is {steps}; it must be 0 where no folder for traces is given")
    folder.mkdir(parents=True, exist_ok=True)
    kinds = [profiler.ProfilerActivity.CPU]
    kinds += [profiler.ProfilerActivity.CUDA] if device.type == "cuda" else []
    with profiler.profile(
        activities=kinds,
        schedule=profiler.schedule(wait=WARM_UP - 1, warmup=1, active=steps, repeat=1),
        on_trace_ready=lambda found: found.export_chrome_trace(str(folder / f"trace-{rank}.json")),
    ) as running:
        yield running.step


def _nothing() -> None:
    """Trace nothing."""
