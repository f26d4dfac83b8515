"""Contracts of the corpus stages: documents, candidates, corpus, rejects, duplicates, tokens."""

from __future__ import annotations

import pyarrow as pa

from data.contracts.base import Check, Column, Contract, between, matches, not_null, one_of, row_count, unique

DOC_ID = Column("doc_id", pa.string(), "`<source>:<native id>`, unique within a release and stable between runs")
DOC_ID_PATTERN = r"^[A-Za-z0-9_.\-]+:.+$"
TIMESTAMP = pa.timestamp("us", tz="UTC")
SECTIONS = pa.list_(
    pa.struct(
        [
            pa.field("level", pa.int8(), nullable=False),
            pa.field("title", pa.string(), nullable=False),
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
        ]
    )
)
QUALITY = pa.struct(
    [
        pa.field(name, pa.float32(), nullable=False)
        for name in (
            "mean_word_length",
            "symbol_ratio",
            "alphabetic_ratio",
            "stop_word_ratio",
            "bullet_line_ratio",
            "ellipsis_line_ratio",
            "terminal_line_ratio",
            "duplicate_line_ratio",
            "top_bigram_ratio",
            "unique_word_ratio",
        )
    ]
)
PII = pa.list_(
    pa.struct([pa.field("type", pa.string(), nullable=False), pa.field("count", pa.int32(), nullable=False)])
)

_SECTIONS_FIT = Check("sections_within_text", "sections_end <= n_chars")
_SOURCE = Column("source", pa.string(), "wiki database name (`enwiki`) or catalogue name; never a path or a date")
_TITLE = Column("title", pa.string(), "title of the document", nullable=True)
_URL = Column("url", pa.string(), "address of the document at its publisher", nullable=True)
_PUBLISHED = Column("published_at", TIMESTAMP, "time of the revision, UTC microseconds", nullable=True)
_TEXT = Column("text", pa.string(), "plain text, NFC; headings are lines of their own, a blank line ends a paragraph")
_SECTION_COLUMN = Column("sections", SECTIONS, "parts of the text in order, by code points; the lead is level 0")

DOCUMENTS = Contract(
    name="documents",
    version=(1, 0),
    about="What the sources hold, as plain text, before any filter.",
    row="source document",
    columns=(
        DOC_ID,
        _SOURCE,
        _TITLE,
        _URL,
        Column("lang_declared", pa.string(), "language that the source claims, ISO 639-1 or wiki code", nullable=True),
        _PUBLISHED,
        _TEXT,
        _SECTION_COLUMN,
        Column("meta", pa.string(), "JSON object of source-specific facts", nullable=True),
    ),
    checks=(Check("sections_within_text", "sections_end <= text_chars"),),
    expectations=(
        not_null("doc_id"),
        not_null("text"),
        matches("doc_id", DOC_ID_PATTERN),
        between("text_chars", 1),
        row_count(1),
        unique("doc_id"),
    ),
)

_CORPUS_COLUMNS = (
    DOC_ID,
    _SOURCE,
    _TITLE,
    _URL,
    _PUBLISHED,
    Column("lang", pa.string(), "detected language, ISO 639-1, `und` where undecided"),
    Column("lang_score", pa.float32(), "probability of `lang` among the languages known, 0 to 1"),
    _TEXT,
    _SECTION_COLUMN,
    Column("n_chars", pa.int32(), "length of `text` in code points"),
    Column("n_words", pa.int32(), "number of words"),
    Column("n_sentences", pa.int32(), "number of sentences"),
    Column("quality", QUALITY, "quality signals that the filter used, each a ratio or a mean"),
    Column("pii", PII, "personal data masked in `text`, occurrences by type"),
    Column("text_sha256", pa.string(), "SHA-256 of `text` in UTF-8, hexadecimal"),
)
_CORPUS_EXPECTATIONS = (
    not_null("doc_id"),
    not_null("text"),
    matches("doc_id", DOC_ID_PATTERN),
    between("n_chars", 1),
    between("n_words", 1),
    between("n_sentences", 1),
    between("lang_score", 0.0, 1.0),
    matches("lang", r"^([a-z]{2,3}|und)$"),
    matches("text_sha256", r"^[0-9a-f]{64}$"),
    row_count(1),
    unique("doc_id"),
)
_CORPUS_CHECKS = (_SECTIONS_FIT, Check("n_chars_is_length", "n_chars = text_chars"))

CANDIDATES = Contract(
    name="candidates",
    version=(2, 0),
    about="Documents that passed every filter that looks at one document alone; the input of deduplication.",
    row="document that passed the row filters",
    columns=(
        *_CORPUS_COLUMNS,
        Column("minhash", pa.list_(pa.uint32()), "MinHash signature of word 5-grams"),
        Column("normalised_hash", pa.uint64(), "hash of the words: without case, white space, punctuation, in NFKC"),
        Column("line_hashes", pa.list_(pa.uint64()), "distinct long lines and paragraphs; the low 8 bits are the size"),
    ),
    checks=_CORPUS_CHECKS,
    expectations=(*_CORPUS_EXPECTATIONS,),
    internal=True,
)

CORPUS = Contract(
    name="corpus",
    version=(1, 0),
    about="Clean, deduplicated, masked text: what models are trained on and predictions are made for.",
    row="document that passed every stage",
    columns=_CORPUS_COLUMNS,
    checks=_CORPUS_CHECKS,
    expectations=(*_CORPUS_EXPECTATIONS, unique("text_sha256")),
)

REJECT_KINDS = ("filtered", "failed")
REJECTS = Contract(
    name="rejects",
    version=(1, 0),
    about="Every record that was read and is not in the output, with the reason.",
    row="record that did not pass",
    columns=(
        Column("doc_id", pa.string(), "id where the record has one", nullable=True),
        _SOURCE,
        Column("origin", pa.string(), "where the record stands: file name and page or byte offset"),
        Column("stage", pa.string(), "stage that rejected it: extract, clean, dedup, validate"),
        Column("kind", pa.string(), "`filtered`: working as intended; `failed`: could not be handled"),
        Column("reason", pa.string(), "machine-readable reason, named for what happened"),
        Column("detail", pa.string(), "figures or message behind the reason", nullable=True),
        Column("n_chars", pa.int32(), "length of the record in code points, where known", nullable=True),
    ),
    key=(),
    expectations=(
        not_null("stage"),
        not_null("reason"),
        one_of("kind", REJECT_KINDS),
        one_of("stage", ("extract", "clean", "dedup", "validate")),
        matches("reason", r"^[a-z][a-z0-9_:]*$"),
    ),
)

DUPLICATES = Contract(
    name="duplicates",
    version=(2, 0),
    about="Documents removed as exact or near duplicates, and the document kept in place of each.",
    row="duplicate found",
    columns=(
        DOC_ID,
        Column(
            "kept_doc_id",
            pa.string(),
            "the document of the same cluster that the corpus keeps: first by source, then id",
        ),
        Column("cluster_id", pa.string(), "smallest doc_id of the cluster, numbers as numbers"),
        Column(
            "similarity",
            pa.float32(),
            "Jaccard similarity to the kept document, estimated where it is clearly high, counted on the word 5-grams "
            "elsewhere; 1 for a copy of the normalised text and for nothing else",
        ),
    ),
    expectations=(
        not_null("doc_id"),
        not_null("kept_doc_id"),
        between("similarity", 0.0, 1.0),
        unique("doc_id"),
    ),
    checks=(Check("kept_is_another_document", "doc_id <> kept_doc_id"),),
)

TOKENS = Contract(
    name="tokens",
    version=(1, 0),
    about="The corpus as token ids; the tokenizer's fingerprint stands in the metadata of every file.",
    row="document",
    columns=(
        DOC_ID,
        Column("input_ids", pa.list_(pa.uint32()), "token ids, without special tokens"),
        Column("n_tokens", pa.int32(), "length of `input_ids`"),
    ),
    checks=(Check("n_tokens_is_length", "n_tokens = ids_length"),),
    expectations=(not_null("doc_id"), between("n_tokens", 1), row_count(1), unique("doc_id")),
)
