"""What is disturbed: the stages of textmill without Prefect, on a small dump."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data import files
from data.hashing import fingerprint
from flows.job import make_job
from flows.plan import plan
from flows.recipe import read_recipe
from flows.stages import corpus as stages
from flows.stages import publish, tokens
from models.registry import Registry


def warm_up() -> None:
    """Load what every run would, as far as that computes nothing of Polars."""
    import great_expectations  # noqa: F401
    import pandas  # noqa: F401

    from pipelines import language, shingles, validate

    validate._batches()
    shingles._characters()
    language.identify(["Text."])


def remember_judgements(folder: Path) -> None:
    """Keep what Great Expectations says of a frame: it takes two thirds of a small run and writes nothing.

    It is loaded for a frame that it has not seen yet, and not before.
    """
    from pipelines import validate

    real = validate._judge

    def judge(frame: Any, conditions: Any, dataset: str, *, rows: bool) -> Any:
        held = frame.write_ipc(None).getvalue()
        note = folder / f"{fingerprint([hashlib.sha256(held).hexdigest(), repr(conditions), dataset, rows])}.json"
        if (found := files.read_json(note)) is None:
            found = [[verdict.as_json(), indices] for verdict, indices in real(frame, conditions, dataset, rows=rows)]
            files.write_json(note, found)
        return [(validate.Verdict.from_json(verdict), indices) for verdict, indices in found]

    @contextmanager
    def loading() -> Iterator[Callable[[], None]]:
        yield lambda: None

    validate._judge, validate.loading = judge, loading


def corpus(*, lake: str, source: str, config: str, workers: int = 0, run: str = "r") -> None:
    """From a dump to a release of its corpus and its tokens, as `textmill corpus build` does it."""
    job = make_job(
        lake=Path(lake),
        sources=[source],
        pipeline="small",
        recipe=read_recipe(Path(config)),
        limit=None,
        workers=workers,
        run_id=run,
        started="2020-01-01T00:00:00+00:00",
    )
    job.lake.check_writable()
    if plan(job, whole=False).nothing_to_do:
        job.lake.tidy(job.pipeline)
        return
    with job.lake.lock(job.pipeline), closing(job):
        raw = [file for source in job.sources for file in stages.fetch(job, source)]
        documents = stages.documents(job, raw)
        candidates = stages.candidates(job, documents)
        duplicates = stages.duplicates(job, candidates)
        kept = stages.corpus(job, candidates, duplicates)
        rejects = tokens.rejects(job, [documents, candidates, kept], kept)
        encoded = tokens.tokens(job, kept, tokens.tokenizer(job, kept))
        made = [documents, kept, rejects, duplicates, encoded]
        publish.release(job, made, [], None)
        print("made", sum(not ref.reused for ref in made))


def models(*, lake: str) -> None:
    """Two versions of a model registered, and promoted one after the other."""
    registry = Registry(Path(lake) / "models")
    for key in ("first", "second"):
        with TemporaryDirectory() as folder:
            (Path(folder) / "weights.safetensors").write_text(key * 1000)
            (Path(folder) / "config.json").write_text("{}")
            model = registry.register(
                "toy", Path(folder), kind="toy", lineage={}, config={}, training_key=key, created="2020"
            )
        current = registry.alias("toy")
        if current is None or current < model.version:
            registry.promote("toy", "champion", model.version, expected=current, evidence={}, when="2020")
    registry.load("toy")
