"""The train flow: labelled datasets, then every model of the pipeline whose training is new."""

from __future__ import annotations

from prefect import flow

from flows import tasks
from flows.corpus import CorpusRefs
from flows.job import Job
from flows.stages.training import TASKS, Inputs, Trained


@flow(name="train", flow_run_name="{job.pipeline}", persist_result=False, validate_parameters=False)
def train(job: Job, corpus: CorpusRefs) -> tuple[Inputs, dict[str, Trained]]:
    """Train and register what changed."""
    inputs = Inputs(
        corpus=corpus.corpus,
        tokens=corpus.tokens,
        tokenizer=corpus.tokenizer,
        labelled_text=tasks.labelled(job, "labelled_text"),
        labelled_spans=tasks.labelled(job, "labelled_spans"),
    )
    return inputs, {name: tasks.train_model(job, name, inputs) for name in TASKS}
