"""Run scenarios on a disk that fails or loses power at a chosen call, see shim.c."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aftermath import content, damage, differences, half_visible, lost

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WRITING = "create,write,sync,rename,link,truncate,mkdir"
EVERYTHING = "all"
_numbers = count()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens from call `at` of the kinds in `ops` on, see shim.c; 0 is never, so that calls are only counted."""

    at: int = 0
    ops: str = EVERYTHING
    how: str = "kill"

    @classmethod
    def error(cls, name: str, at: int, ops: str = WRITING) -> Fault:
        """Every such call fails with an errno, such as ENOSPC."""
        return cls(at=at, ops=ops, how=str(getattr(errno, name)))


@dataclass(frozen=True)
class Outcome:
    """How a scenario ended: exit status (negative: a signal), output, CPU seconds, peak in KiB, calls (kind, path)."""

    status: int
    output: str
    cpu: float
    peak: int
    calls: list[tuple[str, str]]


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build_shim(folder: Path) -> Path:
    """Compile shim.c."""
    shim = folder / "shim.so"
    flags = ["-std=gnu11", "-shared", "-fPIC", "-w", "-o", str(shim)]
    subprocess.run([compiler() or "cc", *flags, str(HERE / "shim.c"), "-ldl"], check=True)
    return shim


class Driver:
    """A process that has everything imported and forks for each scenario of a module."""

    def __init__(self, folder: Path, scenarios: str = "scenarios") -> None:
        self.folder, self.shim, self.judgements = folder, build_shim(folder), folder / "judgements"
        paths = [str(ROOT), str(ROOT / "tests"), str(HERE)]
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "driver.py"), scenarios],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "LD_PRELOAD": str(self.shim), "PYTHONPATH": os.pathsep.join(paths)},
        )
        self._read()

    def run(self, scenario: str, lake: Path, fault: Fault | None = None, **arguments: Any) -> Outcome:
        """Run a scenario on a lake to its end, whatever that is."""
        fault, number = fault or Fault(), next(_numbers)
        output, log, shared = (self.folder / f"{number}.{ending}" for ending in ("out", "log", "shared"))
        shared.write_bytes(bytes(4096))
        environment = {
            "FAULT_PREFIX": str(lake),
            "FAULT_SHARED": str(shared),
            "FAULT_LOG": str(log),
            "FAULT_AT": str(fault.at),
            "FAULT_OPS": fault.ops,
            "FAULT_HOW": fault.how,
        }
        order = {
            "scenario": scenario,
            "arguments": {"lake": str(lake), **arguments},
            "output": str(output),
            "judgements": str(self.judgements),
            "environment": environment,
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._read())
        calls = log.read_text("utf-8").splitlines() if log.exists() else []
        return Outcome(
            answer["status"], output.read_text("utf-8"), answer["cpu"], answer["peak"], [_call(line) for line in calls]
        )

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout
        if not (line := self._process.stdout.readline()):
            raise RuntimeError("the driver ended; what it said stands above")
        return line


def _call(line: str) -> tuple[str, str]:
    _, op, path = line.split(" ", maxsplit=2)
    return op, path


class Site:
    """Lakes in a folder, made from the dump in it, each over a copy of the lake `before` if there is one.

    `calls` and `wanted` are those of an undisturbed run.
    """

    def __init__(self, driver: Driver, folder: Path, before: Path | None = None) -> None:
        self.driver, self.folder, self.before = driver, folder, before
        self.calls: list[tuple[str, str]] = []
        self.wanted: dict[str, str] = {}

    def start_from_before(self, lake: Path) -> None:
        """Give a lake what there was before: its folder at least, so that all runs make the same calls."""
        lake.mkdir(exist_ok=True)
        if self.before:
            shutil.copytree(self.before, lake, dirs_exist_ok=True)

    def run(self, lake: str, fault: Fault | None = None, *, workers: int = 0, **arguments: Any) -> Outcome:
        """A build of the corpus in the lake of that name."""
        words = {"source": str(self.folder / "small.xml.bz2"), "config": str(self.folder / "small.yaml")}
        return self.driver.run("corpus", self.folder / lake, fault, workers=workers, **{**words, **arguments})

    def bytes_of(self, lake: Path) -> dict[str, str]:
        """What of a lake depends on input, config and versions alone: its datasets and tokenizers."""
        return {name: one for name, one in content(lake).items() if name.startswith(("datasets", "tokenizers"))}

    def disturbed_model(self, fault: Fault) -> list[str]:
        """The same for models that are registered and promoted."""
        with TemporaryDirectory(dir=self.folder) as folder:
            struck, again = self.driver.run("models", Path(folder), fault), self.driver.run("models", Path(folder))
            wrong = self._ended(fault, struck)
            wrong += [] if again.status == 0 else [f"the next run ended with {again.status}: {again.output}"]
            return wrong + differences(content(Path(folder)), content(self.folder / "models"))

    def disturbed(self, fault: Fault, *, workers: int = 0) -> list[str]:
        """What is wrong after a fault and a second run, nothing at best."""
        with TemporaryDirectory(dir=self.folder) as folder:
            lake = Path(folder)
            self.start_from_before(lake)
            struck = self.run(lake.name, fault, workers=workers)
            wrong = self._ended(fault, struck) + self._lost(lake)
            again = self.run(lake.name, workers=workers)
            if again.status:
                return [*wrong, f"the next run ended with {again.status}: {again.output}"]
            wrong += [f"made again: {name}" for name in sorted(committed(struck.calls) & committed(again.calls))]
            return wrong + self._lost(lake) + differences(content(lake), self.wanted)

    def _lost(self, lake: Path) -> list[str]:
        """What is visible and not whole, or of the release before no longer as it was."""
        wrong = [f"half a version is visible: {name}" for name in half_visible(lake)]
        wrong += [f"published and damaged: {name}" for name in damage(lake, "small")]
        before = lost(lake, self.before, "small") if self.before else []
        return wrong + [f"lost of the release before: {name}" for name in before]

    def _ended(self, fault: Fault, struck: Outcome) -> list[str]:
        """What is wrong with how the run ended that was struck."""
        if fault.how in {"kill", "torn"}:
            return [] if struck.status == -signal.SIGKILL else [f"it was not killed: {struck.status} {struck.output}"]
        if fault.how == "worker" and struck.status == -signal.SIGKILL:  # the call was one of the run itself
            return []
        lines = struck.output.splitlines()
        clear = len(lines) == 1 and lines[0].startswith("textmill: ") and any(word in lines[0] for word in _FIXES)
        if struck.status == 0:  # what failed was the removal of what is no longer needed
            return [] if not lines or lines == ["made 5"] else [f"it went well and said {lines}"]
        return [] if struck.status == 1 and clear else [f"no clear error: {struck.status} {struck.output}"]


_FIXES = ("--lake", "run the same command again", "Run the same command again")


def committed(calls: list[tuple[str, str]]) -> set[str]:
    """The notes of parts that were there before the last of the calls, which may not have happened."""
    return {path for op, path in calls[:-1] if op == "rename" and "/_parts/" in path}
