"""Multistream dump to `documents`, beside gensim, wikiextractor and the bare decompression of the same file.

    python -m venv PEERS && PEERS/bin/pip install -r benchmarks/peers.txt
    python benchmarks/corpus.py --shared DIR --peers PEERS/bin/python [--megabytes 100] [--runs 3] [--large]

Every run is a process of its own with two workers, from start to exit; runs alternate and medians are shown. CPU is
that of all processes together, memory the largest sum of resident sets (every 50 ms). textmill's time holds the copy
of the file into the lake, its hash, Great Expectations and the Parquet files; the peers write or count plain text.
`--large` adds ten times the size: memory, and time per GB. Without `--peers` they are left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generator  # noqa: E402

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
BZ2_GOAL, MEMORY_GOAL_MB, SAME = 2.0, 1536, 0.10
LINEAR = 0.15


@dataclass(frozen=True)
class Run:
    """Seconds, seconds of CPU of all processes, and megabytes of memory."""

    wall: float
    cpu: float
    memory: float


def measured(command: list[str]) -> Run:
    """Run a command to its end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])}
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment, cwd=HERE.parent
    )
    peak = [0]
    watcher = threading.Thread(target=watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[:3]} failed:\n{said.decode()[-2000:]}")
    return Run(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, peak[0] / 1e6)


def watch(pid: int, peak: list[int]) -> None:
    """Keep the largest sum of the resident sets of a process and its descendants, until it is gone."""
    from flows.processes import descendants

    while Path(f"/proc/{pid}/statm").exists():
        peak[0] = max(peak[0], sum(map(resident, [pid, *descendants(pid)])))
        time.sleep(0.05)


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def command_of(name: str, dump: Path, folder: Path, peers: str | None) -> list[str]:
    """What to run; each writes to a fresh folder."""
    out = tempfile.mkdtemp(dir=folder)
    if name == "wikiextractor":
        options = ["--processes", "2", "--no-templates", "--quiet", "-o", out]
        return [str(peers), "-m", "wikiextractor.WikiExtractor", *options, str(dump)]
    if name == "gensim":
        return [str(peers), "-c", GENSIM, str(dump)]
    # A worker of a pool has to find its function in a file.
    script = folder / f"run_{name}.py"
    script.write_text({"textmill": OWN, "bz2": BZ2}[name])
    return [sys.executable, str(script), str(dump), out]


def alternated(names: list[str], dump: Path, folder: Path, options: argparse.Namespace) -> dict[str, Run]:
    """Medians of several runs of each, taken in turns."""
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(options.runs):
        for name in names:
            runs[name].append(measured(command_of(name, dump, folder, options.peers)))
    return {name: median(found) for name, found in runs.items()}


def median(runs: list[Run]) -> Run:
    columns = zip(*((run.wall, run.cpu, run.memory) for run in runs), strict=True)
    return Run(*map(statistics.median, columns))


def show(medians: dict[str, Run], megabytes: float) -> None:
    print(f"{'':<15}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'MB/CPU-s':>10}{'memory MB':>11}")
    for name, run in medians.items():
        speed, per_cpu = megabytes / run.wall, megabytes / run.cpu
        print(f"{name:<15}{run.wall:>8.1f}{run.cpu:>8.1f}{speed:>8.1f}{per_cpu:>10.1f}{run.memory:>11.0f}")
    own = medians["textmill"]
    for name, goal in GOALS.items():
        if name in medians:
            wall, cpu = medians[name].wall / own.wall, medians[name].cpu / own.cpu
            print(f"{name}: {wall:.1f} x as fast by wall, {cpu:.1f} x by CPU (goal {goal} x): {verdict(wall >= goal)}")
    wall, cpu = own.wall / medians["bz2"].wall, own.cpu / medians["bz2"].cpu
    print(f"decompression: {wall:.2f} x its wall, {cpu:.2f} x its CPU (goal {BZ2_GOAL} x): {verdict(wall <= BZ2_GOAL)}")
    print(f"memory {own.memory:.0f} MB (goal {MEMORY_GOAL_MB} MB): {verdict(own.memory <= MEMORY_GOAL_MB)}")


def verdict(met: bool) -> str:
    return "met" if met else "missed"


def compare_sizes(small: Run, large: Run, sizes: tuple[float, float]) -> None:
    growth = large.memory / small.memory - 1
    print(f"memory at {sizes[1] / sizes[0]:.0f} x the size: {large.memory:.0f} MB, {growth:+.0%}", end="")
    print(f" (goal ±{SAME:.0%}): {verdict(growth <= SAME)}")
    rates = [run.cpu / megabytes * 1000 for run, megabytes in zip((small, large), sizes, strict=True)]
    ratio = rates[1] / rates[0] - 1
    print(f"CPU-seconds per GB: {rates[0]:.0f}, {rates[1]:.0f}: {ratio:+.0%} (goal {LINEAR:.0%}): ", end="")
    print(verdict(ratio <= LINEAR))


def profile(dump: Path, folder: Path) -> None:
    """CPU time of each step of one worker, over the first part of the dump."""
    from data.conform import conform
    from data.contracts import CONTRACTS
    from data.progress import ignore
    from data.versions import write_parquet
    from pipelines import checks, extract, validate
    from pipelines.sources import wikipedia
    from pipelines.sources.dump_pages import DumpPages
    from pipelines.sources.streams import chunks

    contract = CONTRACTS["documents"]
    (span, *_) = wikipedia.spans_of(dump, streams=20, size=3_200_000)
    times: dict[str, float] = {}

    def timed(name, work):  # type: ignore[no-untyped-def]
        start = time.process_time()
        result = work()
        times[name] = time.process_time() - start
        return result

    size = timed("decompress (bz2)", lambda: sum(map(len, chunks(dump, progress=ignore, span=span))))
    pages = DumpPages(dump, max_chars=10**7, span=span)
    items = timed("split into pages", lambda: list(pages))
    times["split into pages"] = max(0.0, times["split into pages"] - times["decompress (bz2)"])
    about = wikipedia.dump_of(pages, "bench", max_chars=10**7, salvage=False)
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=os.environ.get("TEXTMILL_SHARED_DATA"))
    parser.add_argument("--peers", help="Python with the packages of benchmarks/peers.txt")
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    if options.shared is None:
        raise SystemExit("name the shared data with --shared or TEXTMILL_SHARED_DATA")
    with tempfile.TemporaryDirectory() as name:
        run(options, Path(name))


def run(options: argparse.Namespace, folder: Path) -> None:
    dump = folder / "benchwiki-pages-articles-multistream.xml.bz2"
    size = generator.generate(generator.dumps_of(Path(options.shared)), dump, options.megabytes * 1_000_000) / 1e6
    names = ["textmill", "bz2", *(GOALS if options.peers else ())]
    medians = alternated(names, dump, folder, options)
    print(f"{size:.0f} MB of XML, two workers, medians of {options.runs} runs")
    show(medians, size)
    profile(dump, folder)
    if options.large:
        large = folder / "largewiki-pages-articles-multistream.xml.bz2"
        big = generator.generate(generator.dumps_of(Path(options.shared)), large, options.megabytes * 10_000_000) / 1e6
        compare_sizes(medians["textmill"], measured(command_of("textmill", large, folder, None)), (size, big))


if __name__ == "__main__":
    main()
