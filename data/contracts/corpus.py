"""Contracts of the corpus stages: documents, candidates, corpus, rejects, duplicates, tokens."""

from __future__ import annotations

import pyarrow as pa

from data.contracts.base import Check, Column, Contract, Drift, between, matches, not_null, one_of, row_count, unique

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
SECTION_FIELDS = {
    "level": "0 for the lead, 1 to 6 for what follows a heading of that level",
    "title": "the heading as written, empty for the lead",
    "start": "first code point of the section in `text`",
    "end": "one past its last code point",
}
SIGNALS = {
    "n_words": "words without marks of punctuation",
    "mean_word_length": "mean length of the words in code points",
    "hash_ratio": "hash signs for each token",
    "ellipsis_ratio": "ellipses for each token",
    "bullet_line_ratio": "share of lines that begin with a bullet",
    "ellipsis_line_ratio": "share of lines that end in an ellipsis",
    "alphabetic_ratio": "share of tokens with a letter in them",
    "n_stop_words": "different function words found",
    "duplicate_line_ratio": "share of lines that stood before in the text",
    "duplicate_line_char_ratio": "share of characters in them",
    "duplicate_paragraph_ratio": "share of paragraphs that stood before in the text",
    "duplicate_paragraph_char_ratio": "share of characters in them",
    **{f"top_{n}gram_ratio": f"share of characters in the most frequent run of {n} tokens" for n in range(2, 5)},
    **{
        f"duplicate_{n}gram_ratio": f"share of characters in runs of {n} tokens that stood before in the text"
        for n in range(5, 11)
    },
    "n_sentences": "sentences as C4 counts them",
    "n_lorem_ipsum": "occurrences of `lorem ipsum`",
    "n_curly_brackets": "opening curly brackets",
    "n_bad_words": "1 where a word of the list of bad words occurs",
    "terminal_line_ratio": "share of lines that end in a terminal mark",
    "short_line_ratio": "share of lines of at most 30 characters",
    "repeated_line_char_ratio": "share of characters in lines that stood before, line ends not counted",
    "newline_ratio": "line ends for each token",
    "n_chars": "length in code points",
    "stop_word_ratio": "share of words that are function words of the language",
    "alphabetic_word_ratio": "share of words with a letter in them",
    "unique_word_ratio": "different words for each word",
    "repeated_pair_ratio": "share of characters in the most frequent pair of tokens, where one occurs twice",
}
"""Signals of quality and what each says. A token is a word or a mark of punctuation."""
QUALITY = pa.struct([pa.field(name, pa.float32()) for name in SIGNALS])
DROPPED_LINES = pa.list_(
    pa.struct([pa.field("reason", pa.string(), nullable=False), pa.field("count", pa.int32(), nullable=False)])
)
PII = pa.list_(
    pa.struct([pa.field("type", pa.string(), nullable=False), pa.field("count", pa.int32(), nullable=False)])
)

_SECTIONS_FIT = Check("sections_within_text", "sections_end <= n_chars")
_SOURCE = Column("source", pa.string(), "wiki database name (`enwiki`) or catalogue name; never a path or a date")
_ORIGIN = Column(
    "origin", pa.string(), "file and place in it, as `a.jsonl#line=12`; null for a page of a dump", nullable=True
)
_TITLE = Column("title", pa.string(), "title of the document", nullable=True)
_URL = Column("url", pa.string(), "address of the document at its publisher", nullable=True)
_PUBLISHED = Column("published_at", TIMESTAMP, "time of the revision", nullable=True, unit="microseconds, UTC")
_TEXT = Column("text", pa.string(), "plain text, NFC; headings are lines of their own, a blank line ends a paragraph")
_SECTION_COLUMN = Column(
    "sections", SECTIONS, "parts of the text in order, the lead first", unit="code points", fields=SECTION_FIELDS
)

DOCUMENTS = Contract(
    name="documents",
    version=(1, 1),
    about="What the sources hold, as plain text, before any filter.",
    row="source document",
    columns=(
        DOC_ID,
        _SOURCE,
        _ORIGIN,
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
    drift=Drift(lengths=("text_chars",)),
    example="SELECT source, count(*) AS documents, sum(length(text)) AS chars FROM documents GROUP BY source",
)

_CORPUS_COLUMNS = (
    DOC_ID,
    _SOURCE,
    _TITLE,
    _URL,
    _PUBLISHED,
    Column("lang", pa.string(), "detected language, ISO 639-1, `und` where undecided"),
    Column("lang_score", pa.float32(), "probability of `lang` among the languages known", unit="0 to 1"),
    _TEXT,
    _SECTION_COLUMN,
    Column("n_chars", pa.int32(), "length of `text`", unit="code points"),
    Column("n_words", pa.int32(), "number of words", unit="words"),
    Column("n_sentences", pa.int32(), "number of sentences", unit="sentences"),
    Column(
        "quality", QUALITY, "the signals that the rules of the recipe looked at; null for the others", fields=SIGNALS
    ),
    Column("dropped_lines", DROPPED_LINES, "lines that the recipe took out of the text, by reason", unit="lines"),
    Column("pii", PII, "personal data masked in `text`, by type", unit="occurrences"),
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
    example="SELECT lang, count(*) AS documents FROM candidates GROUP BY lang ORDER BY documents DESC",
)

CORPUS = Contract(
    name="corpus",
    version=(2, 0),
    about="Clean, deduplicated, masked text: what models are trained on and predictions are made for.",
    row="document that passed every stage",
    columns=_CORPUS_COLUMNS,
    checks=_CORPUS_CHECKS,
    expectations=(*_CORPUS_EXPECTATIONS, unique("text_sha256")),
    drift=Drift(lengths=("n_chars",), categories=("lang",)),
    example="SELECT lang, count(*) AS documents, sum(n_words) AS words FROM corpus GROUP BY lang ORDER BY words DESC",
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
        Column("n_chars", pa.int32(), "length of the record, where known", nullable=True, unit="code points"),
    ),
    key=(),
    expectations=(
        not_null("stage"),
        not_null("reason"),
        one_of("kind", REJECT_KINDS),
        one_of("stage", ("extract", "clean", "dedup", "validate")),
        matches("reason", r"^[a-z][a-z0-9_:]*$"),
    ),
    example="SELECT stage, kind, reason, count(*) AS records FROM rejects GROUP BY ALL ORDER BY records DESC",
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
            unit="0 to 1",
        ),
    ),
    expectations=(
        not_null("doc_id"),
        not_null("kept_doc_id"),
        between("similarity", 0.0, 1.0),
        unique("doc_id"),
    ),
    checks=(Check("kept_is_another_document", "doc_id <> kept_doc_id"),),
    example="SELECT kept_doc_id, list(doc_id) AS copies FROM duplicates GROUP BY kept_doc_id ORDER BY len(copies) DESC",
)

TOKENS = Contract(
    name="tokens",
    version=(1, 0),
    about="The corpus as token ids; the tokenizer's fingerprint stands in the metadata of every file.",
    row="document",
    columns=(
        DOC_ID,
        Column("input_ids", pa.list_(pa.uint32()), "token ids, without special tokens"),
        Column("n_tokens", pa.int32(), "length of `input_ids`", unit="tokens"),
    ),
    checks=(Check("n_tokens_is_length", "n_tokens = ids_length"),),
    expectations=(not_null("doc_id"), between("n_tokens", 1), row_count(1), unique("doc_id")),
    drift=Drift(lengths=("n_tokens",)),
    example="SELECT sum(n_tokens) AS tokens, sum(n_chars) / sum(n_tokens) AS chars_per_token "
    "FROM tokens JOIN corpus USING (doc_id)",
)
