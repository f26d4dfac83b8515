"""Joules that a training takes, by the counters of the machine where they can be read.

Processors count for the whole machine (RAPL), graphics processors for themselves (NVML). Where the processor's counter
cannot be read, codecarbon is asked, if the user has installed it. Without any of them there is only an estimate:
seconds of cores times the watts of a busy one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

POWERCAP = Path("/sys/class/powercap")
RAPL = "counters of the processor, which count for the whole machine (RAPL)"
NVML = "counter of the graphics processor (NVML)"
CODECARBON = "codecarbon, for the whole machine"
ESTIMATE = "an estimate: {watts:g} W for each busy core"
UNKNOWN = "the graphics processor has no counter here and is left out"
Joules = Callable[[], float]


class Meter:
    """Joules since it was made; `source` says what counts them.

    Of the processes on a machine only the `first` reads what counts for all of it.
    """

    def __init__(self, device: torch.device, watts: float, cpu_seconds: Callable[[], float], *, first: bool) -> None:
        self._tracker: Tracker | None = None
        self._read: list[Joules] = []
        if counter := rapl():
            names = [RAPL]
            self._read += [counter] if first else []
        elif find_spec("codecarbon"):
            names = [CODECARBON]
            self._tracker = Tracker() if first else None
        else:
            names = [ESTIMATE.format(watts=watts)]
            self._read.append(lambda: watts * cpu_seconds())
        if device.type != "cpu" and names != [CODECARBON]:
            own = nvml(device) if device.type == "cuda" else None
            names.append(NVML if own else UNKNOWN)
            self._read += [own] if own else []
        self.source = "; ".join(names)

    def joules(self) -> float:
        """Joules so far. RAPL begins again at zero about every ten minutes of full load: ask more often."""
        return sum(read() for read in self._read) + (self._tracker.joules if self._tracker else 0.0)

    def close(self) -> None:
        """Count no more; codecarbon tells what it found only now."""
        if self._tracker:
            self._tracker.stop()


@dataclass
class Domain:
    """A counter of microjoules in a file, which begins again at zero after `wraps`."""

    path: Path
    wraps: int
    last: int
    sum: int = 0

    def read(self) -> int:
        """Microjoules since it was made, if it is read at least once each time round."""
        now = int(self.path.read_text())
        self.sum += (now - self.last) % self.wraps
        self.last = now
        return self.sum


def rapl(folder: Path | None = None) -> Joules | None:
    """The counters of all processor packages, if they can be read: on many systems by root alone."""
    domains = []
    try:
        for path in (folder or POWERCAP).glob("intel-rapl:*"):
            if path.name.count(":") == 1:  # the parts of a package have two
                wraps = int((path / "max_energy_range_uj").read_text()) + 1
                domains.append(Domain(path / "energy_uj", wraps, int((path / "energy_uj").read_text())))
    except (OSError, ValueError):
        return None
    return (lambda: sum(domain.read() for domain in domains) / 1e6) if domains else None


def nvml(device: torch.device) -> Joules | None:
    """The counter of a graphics processor, if pynvml is installed and the processor has one."""
    if find_spec("pynvml") is None:
        return None
    import pynvml

    with suppress(pynvml.NVMLError, RuntimeError, AttributeError):
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        first = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)  # millijoules
        return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) - first) / 1e3
    return None


class Tracker:
    """codecarbon without files, network or messages. Only its energy is used, so that the country does not matter."""

    def __init__(self) -> None:
        from codecarbon import OfflineEmissionsTracker

        self.joules = 0.0
        self._tracker: Any = OfflineEmissionsTracker(
            country_iso_code="USA", save_to_file=False, save_to_api=False, log_level="critical"
        )
        self._tracker.start()

    def stop(self) -> None:
        """End the measurement."""
        self._tracker.stop()
        if found := getattr(self._tracker, "final_emissions_data", None):
            self.joules = 3.6e6 * float(found.energy_consumed)  # kWh
