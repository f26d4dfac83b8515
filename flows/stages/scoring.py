"""Score each model on held-out rows beside the trivial baseline: what the gate and the report look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from flows.job import Job, Ref
from flows.stages.corpus import read
from flows.stages.training import Inputs, frames_in_split, in_split
from models.evaluation import bootstrap, classification, rouge, spans
from models.evaluation.gate import mean
from models.evaluation.score import Score
from models.registry import ModelVersion

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scored:
    """Scores of a model and of baselines by name, and the rows that the gate compares (higher is better)."""

    dataset: Ref
    split: str
    model: list[Score]
    baselines: dict[str, list[Score]]
    rows: Rows
    baseline_rows: Rows
    statistic: Callable[[Rows], float] = mean


def sentiment(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """Accuracy and macro-F1 on the test split, against the most frequent label."""
    from models.tasks.sentiment import SentimentModel

    frame = read(job, inputs.labelled_text)
    test = frame.filter(pl.col("split") == "test")
    gold = test["label"].to_list()
    told = SentimentModel.load(model.path).predict(test["text"].to_list())["label"].to_list()
    training = frame.filter(pl.col("split") == "train")["label"].to_list()
    trivial = classification.majority_baseline(training, len(gold))
    return Scored(
        inputs.labelled_text,
        "test",
        classification.scores(gold, told, seed=job.recipe.seed),
        {"majority": classification.scores(gold, trivial, seed=job.recipe.seed)},
        classification.correct(gold, told),
        classification.correct(gold, trivial),
    )


def entities(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """Exact-match F1 by cross-validation with the model's options, against memorised names."""
    from models.tasks import entities as task

    frame = read(job, inputs.labelled_spans)
    texts, gold = frame["text"].to_list(), frame["spans"].to_list()
    config = task.EntityConfig(**model.card["config"])
    listen = job.listen("Evaluate entities")
    told = task.cross_validate(texts, gold, config=config, seed=job.recipe.seed, progress=listen)
    trivial = task.cross_validate_baseline(texts, gold, seed=job.recipe.seed)
    return Scored(
        inputs.labelled_spans,
        "cross-validation",
        spans.scores(gold, told, seed=job.recipe.seed),
        {"memorised": spans.scores(gold, trivial, seed=job.recipe.seed)},
        spans.counts(gold, told),
        spans.counts(gold, trivial),
        spans.f1,
    )


def summaries(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """ROUGE against the leads of held-out articles, beside random and first sentences of the rest."""
    from models.tasks.summaries import Summariser

    frame = in_split(job, inputs.corpus, ["title", "text", "sections"], "test")
    kept, _ = rouge.articles(*(frame[name].to_list() for name in ("doc_id", "title", "text", "sections")))
    summariser = Summariser.load(model.path)
    told = summariser.summarise(
        [a.title for a in kept],
        [a.body for a in kept],
        [a.sections for a in kept],
        progress=job.listen("Evaluate summaries"),
    )["summary"]
    ours = rouge.outcomes(told.to_list(), [article.lead for article in kept])

    def pool(article: rouge.Article) -> list[str]:
        return summariser.pool(article.body, article.sections)

    k = summariser.config.max_sentences
    random = rouge.random_outcomes(kept, pool, k=k, seed=job.recipe.seed)
    first = rouge.first_outcomes(kept, pool, k=k)
    return Scored(
        inputs.corpus,
        "test",
        _means(job, ours),
        {"random sentences": _means(job, random), "first sentences": _means(job, first)},
        ours["rouge1_f1"],
        random["rouge1_f1"],
    )


def keyphrases(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """Share of title words that ten phrases find, the title being withheld, against the most frequent words."""
    from models.tasks.keyphrases import KeyphraseModel, frequent_words, title_recall

    frame = in_split(job, inputs.corpus, ["title", "text"], "test")
    texts, titles = frame["text"].to_list(), [title or "" for title in frame["title"]]
    told = KeyphraseModel.load(model.path).extract(
        [None] * len(texts), texts, progress=job.listen("Evaluate keyphrases")
    )
    grouped = {row: part["phrase"].to_list() for (row,), part in told.group_by("row")}
    ours = title_recall(titles, [grouped.get(row, []) for row in range(len(texts))])
    trivial = title_recall(titles, [frequent_words(text, k=10) for text in texts])
    return Scored(
        inputs.corpus,
        "test",
        [bootstrap.mean_score("title_recall@10", ours, seed=job.recipe.seed)],
        {"frequent words": [bootstrap.mean_score("title_recall@10", trivial, seed=job.recipe.seed)]},
        ours,
        trivial,
    )


def gpt(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """Perplexity per token and per byte of held-out documents, against token frequencies."""
    from models.evaluation import perplexity
    from models.language.gpt import GPT
    from pipelines import tokenise

    encoder = tokenise.load((model.path / "tokenizer.json").read_text("utf-8"))
    separator = tokenise.separator_of(encoder)
    sizes = perplexity.byte_lengths(encoder)
    test = in_split(job, inputs.tokens, ["input_ids"], "test")["input_ids"].to_list()
    network = GPT.load(model.path)
    seen = np.zeros(len(sizes), dtype=np.int64)
    for frame in frames_in_split(job, inputs.tokens, ["input_ids"], "train"):
        seen += np.bincount(frame["input_ids"].explode(empty_as_null=False, keep_nulls=False), minlength=len(sizes))
        seen[separator] += frame.height
    listen = job.listen("Evaluate gpt")
    ours = perplexity.surprise(network, test, separator=separator, token_bytes=sizes, progress=listen)
    trivial = perplexity.unigram_surprise(seen, test, token_bytes=sizes)
    return Scored(
        inputs.tokens,
        "test",
        _perplexities(job, ours),
        {"unigram": _perplexities(job, trivial)},
        -ours.bits_per_byte_of_each,
        -trivial.bits_per_byte_of_each,
    )


def word2vec(job: Job, model: ModelVersion, inputs: Inputs) -> Scored:
    """Rank correlation with human similarity (WordSim-353, inside gensim), against vectors that know nothing."""
    from models.embeddings.vectors import WordVectors
    from models.evaluation import vectors

    known, pairs = WordVectors.load(model.path), vectors.wordsim353()
    found = vectors.similarities(known, pairs)
    rows = np.stack([found.human, found.model], axis=1)
    every = vectors.rows_of(known, pairs)

    def correlation(drawn: Rows) -> float:
        return vectors.spearman(drawn[:, 0], drawn[:, 1])

    def of(values: Rows) -> list[Score]:
        return [
            bootstrap.score("spearman", lambda picked: correlation(values[picked]), len(values), seed=job.recipe.seed)
        ]

    constant = np.stack([found.human, np.zeros(len(found.human))], axis=1)
    nothing = every * [1, 0]
    return Scored(inputs.corpus, "test", of(rows), {"constant": of(constant)}, every, nothing, correlation)


def _means(job: Job, outcomes: dict[str, Rows]) -> list[Score]:
    return [bootstrap.mean_score(name, rows, seed=job.recipe.seed) for name, rows in outcomes.items()]


def _perplexities(job: Job, found: Any) -> list[Score]:
    measures = {
        "perplexity_per_token": found.perplexity_per_token,
        "perplexity_per_byte": found.perplexity_per_byte,
        "bits_per_byte": found.bits_per_byte,
    }
    n = len(found.nats)
    return [bootstrap.score(name, measure, n, seed=job.recipe.seed) for name, measure in measures.items()]


SCORERS: dict[str, Callable[[Job, ModelVersion, Inputs], Scored]] = {
    "word2vec": word2vec,
    "sentiment": sentiment,
    "entities": entities,
    "gpt": gpt,
    "summaries": summaries,
    "keyphrases": keyphrases,
}
