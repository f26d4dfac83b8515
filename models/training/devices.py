"""Where a training runs, and with which numbers."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext

import torch

from models.training.config import TrainingConfigError


def device_of(name: str) -> torch.device:
    """The device that `cpu`, `cuda`, `mps` or `auto` means. Raises TrainingConfigError where it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise TrainingConfigError(f"device is {name}, which is not here; use cpu or auto") from error
    return device


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 by instructions of its own."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return device.type == "cpu" and any(bool(getattr(torch.cpu, check, bool)()) for check in checks)


def numbers(device: torch.device, precision: str) -> torch.dtype:
    """What matrices are multiplied in on this device; `auto` is bfloat16 where it has instructions for it."""
    wanted = precision == "bfloat16" or (precision == "auto" and has_bfloat16(device))
    return torch.bfloat16 if wanted else torch.float32


def used(device: torch.device, precision: str) -> str:
    """The same by its name: float32 or bfloat16."""
    return str(numbers(device, precision)).removeprefix("torch.")


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Matrix products in bfloat16, weights and sums in float32; nothing for float32."""
    found = numbers(device, precision)
    return nullcontext() if found == torch.float32 else torch.autocast(device.type, dtype=found)
