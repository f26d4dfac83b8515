"""The corpus flow: download → documents → candidates → corpus + duplicates + rejects → tokens."""

from __future__ import annotations

from dataclasses import dataclass

from prefect import flow

from flows import artifacts, tasks
from flows.job import Job, Ref


@dataclass(frozen=True)
class CorpusRefs:
    """What the corpus flow made."""

    documents: Ref
    corpus: Ref
    duplicates: Ref
    rejects: Ref
    tokens: Ref
    tokenizer: str

    @property
    def datasets(self) -> list[Ref]:
        """The datasets, in the order of the work."""
        return [self.documents, self.corpus, self.duplicates, self.rejects, self.tokens]


@flow(name="corpus", flow_run_name="{job.pipeline}", persist_result=False, validate_parameters=False)
def corpus(job: Job) -> CorpusRefs:
    """From sources to a validated corpus and its tokens."""
    raw = [file for source in job.sources for file in tasks.fetch(job, source)]
    documents = tasks.extract_documents(job, raw)
    candidates = tasks.clean_documents(job, documents)
    duplicates = tasks.find_duplicates(job, candidates)
    kept = tasks.build_corpus(job, candidates, duplicates)
    rejects = tasks.collect_rejects(job, [documents, candidates, kept], kept)
    tokenizer = tasks.train_tokenizer(job, kept)
    tokens = tasks.encode_tokens(job, kept, tokenizer)
    artifacts.funnel(job, [documents, candidates, kept, tokens])
    return CorpusRefs(documents, kept, duplicates, rejects, tokens, tokenizer)
