"""Memory of a whole `textmill corpus build` with two workers, and of one over ten times the dump.

    python -m benchmarks.memory --shared DIR [--quick | --large]

`benchmarks/generator.py` makes dumps of 10 and 100 MB of XML (5 and 20 with `--quick`, 100 and 1,000 with `--large`).
A build is the command itself, in a lake of its own, until it has published corpus, rejects, duplicates and tokens.
Every 0.1 s the proportional set sizes (PSS: a page that processes share counts once in all) of the command and all that
it started are added up; the largest sum is the peak. Prefect's server, which the command starts for itself where none
runs, is shown apart. It needs Linux, whose kernel tells these sizes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import generator, options

GOAL, SAME = 1536, 0.10
SIZES, QUICK_SIZES, LARGE_SIZES = (10, 100), (5, 20), (100, 1000)
KINDS = ("command", "workers", "server")
EVERY = 0.1


@dataclass
class Peaks:
    """MiB of each kind of process when their sum was largest, and the largest of each kind at any time."""

    together: dict[str, float] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)

    def see(self, sizes: dict[str, float]) -> None:
        if sum(sizes.values()) > sum(self.together.values()):
            self.together = sizes
        self.alone = {kind: max(sizes.get(kind, 0.0), self.alone.get(kind, 0.0)) for kind in KINDS}

    def of(self, kinds: Iterable[str]) -> float:
        return sum(self.together.get(kind, 0.0) for kind in kinds)


def build(dump: Path, lake: Path) -> Peaks:
    """Build a corpus of a dump in a fresh lake, and watch it."""
    command = ["-m", "flows.cli", "corpus", "build", "--source", str(dump), "--lake", str(lake), "--workers", "2"]
    home = lake.with_name(f"{lake.name}-prefect")
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**environment, "PREFECT_HOME": str(home)},
        cwd=options.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    peaks = watched(process)
    said = process.stderr.read() if process.stderr else b""
    if process.returncode:
        raise SystemExit(f"the build of {dump.name} failed:\n{said.decode()[-2000:]}")
    return peaks


def watched(process: subprocess.Popen[bytes]) -> Peaks:
    """The peaks of a process and its descendants until it has ended."""
    from flows.processes import descendants

    peaks = Peaks()
    while process.poll() is None:
        sizes = dict.fromkeys(KINDS, 0.0)
        for pid in (process.pid, *descendants(process.pid)):
            sizes["command" if pid == process.pid else kind_of(pid)] += proportional(pid)
        peaks.see(sizes)
        time.sleep(EVERY)
    return peaks


def kind_of(pid: int) -> str:
    """What a descendant of the command is, by its command line."""
    try:
        return "server" if b"uvicorn" in Path(f"/proc/{pid}/cmdline").read_bytes() else "workers"
    except OSError:
        return "workers"


def proportional(pid: int) -> float:
    """MiB of a process, each page divided by the number of processes that have it; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def show(sizes: Sequence[int], peaks: Sequence[Peaks]) -> None:
    """A table of both sizes, and the goals."""
    rows = []
    for size, each in zip(sizes, peaks, strict=True):
        cells = [f"{each.of([kind]):.0f}" for kind in KINDS] + [f"{each.of(KINDS):.0f}"]
        rows.append([f"{size} MB of XML, at the peak", *cells])
        rows.append(["  each at its own peak", *(f"{each.alone[kind]:.0f}" for kind in KINDS), ""])
    options.table(["MiB", *KINDS, "together"], rows)
    small, large = (each.of(KINDS) for each in peaks)
    options.goal("peak memory of a corpus build, two workers, MiB", max(small, large), at_most=GOAL, form="{:.0f}")
    growth = large / small - 1
    verdict = "met" if abs(growth) <= SAME else "missed"
    times = sizes[1] // sizes[0]
    print(f"memory of a corpus build at {times} x the size: {growth:+.1%} (goal ±{SAME:.0%}): {verdict}", flush=True)


def main() -> None:
    parser = options.parser(__doc__)
    parser.add_argument("--large", action="store_true", help="100 and 1,000 MB, some twenty minutes")
    chosen = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        options.left_out("all", "needs Linux with /proc/PID/smaps_rollup")
        return
    if not options.has_shared(chosen, "all"):
        return
    sizes = QUICK_SIZES if chosen.quick else LARGE_SIZES if chosen.large else SIZES
    with tempfile.TemporaryDirectory() as name:
        peaks = []
        for size in sizes:
            dump, lake = Path(name, f"memory{size}wiki-pages-articles-multistream.xml.bz2"), Path(name, f"lake{size}")
            generator.generate(generator.dumps_of(Path(chosen.shared)), dump, size * 1_000_000)
            peaks.append(build(dump, lake))
            shutil.rmtree(lake)
        show(sizes, peaks)


if __name__ == "__main__":
    main()
