"""What a run would do: the versions of everything it would publish, and which of them are there already."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from data.catalogue import Source, find
from data.hashing import fingerprint
from flows.job import Job, Ref
from flows.stages import inference, labels, promotion, training, versions
from models.registry import Registry
from pipelines.download import RawFile, known

UNKNOWN = "?"
_CORPUS = ("documents", "duplicates", "corpus", "rejects", "tokens")
_MODELS = (*(f"model {task}" for task in training.TASKS), "metrics", *inference.PREDICTORS)


@dataclass(frozen=True)
class Step:
    """One dataset or model of a run. `state` is `done` or `to do`; `why` says what the version waits for."""

    name: str
    version: str
    state: str
    why: str = ""

    @property
    def done(self) -> bool:
        """Whether a run has nothing to do for it."""
        return self.state == "done"


@dataclass(frozen=True)
class Plan:
    """All steps in order, and whether the published release is what they lead to."""

    steps: tuple[Step, ...]
    released: bool

    @property
    def nothing_to_do(self) -> bool:
        """Whether a run would change nothing."""
        return self.released and all(step.done for step in self.steps)


def plan(job: Job, *, whole: bool = True) -> Plan:
    """The plan, from manifests alone: nothing is computed, downloaded or written. Up to the tokens if not `whole`."""
    raw = [known(source, job.lake.raw / source.name) for source in job.sources]
    steps = [_raw_step(source, found) for source, found in zip(job.sources, raw, strict=True)]
    present = [file for found in raw if found is not None for file in found]
    if None in raw:
        rest = (*_CORPUS, *_MODELS) if whole else _CORPUS
        unknown = [Step(name, UNKNOWN, "to do", "its source is not in the lake") for name in rest]
        return Plan((*steps, *unknown), released=False)
    steps += _corpus_steps(job, present)
    if not whole:
        return Plan(tuple(steps), _released(job, steps[len(raw) :]))
    found = {step.name: step.version for step in steps}
    steps += _label_steps(job)
    steps += _model_steps(job, {step.name: step.version for step in steps})
    release = job.lake.release(job.pipeline)
    published = {} if release is None else release["datasets"]
    current = {step.name: step.version for step in steps if step.name in published}
    return Plan(tuple(steps), bool(found) and bool(published) and current == published)


def _released(job: Job, steps: list[Step]) -> bool:
    """Whether the published release holds these versions."""
    published = (job.lake.release(job.pipeline) or {"datasets": {}})["datasets"]
    return all(published.get(step.name) == step.version for step in steps)


def _raw_step(source: Source, found: list[RawFile] | None) -> Step:
    if found is None:
        why = "not in the lake, or to be asked for again" if source.moves else "not in the lake, or its origin changed"
        return Step(f"raw {source.name}", UNKNOWN, "to do", why)
    version = found[0].sha256 if len(found) == 1 else fingerprint([file.sha256 for file in found])
    return Step(f"raw {source.name}", version[:16], "done")


def _corpus_steps(job: Job, raw: list[RawFile]) -> list[Step]:
    documents = versions.documents(job, raw)
    candidates = versions.candidates(job, documents)
    duplicates = versions.duplicates(job, candidates)
    corpus = versions.corpus(candidates, duplicates)
    steps = [
        _dataset(job, "documents", documents),
        _dataset(job, "duplicates", duplicates),
        _dataset(job, "corpus", corpus),
        _dataset(job, "rejects", versions.rejects(corpus)),
    ]
    tokenizer = versions.current_tokenizer(job)
    if tokenizer is None:
        return [*steps, Step("tokens", UNKNOWN, "to do", "the tokenizer is not trained yet")]
    return [*steps, _dataset(job, "tokens", versions.tokens(corpus, tokenizer))]


def _label_steps(job: Job) -> list[Step]:
    steps = []
    for dataset in ("labelled_text", "labelled_spans"):
        source = find(getattr(job.recipe, dataset), raw=job.lake.raw)
        found = known(source, job.lake.raw / source.name)
        if found is None:
            steps.append(Step(dataset, UNKNOWN, "to do", "its source is not in the lake"))
        else:
            steps.append(_dataset(job, dataset, labels.version_for(job, dataset, source, found)))
    return steps


def _model_steps(job: Job, found: dict[str, str]) -> list[Step]:
    waiting = [name for name, version in found.items() if version == UNKNOWN]
    if waiting:
        return [Step(name, UNKNOWN, "to do", f"waits for {waiting[0]}") for name in _MODELS]
    registry = Registry(job.lake.models)
    inputs = inputs_of(job, found)
    steps, trained = [], []
    for task in training.TASKS:
        model = registry.find(job.model_name(task), training.key_of(job, task, inputs))
        steps.append(Step(f"model {task}", model.version if model else UNKNOWN, "done" if model else "to do"))
        trained.append((job.model_name(task), model.version if model else UNKNOWN))
    if any(version == UNKNOWN for _, version in trained):
        rest = ("metrics", *inference.PREDICTORS)
        return steps + [Step(name, UNKNOWN, "to do", "waits for a training") for name in rest]
    steps.append(_dataset(job, "metrics", promotion.metrics_version(inputs, trained, job.recipe.seed)))
    for task in inference.PREDICTORS:
        if (champion := registry.alias(job.model_name(task))) is not None:
            version = inference.predictions_version(job, task, found["corpus"], champion)
            steps.append(_dataset(job, task, version))
    return steps


def inputs_of(job: Job, found: dict[str, str]) -> training.Inputs:
    """The inputs of trainings from planned versions; their row counts are not known."""
    refs = {
        name: Ref(name, found[name], 0, reused=True) for name in ("corpus", "tokens", "labelled_text", "labelled_spans")
    }
    return training.Inputs(tokenizer=versions.current_tokenizer(job) or UNKNOWN, **refs)


def _dataset(job: Job, name: str, version: str) -> Step:
    there = job.lake.manifest(job.pipeline, name, version) is not None
    return Step(name, version, "done" if there else "to do")


def usage(job: Job) -> dict[str, float]:
    """Free disk of the lake (of the cache of a remote one), GB of 1e9 bytes; seconds of the last run, 0 before any."""
    here = job.lake.service
    root = next(path for path in here.parents if path.exists())
    release = job.lake.release(job.pipeline) or {}
    return {"free_gb": shutil.disk_usage(root).free / 1e9, "seconds": float(release.get("seconds", 0))}
