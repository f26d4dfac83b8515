"""Run benchmarks one after another and end with a table of the goals: `python -m benchmarks [NAME...]`.

The exit status is 1 where a benchmark failed or ran out of time; a goal that is missed is a result, no failure.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import options

NAMES: dict[str, tuple[str, ...]] = {
    "extraction": (),
    "language": (),
    "quality": (),
    "dedup": (),
    "privacy": (),
    "decontaminate": (),
    "tokenise": (),
    "word_vectors": (),
    "web": (),
    "download": (),
    "lookup": (),
    "lake": (),
    "corpus": ("--large",),
    "memory": (),
    "cleaning": (),
    "validation": (),
    "language_models": (),
    "translation": (),
    "sentence_vae": (),
    "text_gan": (),
}
"""Every benchmark, with the options of a full run."""
MINUTES, QUICK_MINUTES = 60, 10
GOAL = re.compile(r"(?P<name>.+?): (?P<measured>.+) \(goal (?P<goal>[^()]+)\): (?P<verdict>met|missed)")
LEFT_OUT = "left out: "


@dataclass
class Outcome:
    """What a benchmark told; `failure` says how it ended, where it did not end well."""

    name: str
    failure: str = ""
    goals: list[tuple[str, str, str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def hear(self, line: str) -> None:
        """Keep a line that is a goal or says what is left out."""
        if found := GOAL.fullmatch(line.strip()):
            self.goals.append((found["name"], found["goal"], found["measured"], found["verdict"]))
        elif line.startswith(LEFT_OUT):
            self.left_out.append(line.removeprefix(LEFT_OUT).strip())


def run(name: str, arguments: Sequence[str], minutes: float) -> Outcome:
    """Run a benchmark in a process of its own, show what it prints, and end it when its time is over."""
    outcome = Outcome(name)
    command = [sys.executable, "-u", "-m", f"benchmarks.{name}", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=options.ROOT, start_new_session=True
    ) as process:
        out_of_time = threading.Event()
        timer = threading.Timer(minutes * 60, end, (process, out_of_time))
        timer.start()
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                outcome.hear(line)
            process.wait()
        except BaseException:  # Ctrl-C does not reach another session
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
    if process.returncode:
        outcome.failure = f"over {minutes:g} minutes" if out_of_time.is_set() else f"exit status {process.returncode}"
    return outcome


def end(process: subprocess.Popen[str], out_of_time: threading.Event) -> None:
    """Kill the session of a benchmark, its children with it."""
    out_of_time.set()
    os.killpg(process.pid, signal.SIGKILL)


def summary(outcomes: Sequence[Outcome], *, markdown: bool) -> str:
    """The goals of all benchmarks, and below them what failed and what was left out."""
    rows = [("benchmark", "goal", "wanted", "measured", "")]
    rows += [(one.name, name, goal, measured, end) for one in outcomes for name, goal, measured, end in one.goals]
    rows += [(one.name, "the benchmark failed", "", one.failure, "failed") for one in outcomes if one.failure]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    rule = "-|-".join("-" * width for width in widths)
    lines = [f"| {line} |" for line in [lines[0], rule, *lines[1:]]] if markdown else [lines[0], rule, *lines[1:]]
    bullet = "- " if markdown else ""
    notes = [f"{bullet}{LEFT_OUT}{one.name}: {part}" for one in outcomes for part in one.left_out]
    return "\n".join([*(line.rstrip() for line in lines), *([""] if markdown and notes else []), *notes])


def passed_on(chosen: object) -> list[str]:
    """The common options, for a benchmark."""
    shared, peers = getattr(chosen, "shared", None), getattr(chosen, "peers", None)
    named = [*(["--shared", str(shared)] if shared else []), *(["--peers", str(peers)] if peers else [])]
    return [*named, *(["--quick"] if getattr(chosen, "quick", False) else [])]


def main() -> None:
    parser = options.parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; all when none is named")
    parser.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    parser.add_argument("--minutes", type=float, help="how long each may take")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    minutes = chosen.minutes or (QUICK_MINUTES if chosen.quick else MINUTES)
    outcomes = []
    for name in chosen.names or NAMES:
        print(f"\n== {name}", flush=True)
        full = () if chosen.quick else NAMES[name]
        outcomes.append(run(name, [*passed_on(chosen), *full], minutes))
    print("\n" + summary(outcomes, markdown=chosen.markdown))
    if chosen.quick:
        print("\nmeasured on small inputs, where fixed costs weigh more and chance too: a full run decides")
    sys.exit(any(one.failure for one in outcomes))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()
