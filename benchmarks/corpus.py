"""Multistream dump to `documents`, beside gensim, wikiextractor and the bare decompression of the same file.

    python -m venv PEERS && PEERS/bin/pip install -r benchmarks/peers.txt
    python benchmarks/corpus.py --shared DIR --peers PEERS/bin/python [--quick | --large]

Every run is a process of its own with two workers, from start to exit. Runs alternate: `--runs` of textmill and of the
decompression, `--peer-runs` of the peers, which take most of the time; medians are shown. CPU is that of all processes
together, memory the largest sum of resident sets (every 50 ms). textmill's time holds the copy of the file into the
lake, its hash, Great Expectations (a second to load, whatever the size) and the Parquet files; the peers count or write
plain text. wikiextractor runs as its users run it, expanding templates, and beside that without. A peer that takes
more than 120 s per 100 MB did not finish. Afterwards textmill reads a dump of 1 MB, which shows what a run costs
whatever its size; then textmill and the decompression run once on a dump of four times the size, with `--large` of ten
times. A goal is a line `NAME: MEASURED (goal GOAL): met`, or `missed`. Without `--peers` the peers are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks import generator
from benchmarks.measured import Run, measured

Result = TypeVar("Result")
HERE = Path(__file__).parent

OWN = """
import sys
from contextlib import closing
from pathlib import Path
from flows.job import make_job
from flows.recipe import Recipe
from flows.stages import corpus, documents
job = make_job(lake=Path(sys.argv[2]), sources=[sys.argv[1]], pipeline="bench", recipe=Recipe(), limit=None,
               run_id="bench", started="", workers=2)
with closing(job):
    ref = documents.documents(job, [file for source in job.sources for file in corpus.fetch(job, source)])
print(ref.rows)
"""
GENSIM = """
import sys
from gensim.corpora import WikiCorpus
if __name__ == "__main__":
    print(sum(1 for _ in WikiCorpus(sys.argv[1], dictionary={}, processes=2).get_texts()))
"""
BZ2 = """
import bz2, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from pipelines.sources.multistream import spans
def size(span):
    with open(sys.argv[1], "rb") as file:
        file.seek(span.start)
        return len(bz2.decompress(file.read(span.stop - span.start)))
if __name__ == "__main__":
    with ProcessPoolExecutor(2) as pool:
        print(sum(pool.map(size, spans(Path(sys.argv[1]), streams=10, size=1 << 21))))
"""
GOALS = {"gensim": 6.0, "wikiextractor": 4.5}
PEERS = ("gensim", "wikiextractor", "wikiextractor --no-templates")
BZ2_GOAL, MEMORY_GOAL_MB, SAME = 2.0, 1536, 0.10
FIXED_GOAL = 1.5
"""Seconds of a run over next to nothing."""
LINEAR = 0.15
PATIENCE = 1.2
"""Seconds that a peer may take per megabyte."""


def command_of(name: str, dump: Path, folder: Path, peers: str | None) -> list[str]:
    """What to run; each writes to a fresh folder."""
    out = tempfile.mkdtemp(dir=folder)
    if name.startswith("wikiextractor"):
        options = ["--processes", "2", "--quiet", "-o", out, *name.split()[1:]]
        return [str(peers), "-m", "wikiextractor.WikiExtractor", *options, str(dump)]
    # A worker of a pool has to find its function in a file.
    script = folder / f"run_{name}.py"
    script.write_text({"textmill": OWN, "bz2": BZ2, "gensim": GENSIM}[name])
    return [str(peers) if name in PEERS else sys.executable, str(script), str(dump), out]


def alternated(dump: Path, size: float, folder: Path, options: argparse.Namespace) -> dict[str, Run | None]:
    """Medians of the runs of each, taken in turns; None for what did not finish."""
    runs: dict[str, list[Run | None]] = {}
    for turn in range(max(options.runs, options.peer_runs)):
        own = ["textmill", "bz2"] if turn < options.runs else []
        for name in [*own, *(PEERS if options.peers and turn < options.peer_runs else ())]:
            patience = size * PATIENCE if name in PEERS else None
            run = measured(command_of(name, dump, folder, options.peers), patience)
            runs.setdefault(name, []).append(run)
    return {name: median(found) for name, found in runs.items()}


def median(runs: list[Run | None]) -> Run | None:
    finished = [(run.wall, run.cpu, run.memory) for run in runs if run]
    return Run(*map(statistics.median, zip(*finished, strict=True))) if len(finished) == len(runs) else None


def show(medians: dict[str, Run | None], megabytes: float) -> None:
    """The table of all, and each goal."""
    print(f"{'':<30}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'MB/CPU-s':>10}{'memory MB':>11}")
    for name, run in medians.items():
        print(f"{name:<30}" + (row(run, megabytes) if run else f"did not finish in {megabytes * PATIENCE:.0f} s"))
    own = medians["textmill"]
    if own is None:
        return
    for name in PEERS:
        if peer := medians.get(name):
            compare_peer(name, own, peer)
    compare_bare(own, medians["bz2"], megabytes)
    told("peak memory, two workers", f"{own.memory:.0f} MB", f"<= {MEMORY_GOAL_MB} MB", own.memory <= MEMORY_GOAL_MB)


def compare_peer(name: str, own: Run, peer: Run) -> None:
    wall, measured = peer.wall / own.wall, f"{peer.wall / own.wall:.1f} x by wall, {peer.cpu / own.cpu:.1f} x by CPU"
    if goal := GOALS.get(name):
        told(f"speed beside {name}", measured, f">= {goal} x", wall >= goal)
    else:
        print(f"speed beside {name}: {measured}")


def told(name: str, measured: str, goal: str, met: bool) -> None:
    """A goal and whether it is met."""
    print(f"{name}: {measured} (goal {goal}): {'met' if met else 'missed'}", flush=True)


def row(run: Run, megabytes: float) -> str:
    speed, per_cpu = megabytes / run.wall, megabytes / run.cpu
    return f"{run.wall:>8.1f}{run.cpu:>8.1f}{speed:>8.1f}{per_cpu:>10.1f}{run.memory:>11.0f}"


def compare_bare(own: Run, bare: Run | None, megabytes: float) -> None:
    if bare:
        wall, measured = (
            own.wall / bare.wall,
            f"{own.wall / bare.wall:.2f} x by wall, {own.cpu / bare.cpu:.2f} x by CPU",
        )
        told(f"time beside decompression, {megabytes:.0f} MB", measured, f"<= {BZ2_GOAL} x", wall <= BZ2_GOAL)


def compare_sizes(small: Run, large: Run, sizes: tuple[float, float]) -> None:
    """Memory and time per GB at two sizes, and what of the time does not depend on the size."""
    growth, times = large.memory / small.memory - 1, f"at {sizes[1] / sizes[0]:.0f} x the size"
    told(f"memory {times}", f"{large.memory:.0f} MB, {growth:+.0%}", f"±{SAME:.0%}", abs(growth) <= SAME)
    for what, few, many in (("seconds", small.wall, large.wall), ("CPU-seconds", small.cpu, large.cpu)):
        rates = few / sizes[0] * 1000, many / sizes[1] * 1000
        ratio, slope = rates[1] / rates[0] - 1, (many - few) / (sizes[1] - sizes[0])
        told(
            f"{what} per GB {times}",
            f"{rates[0]:.0f}, then {rates[1]:.0f}, {ratio:+.0%}",
            f"at most {LINEAR:+.0%}",
            ratio <= LINEAR,
        )
        print(f"  that is {few - slope * sizes[0]:.1f} {what} and {slope * 1000:.0f} more for each GB")


def compare_fixed(options: argparse.Namespace, folder: Path) -> None:
    """What a run costs over a dump of 1 MB."""
    path = folder / "smallwiki-pages-articles-multistream.xml.bz2"
    generator.generate(generator.dumps_of(Path(options.shared)), path, 1_000_000)
    found = median([measured(command_of("textmill", path, folder, None)) for _ in range(options.runs)])
    if found:
        shown = f"{found.wall:.1f} s, {found.cpu:.1f} CPU-s"
        told("a run over 1 MB", shown, f"<= {FIXED_GOAL} s", found.wall <= FIXED_GOAL)


def profile(dump: Path, folder: Path) -> None:
    """CPU time of each step of one worker, over the first part of the dump."""
    from data.conform import conform
    from data.contracts import CONTRACTS
    from data.progress import ignore
    from data.versions import write_parquet
    from pipelines import checks, extract, validate
    from pipelines.sources import quick_bz2, wikipedia
    from pipelines.sources.dump_pages import DumpPages
    from pipelines.sources.streams import Span, chunks

    contract = CONTRACTS["documents"]
    spans = wikipedia.spans_of(dump, streams=200, size=3_200_000)
    span = spans[min(1, len(spans) - 1)] if spans else Span(0, dump.stat().st_size)
    times: dict[str, float] = {}
    decompress = "decompress, quickly" if quick_bz2.installed() else "decompress (bz2)"

    def timed(name: str, work: Callable[[], Result]) -> Result:
        start = time.process_time()
        result = work()
        times[name] = time.process_time() - start
        return result

    size = timed(decompress, lambda: sum(map(len, chunks(dump, progress=ignore, span=span))))
    first = DumpPages(dump, max_chars=10**7, span=spans[0] if spans else None)
    next(iter(first))
    about = wikipedia.dump_of(first, "bench", max_chars=10**7, salvage=False)
    items = timed("split into pages", lambda: list(wikipedia.span_pages(about, span)))
    times["split into pages"] = max(0.0, times["split into pages"] - times[decompress])
    records = timed("parse pages", lambda: list(wikipedia.records(items, about)))
    frame, _ = timed("wikitext to text", lambda: extract.extract(records, page_seconds=10.0))
    conform(frame.head(1), contract)  # what is loaded once a run
    table = timed("to Arrow", lambda: conform(frame, contract))
    timed("write Parquet", lambda: write_parquet(folder / "part.parquet", table))
    light = timed("observe for checks", lambda: checks.observe(frame, contract))
    validate.validate_light(light, frame["doc_id"], contract)
    timed("judge (parent)", lambda: validate.validate_light(light, frame["doc_id"], contract))
    total = sum(times.values())
    print(f"\nwhere the time goes, one worker, {size / 1e6:.0f} MB of XML: {size / 1e6 / total:.1f} MB per CPU-second")
    for name, seconds in times.items():
        print(f"{name:<20}{seconds / size * 1e9:>7.1f} ms/MB {seconds / total:>6.0%}")


def dump_of(options: argparse.Namespace, folder: Path, times: int) -> tuple[Path, float]:
    """A dump of so many times the size asked for, and its megabytes."""
    path = folder / f"bench{times}wiki-pages-articles-multistream.xml.bz2"
    sources = generator.dumps_of(Path(options.shared))
    return path, generator.generate(sources, path, times * options.megabytes * 1_000_000) / 1e6


def run(options: argparse.Namespace, folder: Path) -> None:
    dump, size = dump_of(options, folder, 1)
    medians = alternated(dump, size, folder, options)
    print(f"{size:.0f} MB of XML, two workers; medians of {options.runs} runs, of peers {options.peer_runs}")
    show(medians, size)
    profile(dump, folder)
    compare_fixed(options, folder)
    large, big = dump_of(options, folder, 10 if options.large else 4)
    own, bare = (measured(command_of(name, large, folder, None)) for name in ("textmill", "bz2"))
    if own and (small := medians["textmill"]):
        print(f"\n{big:.0f} MB of XML, one run")
        show({"textmill": own, "bz2": bare}, big)
        compare_sizes(small, own, (size, big))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared, peers = os.environ.get("TEXTMILL_SHARED_DATA"), os.environ.get("TEXTMILL_PEERS")
    parser.add_argument("--shared", metavar="DIR", default=shared, help="data (or TEXTMILL_SHARED_DATA)")
    parser.add_argument("--peers", metavar="PYTHON", default=peers, help="has peers.txt (or TEXTMILL_PEERS)")
    parser.add_argument("--megabytes", type=int, help="of XML; 100, or 20 with --quick")
    parser.add_argument("--runs", type=int, help="3, or 1 with --quick")
    parser.add_argument("--peer-runs", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="small sizes: what is fixed weighs more")
    parser.add_argument("--large", action="store_true", help="ten times the size at the end, not four times")
    options = parser.parse_args()
    options.megabytes = options.megabytes or (20 if options.quick else 100)
    options.runs = options.runs or (1 if options.quick else 3)
    if not options.peers:
        print("left out: speed beside the peers: needs --peers or TEXTMILL_PEERS")
    if not options.shared:
        print("left out: all: needs --shared or TEXTMILL_SHARED_DATA")
        return
    with tempfile.TemporaryDirectory() as name:
        run(options, Path(name))


if __name__ == "__main__":
    main()
