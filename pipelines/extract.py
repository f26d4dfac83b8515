"""Records of a source to the `documents` dataset: wikitext to plain text, and a reason for all that falls out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from data.errors import AccountingError, ConfigError
from pipelines.main_text import with_main_text
from pipelines.sources.records import Record, Reject, failed, filtered
from pipelines.watchdog import PageTimeoutError, limited
from pipelines.wikitext import Extracted, Section, to_text
from pipelines.wikitext.blocks import plain_text
from pipelines.wikitext.page import MATH, TABLES

VERSION = 5

_TIME = pl.Datetime("us", "UTC")
_SECTION = pl.Struct({"level": pl.Int8(), "title": pl.String(), "start": pl.Int32(), "end": pl.Int32()})
DOCUMENT_SCHEMA = pl.Schema(
    {
        "doc_id": pl.String(),
        "source": pl.String(),
        "origin": pl.String(),
        "title": pl.String(),
        "url": pl.String(),
        "lang_declared": pl.String(),
        "published_at": _TIME,
        "text": pl.String(),
        "sections": pl.List(_SECTION),
        "meta": pl.String(),
    }
)
REJECT_SCHEMA = pl.Schema(
    {
        "doc_id": pl.String(),
        "source": pl.String(),
        "origin": pl.String(),
        "stage": pl.String(),
        "kind": pl.String(),
        "reason": pl.String(),
        "detail": pl.String(),
        "n_chars": pl.Int32(),
    }
)
_INT32_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractConfig:
    """`min_chars`: shortest extracted text that is kept, in code points.

    Of wikitext: `tables` are dropped, or become `lines`, one a row. `math` keeps formulas as `latex` text, or `drop`s
    those that need TeX. `infobox` keeps the pairs of the first infobox in `meta`.
    """

    min_chars: int = 1
    tables: Literal["drop", "lines"] = "drop"
    math: Literal["latex", "drop"] = "latex"
    infobox: bool = True

    def __post_init__(self) -> None:
        for option, value, allowed in (("tables", self.tables, TABLES), ("math", self.math, MATH)):
            if value not in allowed:
                raise ConfigError(f"{option} is {value!r}; it can be {' or '.join(allowed)}.")


def extract(
    records: Sequence[Record],
    *,
    config: ExtractConfig | None = None,
    lang: str | None = None,
    page_seconds: float | None = None,
    deadly: bool = False,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return documents and rejects, both sorted by native id, numbers as numbers.

    `lang` overrides the language that the records declare. A record that takes more than `page_seconds` of CPU time
    is rejected; with `deadly` the process ends where it cannot be stopped otherwise (see `watchdog`). One record's
    fault never costs another: what crashes is a reject. Raises AccountingError unless every record is in exactly one
    of the two frames.
    """
    config = config or ExtractConfig()
    documents = _Documents()
    rejects: list[dict[str, Any]] = []
    for record in sorted(records, key=_order):
        outcome: Extracted | Reject = page_timeout(page_seconds)
        with suppress(PageTimeoutError), limited(page_seconds, deadly=deadly):
            record, outcome = attempt(record, config, lang)  # noqa: PLW2901
        if isinstance(outcome, Reject):
            rejects.append(_reject_row(record, outcome))
        else:
            documents.add(record, outcome, lang)
    _check_accounts(len(records), len(documents), len(rejects))
    return documents.frame(), pl.DataFrame(rejects, schema=REJECT_SCHEMA)


def page_timeout(seconds: float | None) -> Reject:
    """The reject of a record whose extraction was stopped."""
    return failed("page_timeout", f"more than {seconds} s of CPU time")


def attempt(record: Record, config: ExtractConfig, lang: str | None) -> tuple[Record, Extracted | Reject]:
    """The record, of a web page its main text, and what becomes of it.

    This is all that may take long, and nothing of Polars, whose threads a forked process would wait for in vain.
    """
    record = with_main_text(record)
    return record, _outcome(record, config, lang)


def _outcome(record: Record, config: ExtractConfig, lang: str | None) -> Extracted | Reject:
    if record.reject:
        return record.reject
    if record.doc_id is None:
        return failed("no_id", "the reader gave this record no id")
    try:
        extracted = _extracted(record, config, lang)
    except Exception as error:  # one bad page must not end the run; the reject names what happened
        return failed("extraction_error", f"{type(error).__name__}: {error}"[:500])
    if not extracted.text:
        return filtered("empty_after_extraction")
    if len(extracted.text) < config.min_chars:
        return filtered("too_short_after_extraction", f"{len(extracted.text)} characters, at least {config.min_chars}")
    return extracted


def _extracted(record: Record, config: ExtractConfig, lang: str | None) -> Extracted:
    if record.markup == "wikitext":
        return to_text(
            record.text,
            namespaces=record.namespaces,
            lang=lang or record.lang_declared or "en",
            title=record.title or "",
            tables=config.tables,
            math=config.math,
            infobox=config.infobox,
        )
    if record.headings:  # its text is plain already
        return Extracted(record.text, _tiled(record.text, record.headings))
    text = plain_text(record.text)
    return Extracted(text, [Section(0, "", 0, len(text))] if text else [])


def _tiled(text: str, headings: Sequence[tuple[int, str, int]]) -> list[Section]:
    """Sections from each heading to the next; what stands before the first is the lead."""
    starts = [*([] if headings[0][2] == 0 else [(0, "", 0)]), *headings]
    ends = [*(start for _, _, start in starts[1:]), len(text)]
    return [Section(*start, end) for start, end in zip(starts, ends, strict=True)]


class _Documents:
    """The rows of `documents`, gathered as columns: sections are many, and a frame of dictionaries is slow."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in DOCUMENT_SCHEMA if name != "sections"}
        self._sections: list[Section] = []
        self._counts: list[int] = []

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, record: Record, extracted: Extracted, lang: str | None) -> None:
        """Take one document. Pages of a dump have no origin: its name holds a date, and they are the same in any."""
        origin = None if record.markup == "wikitext" else record.origin
        row = (
            *(record.doc_id, record.source, origin, record.title, record.url, lang or record.lang_declared),
            *(record.published_at, extracted.text, extracted.meta or record.meta),
        )
        for column, value in zip(self._columns.values(), row, strict=True):
            column.append(value)
        self._sections += extracted.sections
        self._counts.append(len(extracted.sections))

    def frame(self) -> pl.DataFrame:
        """All documents."""
        frame = pl.DataFrame(self._columns, schema={name: DOCUMENT_SCHEMA[name] for name in self._columns})
        return frame.with_columns(sections=self._lists()).select(DOCUMENT_SCHEMA.names())

    def _lists(self) -> pl.Series:
        columns = list(zip(*self._sections, strict=True)) or [()] * len(_SECTION.fields)
        flat = pl.DataFrame(
            {field.name: column for field, column in zip(_SECTION.fields, columns, strict=True)},
            schema={field.name: field.dtype for field in _SECTION.fields},
        ).select(pl.struct(pl.all()).alias("sections"))
        document = pl.Series("document", range(len(self._counts)), dtype=pl.UInt32).repeat_by(
            pl.Series(self._counts, dtype=pl.UInt32)
        )
        groups = flat.with_columns(document.explode(empty_as_null=False)).group_by("document", maintain_order=True)
        return groups.agg("sections")["sections"].cast(DOCUMENT_SCHEMA["sections"])


def _reject_row(record: Record, reject: Reject) -> dict[str, Any]:
    return {
        "doc_id": record.doc_id,
        "source": record.source,
        "origin": record.origin,
        "stage": reject.stage,
        "kind": reject.kind,
        "reason": reject.reason,
        "detail": reject.detail,
        "n_chars": None if record.n_chars is None else min(record.n_chars, _INT32_MAX),
    }


def _order(record: Record) -> tuple[int, int, str, str]:
    """Numbers first and as numbers, then other ids, then records without an id by where they stand."""
    if record.doc_id is None:
        return 2, 0, "", record.origin
    native = record.doc_id.partition(":")[2]
    if native.isascii() and native.isdigit() and len(native) < 20:
        return 0, int(native), record.source, record.origin
    return 1, 0, record.doc_id, record.origin


def _check_accounts(read: int, kept: int, rejected: int) -> None:
    if read != kept + rejected:
        raise AccountingError(
            f"extract read {read} records, but kept {kept} and rejected {rejected}. Please report this as a bug."
        )
