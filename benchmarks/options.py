"""What the benchmarks share: options, runs in turns, medians, CPU seconds, peers, tables and goals.

Only the standard library is imported here, since the interpreter of the peers has no textmill.

A goal is one printed line, `NAME: MEASURED (goal GOAL): met` (or `missed`), and a part that could not be measured
is `left out: PART: WHY`. `python -m benchmarks` makes its table of these lines.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")
ROOT = Path(__file__).resolve().parent.parent


def parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has; paths are absolute."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared, peers = os.environ.get("TEXTMILL_SHARED_DATA"), os.environ.get("TEXTMILL_PEERS")
    made.add_argument("--shared", metavar="DIR", type=_path, default=shared, help="data (or TEXTMILL_SHARED_DATA)")
    made.add_argument(
        "--peers", metavar="PYTHON", type=_path, default=peers, help="interpreter with peers.txt (or TEXTMILL_PEERS)"
    )
    made.add_argument("--quick", action="store_true", help="small sizes, about a minute")
    return made


def _path(text: str) -> Path | None:
    """No resolving: the interpreter of an environment is a link."""
    return Path(text).absolute() if text else None


def left_out(part: str, why: str) -> None:
    print(f"left out: {part}: {why}", flush=True)


def has_shared(options: argparse.Namespace, part: str) -> bool:
    """Whether there is shared data; where there is none, say what is left out."""
    if options.shared is None:
        left_out(part, "needs --shared or TEXTMILL_SHARED_DATA")
    return options.shared is not None


def has_peers(options: argparse.Namespace, part: str = "comparison with the peers") -> bool:
    """Whether there is an interpreter with the peers; where there is none, say what is left out."""
    if options.peers is None:
        left_out(part, "needs --peers or TEXTMILL_PEERS")
    return options.peers is not None


def goal(
    name: str, measured: float, *, at_least: float | None = None, at_most: float | None = None, form: str = "{:.2f}"
) -> bool:
    """Print a goal with what was measured; returns whether it is met. `form` shows both figures."""
    is_met = (at_least is None or measured >= at_least) and (at_most is None or measured <= at_most)
    bound = f">= {form.format(at_least)}" if at_least is not None else f"<= {form.format(at_most)}"
    print(f"{name}: {form.format(measured)} (goal {bound}): {'met' if is_met else 'missed'}", flush=True)
    return is_met


def cpu_seconds() -> float:
    """CPU time of this process, all threads, and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of some work, with those of its children."""
    start = cpu_seconds()
    work()
    return cpu_seconds() - start


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """CPU seconds of some work, and its result."""
    start = cpu_seconds()
    result = work()
    return cpu_seconds() - start, result


def peak_megabytes() -> float:
    """Largest resident set of this process so far; it never falls. (`ru_maxrss` counts the parent before exec too.)"""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return (peaks or [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss])[0] / 1024


def in_turns(works: Mapping[str, Callable[[], Result]], runs: int) -> dict[str, list[Result]]:
    """What each work returned in each run; the works take turns."""
    found: dict[str, list[Result]] = {name: [] for name in works}
    for _ in range(runs):
        for name, work in works.items():
            found[name].append(work())
    return found


def medians(works: Mapping[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Median of what each work returned over runs in turns."""
    return {name: statistics.median(found) for name, found in in_turns(works, runs).items()}


def forget_peak() -> None:
    """Let `peak_megabytes` begin again at what is resident now, where the kernel can do that."""
    references = Path("/proc/self/clear_refs")
    if references.exists():
        references.write_text("5")


def ask(python: Path | str, module: str, job: Any, *arguments: str) -> Any:
    """The answer of a module that runs in a process of its own and calls `answer`."""
    command = [str(python), "-m", module, *arguments]
    done = subprocess.run(command, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def answer(work: Callable[[Any], Any]) -> None:
    """The other side of `ask`: what libraries print goes to standard error."""
    output = os.dup(1)
    os.dup2(2, 1)
    result = json.dumps(work(json.load(sys.stdin)))
    with os.fdopen(output, "w") as file:
        file.write(result)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under a head, in columns: the first to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *cells]).rstrip(), flush=True)
