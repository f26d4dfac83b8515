"""Contracts of the predictions over a corpus, and of the metrics of the models that made them."""

from __future__ import annotations

import pyarrow as pa

from data.contracts.base import Check, Column, Contract, Drift, between, matches, not_null, one_of, row_count, unique
from data.contracts.corpus import DOC_ID, DOC_ID_PATTERN
from data.contracts.labels import ENTITY_TYPES

_MODEL = Column("model", pa.string(), "name of the model in the registry")
_MODEL_VERSION = Column("model_version", pa.string(), "its version, `v000001`")
_EVERY_PREDICTION = (
    matches("doc_id", DOC_ID_PATTERN),
    not_null("model"),
    matches("model_version", r"^v\d{6}$"),
)
PROBABILITIES = pa.list_(
    pa.struct([pa.field("label", pa.string(), nullable=False), pa.field("p", pa.float32(), nullable=False)])
)

SUMMARIES = Contract(
    name="summaries",
    version=(1, 0),
    about="Extractive summaries: the sentences that stand for the document.",
    row="document",
    columns=(
        DOC_ID,
        Column("summary", pa.string(), "chosen sentences in the order of the text, joined by a space"),
        Column("n_sentences", pa.int32(), "number of sentences chosen", unit="sentences"),
        Column("compression", pa.float32(), "length of the summary over that of the text", unit="0 to 1"),
        Column("score", pa.float32(), "mean salience of the chosen sentences", unit="0 to 1"),
        _MODEL,
        _MODEL_VERSION,
    ),
    expectations=(*_EVERY_PREDICTION, between("n_sentences", 1), between("compression", 0, 1), unique("doc_id")),
    drift=Drift(lengths=("n_sentences",)),
    example="SELECT corpus.title, summary FROM summaries JOIN corpus USING (doc_id) ORDER BY score DESC LIMIT 10",
)

SENTIMENT = Contract(
    name="sentiment",
    version=(1, 0),
    about="Tone of each document.",
    row="document",
    columns=(
        DOC_ID,
        Column("label", pa.string(), "most probable class"),
        Column("score", pa.float32(), "its probability", unit="0 to 1"),
        Column("probabilities", PROBABILITIES, "probability of every class; they sum to 1", unit="0 to 1"),
        _MODEL,
        _MODEL_VERSION,
    ),
    expectations=(*_EVERY_PREDICTION, not_null("label"), between("score", 0, 1), unique("doc_id")),
    drift=Drift(categories=("label",)),
    example="SELECT label, count(*) AS documents, avg(score) AS score FROM sentiment GROUP BY label",
)

ENTITIES = Contract(
    name="entities",
    version=(1, 0),
    about="Mentions of people, organisations, places, dates and other names.",
    row="mention",
    columns=(
        DOC_ID,
        Column("start", pa.int32(), "where the mention begins in `corpus.text`", unit="code points"),
        Column("end", pa.int32(), "where it ends, exclusive", unit="code points"),
        Column("surface", pa.string(), "the mention as written"),
        Column("type", pa.string(), "PER, ORG, LOC, DATE or MISC"),
        Column("score", pa.float32(), "confidence of the tagger", unit="0 to 1"),
        _MODEL,
        _MODEL_VERSION,
    ),
    key=("doc_id", "start", "end"),
    checks=(Check("surface_fits_span", '"end" - "start" = surface_chars'),),
    expectations=(*_EVERY_PREDICTION, one_of("type", ENTITY_TYPES), between("start", 0), between("score", 0, 1)),
    drift=Drift(categories=("type",)),
    example="SELECT surface, type, count(DISTINCT doc_id) AS documents "
    "FROM entities GROUP BY ALL ORDER BY documents DESC LIMIT 20",
)

KEYPHRASES = Contract(
    name="keyphrases",
    version=(1, 0),
    about="Phrases that tell what a document is about, best first.",
    row="phrase",
    columns=(
        DOC_ID,
        Column("rank", pa.int16(), "1 for the best phrase of the document"),
        Column("phrase", pa.string(), "the phrase as the document writes it"),
        Column("score", pa.float32(), "salience, comparable within a document"),
        _MODEL,
        _MODEL_VERSION,
    ),
    key=("doc_id", "rank"),
    expectations=(*_EVERY_PREDICTION, not_null("phrase"), between("rank", 1)),
    drift=Drift(),
    example="SELECT corpus.title, list(phrase ORDER BY rank) AS phrases "
    "FROM keyphrases JOIN corpus USING (doc_id) GROUP BY doc_id, corpus.title",
)

METRICS = Contract(
    name="metrics",
    version=(1, 0),
    about="Scores of models and of the trivial baselines they must beat, with bootstrap intervals.",
    row="score",
    columns=(
        Column("task", pa.string(), "what was scored: sentiment, entities, summaries, keyphrases, language, vectors"),
        Column("model", pa.string(), "model in the registry, or `baseline:<name>`"),
        Column("model_version", pa.string(), "its version; null for a baseline", nullable=True),
        Column("dataset", pa.string(), "dataset scored on"),
        Column("dataset_version", pa.string(), "its version"),
        Column("split", pa.string(), "rows scored on: test, or cross-validation"),
        Column("metric", pa.string(), "name of the metric"),
        Column("value", pa.float64(), "its value on all rows"),
        Column("ci_low", pa.float64(), "lower end of the 95 % bootstrap interval"),
        Column("ci_high", pa.float64(), "upper end of the 95 % bootstrap interval"),
        Column("n", pa.int32(), "rows scored", unit="rows"),
    ),
    key=("task", "model", "metric"),
    expectations=(
        not_null("task"),
        not_null("metric"),
        not_null("value"),
        one_of("split", ("test", "validation", "cross-validation")),
        row_count(1),
    ),
    checks=(Check("interval_around_value", "ci_low <= value AND value <= ci_high"),),
    example="SELECT task, metric, model, value, ci_low, ci_high FROM metrics ORDER BY task, metric, value DESC",
)
