"""Predictions of the champions over the corpus, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from data.contracts import CONTRACTS
from data.progress import Progress
from flows.build import Output, Unit, build
from flows.job import Job, Ref, version_of
from flows.stages.corpus import part_key, read_batches
from models.registry import CHAMPION, ModelVersion, Registry

VERSION = 1
Predictor = Callable[[pl.DataFrame, Progress], pl.DataFrame]


def predictions_version(job: Job, task: str, corpus_version: str, model_version: str) -> str:
    """Version of a prediction dataset."""
    return version_of(CONTRACTS[task], corpus_version, job.model_name(task), model_version, VERSION)


def infer(job: Job, task: str, corpus: Ref) -> Ref | None:
    """Predictions of a task's champion for every document; None where the task has no champion."""
    registry = Registry(job.lake.models)
    name = job.model_name(task)
    champion = registry.alias(name)
    if champion is None:
        return None
    version = predictions_version(job, task, corpus.version, champion)
    listen = job.listen(f"Infer {task}")
    loaded: list[tuple[ModelVersion, Predictor]] = []

    def compute(part: dict[str, Any], done: int) -> Iterator[Output]:
        for frame in read_batches(job, corpus, part, ["doc_id", "title", "text", "sections"]):
            yield predicted(frame, done)
            done += frame.height

    def predicted(frame: pl.DataFrame, done: int) -> Output:
        if not loaded:
            model = registry.load(name, CHAMPION)
            loaded.append((model, PREDICTORS[task](model)))
        model, predict = loaded[0]
        found = predict(frame, lambda rows, _total: listen(done + rows, max(corpus.rows, 1)))
        marked = found.with_columns(pl.lit(model.name).alias("model"), pl.lit(model.version).alias("model_version"))
        counts = {"in": frame.height, "kept": frame.height, "rows": marked.height, "filtered": {}, "failed": {}}
        return Output(marked, counts)

    units, done = [], 0
    for part in job.manifest(corpus)["parts"]:
        key = part_key(part, name, champion, VERSION)
        units.append(Unit(part["index"], key, lambda part=part, done=done: compute(part, done)))  # type: ignore[misc]
        done += part["rows"]
    inputs = [corpus.recorded(), {"model": name, "version": champion}]
    return build(job, task, version, units, inputs=inputs, config={})


def _summaries(model: ModelVersion) -> Predictor:
    from models.tasks.summaries import Summariser

    summariser = Summariser.load(model.path)

    def predict(frame: pl.DataFrame, progress: Progress) -> pl.DataFrame:
        columns = (frame[name].to_list() for name in ("title", "text", "sections"))
        return pl.concat([frame.select("doc_id"), summariser.summarise(*columns, progress=progress)], how="horizontal")

    return predict


def _sentiment(model: ModelVersion) -> Predictor:
    from models.tasks.sentiment import SentimentModel

    classifier = SentimentModel.load(model.path)

    def predict(frame: pl.DataFrame, progress: Progress) -> pl.DataFrame:
        found = classifier.predict(frame["text"].to_list(), progress=progress)
        return pl.concat([frame.select("doc_id"), found], how="horizontal")

    return predict


def _entities(model: ModelVersion) -> Predictor:
    from models.tasks.entities import EntityModel

    tagger = EntityModel.load(model.path)

    def predict(frame: pl.DataFrame, progress: Progress) -> pl.DataFrame:
        return _with_ids(frame, tagger.predict(frame["text"].to_list(), progress=progress))

    return predict


def _keyphrases(model: ModelVersion) -> Predictor:
    from models.tasks.keyphrases import KeyphraseModel

    extractor = KeyphraseModel.load(model.path)

    def predict(frame: pl.DataFrame, progress: Progress) -> pl.DataFrame:
        found = extractor.extract(frame["title"].to_list(), frame["text"].to_list(), progress=progress)
        return _with_ids(frame, found)

    return predict


def _with_ids(frame: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Put the doc_id in the place of the row number."""
    return found.with_columns(frame["doc_id"].gather(found["row"]).alias("doc_id")).drop("row")


PREDICTORS: dict[str, Callable[[ModelVersion], Predictor]] = {
    "summaries": _summaries,
    "sentiment": _sentiment,
    "entities": _entities,
    "keyphrases": _keyphrases,
}
