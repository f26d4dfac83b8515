"""One build of a corpus in a process of its own, its CPU seconds counted after the imports, for `benchmarks.lake`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.options import answer, cpu_seconds


def build(order: dict[str, Any]) -> dict[str, Any]:
    """Build from the dump `order["dump"]` into `order["lake"]`; what it cost, and how many parts were made."""
    begin = cpu_seconds()
    import great_expectations  # noqa: F401  (loaded before the clock starts, like the next line but one)

    from data import versions
    from flows import drafts, plan, workers  # noqa: F401
    from flows.job import make_job
    from flows.recipe import Recipe
    from flows.stages import corpus as stages
    from flows.stages import publish, tokens

    imports = cpu_seconds() - begin
    start, clock = cpu_seconds(), time.perf_counter()
    recipe = Recipe.model_validate(order["recipe"])
    job = make_job(
        lake=Path(order["lake"]),
        sources=[order["dump"]],
        pipeline="bench",
        recipe=recipe,
        limit=None,
        run_id="bench",
        started="2020-01-01T00:00:00+00:00",
        workers=order["workers"],
    )
    spent: dict[str, float] = {}

    def staged(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        before = with_workers(job)
        try:
            return work(job, *arguments)
        finally:
            spent[name] = with_workers(job) - before

    with closing(job), keeping(versions.Build, spent):
        job.lake.check_writable()
        if order["as_command"] and plan.plan(job, whole=False).nothing_to_do:
            return {"imports": imports, "run": cpu_seconds() - start, "wall": time.perf_counter() - clock, "made": 0}
        raw = [file for source in job.sources for file in staged("fetch", stages.fetch, source)]
        documents = staged("documents", stages.documents, raw)
        candidates = staged("candidates", stages.candidates, documents)
        duplicates = staged("duplicates", stages.duplicates, candidates)
        kept = staged("corpus", stages.corpus, candidates, duplicates)
        rejects = staged("rejects", tokens.rejects, [documents, candidates, kept], kept)
        encoded = staged("tokens", lambda job: tokens.tokens(job, kept, tokens.tokenizer(job, kept)))
        made = [documents, kept, rejects, duplicates, encoded]
        staged("release", publish.release, made, [], None)
        parts = len(job.manifest(documents)["parts"])
    run = cpu_seconds() - start
    wall = time.perf_counter() - clock
    return {
        "imports": imports,
        "run": run,
        "wall": wall,
        "parts": parts,
        "rows": kept.rows,
        "made": sum(not ref.reused for ref in made),
        "spent": spent,
    }


def with_workers(job: Any) -> float:
    """CPU seconds so far, also of the workers that live still: only what has ended counts as that of children."""
    alive = [worker._process.pid for worker in job.pool._workers] if job.pool else []
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in alive]
    return cpu_seconds() + sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


@contextmanager
def keeping(build: Any, spent: dict[str, float]) -> Iterator[None]:
    """Count the CPU seconds of this process for what keeps a lake: keys, links, notes, hashes, syncs, commits."""
    from data import files, writing
    from flows.stages import publish
    from flows.stages import versions as decided

    spent["keeping"], inside = 0.0, [False]

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if inside[0]:
                return work(*arguments, **options)
            inside[0], before = True, time.process_time()
            try:
                return work(*arguments, **options)
            finally:
                inside[0] = False
                spent["keeping"] += time.process_time() - before

        return call

    found = [(build, name) for name in ("find", "note", "adopt", "commit")]
    found += [(writing, "sha256_file"), (files, "publish"), (publish, "release")]
    found += [(decided, name) for name in ("documents", "candidates", "duplicates", "corpus", "rejects", "tokens")]
    kept = [(place, name, getattr(place, name)) for place, name in found]
    for place, name, work in kept:
        setattr(place, name, counted(work))
    try:
        yield
    finally:
        for place, name, work in kept:
            setattr(place, name, work)


if __name__ == "__main__":
    answer(build)
