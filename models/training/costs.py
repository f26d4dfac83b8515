"""What a training costs: operations, share of what the machine could do, memory, processor time, energy and CO2.

Operations are counted over a few rows of a few steps and scaled by units (tokens) to the whole training; see
`models.training.flops`. Nothing here changes what is learned.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from data.progress import Progress
from models.learner import Batch, Learner
from models.training.config import CARBON_INTENSITY, WATTS, TrainingConfig
from models.training.devices import used
from models.training.energy import Meter
from models.training.flops import flops_of, matrix_peak
from models.training.parallel import World

ROWS, PROBES, LONG_ENOUGH = 2, 3, 10.0
"""Operations are counted over ROWS rows in PROBES steps; the matrix peak is measured after LONG_ENOUGH seconds."""
_EMBER = "the world's electricity in 2024 (Ember, Global Electricity Review 2025)"


class Costs:
    """The account of a training, which goes on from that of the training that was interrupted (`before`)."""

    def __init__(
        self, learner: Learner, config: TrainingConfig, *, device: torch.device, world: World, before: Mapping[str, Any]
    ) -> None:
        self.learner, self.config, self.device, self.world = learner, config, device, world
        self._before = dict(before)
        self._cpu, self._peak_before = time.process_time(), _peak_of_process()
        self._counted = {"counted_flops": 0.0, "counted_units": 0.0}
        self._missing = ""
        self._next = 0
        self._energy = Meter(device, config.watts, self._cpu_seconds, first=int(os.environ.get("LOCAL_RANK", "0")) == 0)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def stepped(self, batch: Batch, step: int) -> None:
        """After step `step` (from 0) was learned from a batch: count the operations of a few rows now and then."""
        if step % 100 == 0:
            self._energy.joules()  # before a counter begins again at zero
        if step < self._next or self._missing:
            return
        self._next = step + max(1, self.config.steps // PROBES)
        rows = {name: tensor[: min(ROWS, self.config.batch_size)] for name, tensor in batch.items()}
        if units := float(self.learner.weights(rows).sum()):
            self._count(rows, step, units)

    def so_far(self, units: int, seconds: float) -> dict[str, Any]:
        """The account after `units` units and `seconds` seconds, of all processes together; all of them must ask."""
        own = {"cpu_seconds": self._cpu_seconds(), "joules": self._energy.joules(), **self._counted}
        sums = {name: self._before.get(name, 0.0) + value for name, value in self.world.totals(own).items()}
        carbon = _carbon(sums["joules"], self._energy.source, self.config.carbon_intensity)
        found = {**sums, **self._operations(sums, units, seconds), **self._memory(), **carbon}
        return {**found, "precision": used(self.device, self.config.precision)}

    def ended(self, units: int, seconds: float) -> dict[str, Any]:
        """The account of the whole training, with the share of the matrix peak if it was a long one."""
        self._energy.close()
        found = self.so_far(units, seconds)
        if self.world.agree("flops" in found and seconds >= LONG_ENOUGH):
            here = {"matrix_peak": matrix_peak(self.device, self.config.precision)}
            peak = self.world.totals(here)["matrix_peak"]
            found |= {"matrix_peak": peak, "share_of_matrix_peak": found.get("flops", 0.0) / seconds / peak}
        return found

    def _count(self, rows: Batch, step: int, units: float) -> None:
        try:
            precision, compiled = self.config.precision, self.config.compile
            flops = flops_of(self.learner, rows, step, device=self.device, precision=precision, compiled=compiled)
        except Exception as error:  # what a training costs must not be what ends it
            self._missing = f"{type(error).__name__}: {error}".splitlines()[0]
            self.learner.model.zero_grad(set_to_none=True)
        else:
            self._counted["counted_flops"] += flops
            self._counted["counted_units"] += units

    def _operations(self, sums: Mapping[str, float], units: int, seconds: float) -> dict[str, Any]:
        if self._missing or not sums["counted_units"]:
            return {"flops_from": f"not counted ({self._missing})"} if self._missing else {}
        flops = sums["counted_flops"] / sums["counted_units"] * units
        how = f"matrix products over {sums['counted_units']:g} units, scaled to all {units}"
        return {"flops": flops, "flops_per_second": flops / seconds if seconds else 0.0, "flops_from": how}

    def _memory(self) -> dict[str, Any]:
        found = _memory(self._peak_before)
        if self.device.type == "cuda":
            found["peak_device_memory"] = torch.cuda.max_memory_allocated(self.device)
        return found

    def _cpu_seconds(self) -> float:
        return time.process_time() - self._cpu


class Account:
    """The account of a training without steps, by counting or by gensim, alone in this process."""

    def __init__(self) -> None:
        self._clock, self._cpu, self._peak_before = time.perf_counter(), time.process_time(), _peak_of_process()
        self._energy = Meter(torch.device("cpu"), WATTS, self._cpu_seconds, first=True)

    def heard(self, progress: Progress) -> Progress:
        """The same progress, at which counters are read before they begin again at zero."""

        def told(done: int, total: int) -> None:
            self._energy.joules()
            progress(done, total)

        return told

    def ended(self) -> dict[str, Any]:
        """The account; nothing is counted after it."""
        self._energy.close()
        joules = self._energy.joules()
        return {
            "seconds": time.perf_counter() - self._clock,
            "cpu_seconds": self._cpu_seconds(),
            "joules": joules,
            "flops_from": "not counted: it learns without the loop of training",
            **_memory(self._peak_before),
            **_carbon(joules, self._energy.source, CARBON_INTENSITY),
        }

    def _cpu_seconds(self) -> float:
        return time.process_time() - self._cpu


def _memory(peak_before: int) -> dict[str, Any]:
    """Peak bytes; that of the process is that of the training only where it grew meanwhile."""
    peak = _peak_of_process()
    return {"peak_memory": peak, "peak_memory_of": "training" if peak > peak_before else "process before the training"}


def _carbon(joules: float, source: str, intensity: float) -> dict[str, Any]:
    return {
        "energy_from": source,
        "co2_grams": joules / 3.6e6 * intensity,
        "carbon_intensity": intensity,
        "carbon_intensity_from": _EMBER if intensity == CARBON_INTENSITY else "the option carbon_intensity",
    }


def _peak_of_process() -> int:
    """The most memory that this process had so far, in bytes."""
    if (status := Path("/proc/self/status")).exists():  # on Linux ru_maxrss counts the parent too, from before exec
        lines = status.read_text("utf-8").splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if os.uname().sysname == "Darwin" else 1024)
