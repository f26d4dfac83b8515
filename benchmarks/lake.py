"""What a lake costs beside the work: a run with nothing new, one new part among 1,000, and the keeping itself.

    python -m benchmarks.lake [--quick]

The dump is made for this: 100 pages of about 2 KB a part (200 KB of XML, a thousandth of what a part may hold), one
stream a part, as dumps of Wikimedia are cut. Parts so small make overhead weigh most. Each build is a process of its
own; CPU seconds are those of all its processes, after the imports (Great Expectations and Polars take 3 s whatever
there is to do). Keeping is all that is done for a version beside computing, judging and writing it: its key, finding
and linking parts, notes, hashes, syncs, manifest and release; it is measured at the default size of parts. Prefect's
server is a process of its own, whose CPU time is read while the command runs, at two sizes, three times each: a task
is a stage, whatever the number of its parts, so that the server's time follows the clock. Workers are as many there as
by default.
"""

from __future__ import annotations

import bz2
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import options as common
from benchmarks.memory import kind_of
from flows.processes import descendants

PARTS, QUICK_PARTS = 1000, 100
PAGES, WORDS = 100, 300
DEFAULT_PAGES, QUICK_DEFAULT_PAGES = 12_000, 4_000
SECONDS, SHARE, KEEPING = 5.0, 0.03, 0.02
TURNS = 3
SMALL = {"part_pages": PAGES, "part_batches": 1}
"""A part for each stream; by default parts hold more batches the more there are."""
_FUNCTION = (
    "the",
    "of",
    "and",
    "in",
    "to",
    "was",
    "is",
    "a",
    "for",
    "as",
    "on",
    "with",
    "by",
    "that",
    "from",
    "at",
    "it",
    "his",
)
_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "on")]
_HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="en">
  <siteinfo><sitename>Wikipedia</sitename><dbname>benchwiki</dbname><base>https://en.wikipedia.org/wiki/Main_Page</base>
  <namespaces><namespace key="0" /></namespaces></siteinfo>
"""


def main() -> None:
    options = common.parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        incremental(Path(folder), QUICK_PARTS if options.quick else PARTS)
        pages = QUICK_DEFAULT_PAGES if options.quick else DEFAULT_PAGES
        kept_small(Path(folder), pages)
        orchestrated(Path(folder), (pages // 4, 2 * pages))


def incremental(folder: Path, parts: int) -> None:
    """A full build, one with nothing new, and one with a part more."""
    streams, dump = [stream(number) for number in range(parts + 1)], folder / "bench.xml.bz2"
    write(dump, streams[:-1])
    full = built(folder, dump, recipe=SMALL)
    again = [built(folder, dump, recipe=SMALL) for _ in range(3)]
    stages = built(folder, dump, recipe=SMALL, as_command=False)
    write(dump, streams)
    more = built(folder, dump, recipe=SMALL)
    rows = [
        ("a full run", full),
        ("nothing new", again[1]),
        ("nothing new, stage by stage", stages),
        ("a part more", more),
    ]
    common.table(
        ("", "parts", "documents", "imports CPU-s", "CPU-s", "wall s"),
        [(name, *(run.get(key, "") for key in ("parts", "rows")), *shown(run)) for name, run in rows],
    )
    common.table(
        ("CPU-s by stage", *more["spent"]),
        [(n, *(f"{s:.2f}" for s in r["spent"].values())) for n, r in rows if "spent" in r],
    )
    median, parts = sorted(run["run"] for run in again)[1], full["parts"]
    common.goal(f"a run with nothing new, {parts} parts, s after imports", max(median, stages["run"]), at_most=SECONDS)
    common.goal(f"one new part of {parts}, of a full run", more["run"] / full["run"], at_most=SHARE, form="{:.1%}")


def kept_small(folder: Path, pages: int) -> None:
    """The share of keeping at the default size of parts."""
    dump = folder / "default.xml.bz2"
    write(dump, [stream(number) for number in range(pages // PAGES)])
    run = built(folder, dump, recipe={}, workers=0, lake="default")
    print(f"{run['parts']} parts of the default size: {run['run']:.1f} CPU-s, keeping {run['spent']['keeping']:.2f}")
    common.goal(
        "keeping at the default part size", run["spent"]["keeping"] / run["run"], at_most=KEEPING, form="{:.1%}"
    )


def orchestrated(folder: Path, sizes: tuple[int, int]) -> None:
    """What Prefect's server takes beside the stages at two sizes, parts of the default size."""
    command(folder / f"{sizes[0]}.xml.bz2", folder / "flows", sizes[0])  # Prefect makes its database
    rows = [(pages, *_beside(folder, pages)) for pages in sizes]
    common.table(("pages", "stages CPU-s", "server CPU-s"), [(n, f"{s:.1f}", f"{a:.2f}") for n, s, a in rows])
    (_, small, few), (_, large, many) = rows
    growth = max(0.0, many - few) / (large - small)
    common.goal("orchestration that grows with the data", growth, at_most=KEEPING, form="{:.1%}")


def _beside(folder: Path, pages: int) -> tuple[float, float]:
    """CPU-seconds of the stages over so many pages after imports, and of Prefect's server while the command runs."""
    dump = folder / f"{pages}.xml.bz2"
    bare = built(folder, dump_of(dump, pages), recipe={}, workers=None, lake=f"bare{pages}")
    return bare["run"], statistics.median(command(dump, folder / "flows", pages, turn) for turn in range(TURNS))


def dump_of(dump: Path, pages: int) -> Path:
    """The dump, with so many pages."""
    if not dump.exists():
        write(dump, [stream(number) for number in range(pages // PAGES)])
    return dump


def command(dump: Path, lake: Path, pages: int, turn: int = -1) -> float:
    """The build as people start it; returns the CPU-seconds of the server that it starts."""
    words = ["--source", str(dump_of(dump, pages)), "--lake", str(lake), "--pipeline", f"p{pages}-{turn + 1}"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "corpus", "build", *words, "--json"],
        cwd=common.ROOT,
        env=own,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds = 0.0
    while process.poll() is None:
        seconds = max([seconds, *(server_seconds(pid) for pid in descendants(process.pid))])
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"textmill corpus build of {dump} failed")
    return seconds


def server_seconds(pid: int) -> float:
    """CPU-seconds of a process so far, if it is Prefect's server."""
    if kind_of(pid) != "server":
        return 0.0
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it ended meanwhile
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def built(
    folder: Path,
    dump: Path,
    *,
    recipe: dict[str, Any],
    workers: int | None = 2,
    lake: str = "lake",
    as_command: bool = True,
) -> dict[str, Any]:
    """What a build in a process of its own says."""
    order = {
        "dump": str(dump),
        "lake": str(folder / lake),
        "recipe": recipe,
        "workers": workers,
        "as_command": as_command,
    }
    found: dict[str, Any] = common.ask(sys.executable, "benchmarks.lake_build", order)
    return found


def shown(run: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{run[name]:.2f}" for name in ("imports", "run", "wall"))


def write(dump: Path, streams: list[bytes]) -> None:
    """A multistream dump."""
    dump.write_bytes(b"".join([bz2.compress(_HEAD.encode()), *streams, bz2.compress(b"</mediawiki>\n")]))


def stream(number: int) -> bytes:
    """The compressed stream of some pages; the same number gives the same bytes."""
    random = Random(number)
    xml = "".join(page(number * PAGES + i + 1, random) for i in range(PAGES))
    return bz2.compress(xml.encode(), 1)


def page(number: int, random: Random) -> str:
    text = "\n\n".join(" ".join(sentences(random, WORDS // 3)) for _ in range(3))
    return (
        f"<page><title>Subject {number}</title><ns>0</ns><id>{number}</id><revision><id>{number}</id>"
        f"<timestamp>2020-01-02T03:04:05Z</timestamp><model>wikitext</model>"
        f'<text xml:space="preserve">{text}</text></revision></page>\n'
    )


def sentences(random: Random, words: int) -> Iterator[str]:
    """Sentences of made-up words among English function words, about `words` words together."""
    while words > 0:
        length = random.randint(8, 20)
        found = [
            random.choice(_FUNCTION)
            if random.random() < 0.4
            else "".join(random.choices(_SYLLABLES, k=random.randint(1, 3)))
            for _ in range(length)
        ]
        yield " ".join(found).capitalize() + "."
        words -= length


if __name__ == "__main__":
    main()
