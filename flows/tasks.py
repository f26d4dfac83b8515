"""Every stage as a Prefect task: a plain function with its name, retries and tags.

Results are not persisted and not cached by Prefect: the manifests in the lake tell what is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from data.catalogue import Source
from flows import reporting
from flows.job import Job, Ref
from flows.stages import corpus, inference, labels, promotion, publish, tokens, training
from flows.stages.promotion import Verdict
from flows.stages.training import Inputs, Trained
from pipelines.download import BusyError, RawFile

_OPTIONS: dict[str, Any] = {"cache_policy": NO_CACHE, "persist_result": False}


def _stage(name: str, *tags: str, run_name: str | None = None, **options: Any) -> Callable[..., Any]:
    return task(name=name, tags=tags or None, task_run_name=run_name or name, **_OPTIONS, **options)


def _may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Whether what failed may succeed later: an address that is wrong stays so."""
    return isinstance(state.result(raise_on_failure=False), BusyError)


@_stage(
    "Download",
    "network",
    run_name="Download {source.name}",
    retries=2,
    retry_delay_seconds=[5, 30],
    retry_condition_fn=_may_pass,
)
def fetch(job: Job, source: Source) -> list[RawFile]:
    """The files of a source in the lake, in order."""
    return corpus.fetch(job, source)


extract_documents = _stage("Extract documents", "corpus")(corpus.documents)
clean_documents = _stage("Clean and filter", "corpus")(corpus.candidates)
find_duplicates = _stage("Find duplicates", "corpus")(corpus.duplicates)
build_corpus = _stage("Build corpus", "corpus")(corpus.corpus)
collect_rejects = _stage("Collect rejects", "corpus")(tokens.rejects)
train_tokenizer = _stage("Train tokenizer", "corpus")(tokens.tokenizer)
encode_tokens = _stage("Tokenise", "corpus")(tokens.tokens)


@_stage("Labelled dataset", "labels", run_name="Labelled dataset {dataset}")
def labelled(job: Job, dataset: str) -> Ref:
    """A labelled set as a dataset."""
    return labels.dataset_of(job, dataset)


@_stage("Train", "models", run_name="Train {name}")
def train_model(job: Job, name: str, inputs: Inputs) -> Trained:
    """Train a model and register it."""
    return training.train(job, name, inputs)


@_stage("Evaluate and promote", "models", run_name="Evaluate {name}")
def evaluate_model(job: Job, name: str, trained: Trained, inputs: Inputs) -> tuple[list[dict[str, Any]], Verdict]:
    """Score a model on held-out rows and move the champion alias where the gate is met."""
    return promotion.evaluate(job, name, trained, inputs)


publish_metrics = _stage("Publish metrics", "models")(promotion.metrics)


@_stage("Infer", "inference", run_name="Infer {name}")
def infer_task(job: Job, name: str, documents: Ref) -> Ref | None:
    """Predictions of a champion over the corpus."""
    return inference.infer(job, name, documents)


publish_release = _stage("Publish release", "publish")(publish.release)
write_report = _stage("Write report", "publish")(reporting.write)
