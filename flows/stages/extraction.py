"""What a worker does to make documents: read or parse pages, extract their text, each within its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from flows.drafts import FILE, Output, tally
from pipelines import extract
from pipelines.extract import ExtractConfig
from pipelines.sources import wikipedia
from pipelines.sources.dump_pages import Item
from pipelines.sources.records import Record
from pipelines.sources.streams import Span
from pipelines.sources.wikipedia import Dump
from pipelines.watchdog import survives


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a worker has to know to make documents of records.

    `deadly`: it may be ended for its slowness. `file` is the name of the file they come from.
    """

    extract: ExtractConfig
    lang: str | None
    page_seconds: float
    deadly: bool
    file: str


def extract_pages(dump: Dump, pages: Span | list[Item], options: Options, *, careful: bool = False) -> Output:
    """Documents of pages that were cut out, or that are still to be read from the streams of a span."""
    if isinstance(pages, Span):
        dump = replace(dump, stream=pages.start)
    found: Iterable[Item] = wikipedia.span_pages(dump, pages) if isinstance(pages, Span) else pages
    return extract_records(list(wikipedia.records(found, dump)), options, careful=careful)


def extract_spans(dump: Dump, spans: list[Span], options: Options, *, careful: bool = False) -> Iterator[Output]:
    """Documents of neighbouring spans, a batch each."""
    return (extract_pages(dump, span, options, careful=careful) for span in spans)


def extract_records(records: list[Record], options: Options, *, careful: bool = False) -> Output:
    """Documents of records; `careful` first tries each in a process of its own and rejects those that never end."""
    if careful:
        records = [_tried(record, options) for record in records]
    frame, rejects = _extracted(records, options)
    return Output(frame, tally(len(records), frame.height, rejects), rejects, facts={FILE: options.file})


def _tried(record: Record, options: Options) -> Record:
    if record.reject or survives(partial(extract.attempt, record, options.extract, options.lang), options.page_seconds):
        return record
    return replace(record, text="", reject=extract.page_timeout(options.page_seconds))


def _extracted(records: list[Record], options: Options) -> tuple[pl.DataFrame, pl.DataFrame]:
    return extract.extract(
        records,
        config=options.extract,
        lang=options.lang,
        page_seconds=options.page_seconds,
        deadly=options.deadly,
    )
