"""Contracts of the labelled datasets that supervised models learn from."""

from __future__ import annotations

import pyarrow as pa

from data.contracts.base import Check, Column, Contract, between, not_null, one_of, row_count, unique

SPLITS = ("train", "validation", "test")
ENTITY_TYPES = ("PER", "ORG", "LOC", "DATE", "MISC")
SPANS = pa.list_(
    pa.struct(
        [
            pa.field("start", pa.int32(), nullable=False),
            pa.field("end", pa.int32(), nullable=False),
            pa.field("type", pa.string(), nullable=False),
        ]
    )
)
SPAN_FIELDS = {
    "start": "first code point of the mention in `text`",
    "end": "one past its last code point",
    "type": ", ".join(ENTITY_TYPES),
}
_ROW_ID = Column("row_id", pa.string(), "first 16 hexadecimal digits of the SHA-256 of the text")
_SPLIT = Column("split", pa.string(), "train, validation or test, decided by a hash of the text")
_SOURCE = Column("source", pa.string(), "catalogue name of the labelled set")

LABELLED_TEXT = Contract(
    name="labelled_text",
    version=(1, 0),
    about="Texts with one label each.",
    row="labelled example",
    columns=(
        _ROW_ID,
        Column("text", pa.string(), "the text to classify"),
        Column("label", pa.string(), "its class"),
        _SPLIT,
        _SOURCE,
    ),
    key=("row_id",),
    expectations=(
        not_null("text"),
        not_null("label"),
        between("text_chars", 1),
        one_of("split", SPLITS),
        row_count(3),
        unique("row_id"),
    ),
    example="SELECT split, label, count(*) AS texts FROM labelled_text GROUP BY ALL ORDER BY ALL",
)

LABELLED_SPANS = Contract(
    name="labelled_spans",
    version=(1, 0),
    about="Sentences with entity mentions.",
    row="labelled sentence",
    columns=(
        _ROW_ID,
        Column("text", pa.string(), "the sentence"),
        Column(
            "spans",
            SPANS,
            "entity mentions that do not overlap; `end` is exclusive",
            unit="code points",
            fields=SPAN_FIELDS,
        ),
        _SPLIT,
        _SOURCE,
    ),
    key=("row_id",),
    checks=(Check("spans_within_text", "spans_end <= text_chars"),),
    expectations=(not_null("text"), between("text_chars", 1), one_of("split", SPLITS), row_count(3), unique("row_id")),
    example="SELECT span.type, count(*) AS mentions "
    "FROM (SELECT unnest(spans) AS span FROM labelled_spans) GROUP BY ALL ORDER BY mentions DESC",
)
