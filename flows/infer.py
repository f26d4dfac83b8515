"""The infer flow: predictions of the champions for every document of the corpus."""

from __future__ import annotations

from prefect import flow

from flows import tasks
from flows.job import Job, Ref
from flows.stages.inference import PREDICTORS


@flow(name="infer", flow_run_name="{job.pipeline}", persist_result=False, validate_parameters=False)
def infer(job: Job, corpus: Ref) -> list[Ref]:
    """Summaries, sentiment, entities and keyphrases, of those tasks that have a champion."""
    found = [tasks.infer_task(job, name, corpus) for name in PREDICTORS]
    return [ref for ref in found if ref is not None]
