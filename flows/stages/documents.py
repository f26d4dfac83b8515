"""From raw files to documents: cut each file into parts that can be made anywhere, in any order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any, TypeVar

from data import files
from data.catalogue import Source
from data.hashing import fingerprint
from data.progress import Progress, ignore
from data.versions import Build, Part
from flows.build import Unit, build
from flows.job import Job, Ref
from flows.stages import forgotten, versions
from flows.stages.extraction import Options, extract_pages, extract_records, extract_spans
from flows.stages.superseded import without_superseded
from pipelines import sources
from pipelines.download import RawFile
from pipelines.sources import multistream, wikipedia
from pipelines.sources.dump_pages import DumpPages, Item
from pipelines.sources.folders import Entry, Overall
from pipelines.sources.records import Record, SourceError, unreadable
from pipelines.sources.splitter import Piece
from pipelines.sources.streams import Span
from pipelines.sources.wikipedia import Dump

_T = TypeVar("_T", bound=Item | Record)
_PAGES_PER_STREAM = 100  # what Wikimedia puts into a stream
_SALVAGED = ("truncated_", "corrupt_", "malformed_xml", "invalid_utf8")
_LIGHT = 1_000  # compressed bytes: no more than the end of a dump, which has a part of its own
_RATIO = 5  # characters of a dump per compressed byte, about


def documents(job: Job, raw: list[RawFile]) -> Ref:
    """Plain text of every page; redirects, other namespaces and unreadable pages are rejected with a reason."""
    version = versions.documents(job, raw)
    config = versions.documents_config(job)
    recorded = [{"raw": file.source, "file": file.name, "sha256": file.sha256} for file in raw]
    ids = versions.forgotten_ids(job, raw)

    def settle(target: Build, parts: list[Part]) -> list[Part]:
        return without_superseded(target, forgotten.without(ids)(target, parts))

    def built(*, apart: bool) -> Ref:
        decisive = {name: value for name, value in config.items() if name != "limit"}  # no part is another for it
        units = _units(job, raw, fingerprint(decisive), apart=apart)
        return build(
            job,
            "documents",
            version,
            units,
            inputs=recorded,
            config=config,
            pool=job.pool,
            settle=settle,
            find=forgotten.finder(ids),
        )

    try:
        return built(apart=True)
    except SourceError as error:
        if error.reason != "unaligned_streams":
            raise _with_remedy(job, error) from error
    return built(apart=False)


def _with_remedy(job: Job, error: SourceError) -> SourceError:
    """The error, with the option that goes on where a dump is damaged."""
    if not error.reason.startswith(_SALVAGED) or "wikipedia" not in versions.readers(job):
        return error
    return SourceError(
        f"{error} Or keep what can be read of it: on_bad_file: salvage in the --config file.", reason=error.reason
    )


def _units(job: Job, raw: list[RawFile], config: str, *, apart: bool) -> Iterator[Unit]:
    """The units of all sources, numbered; `apart` reads the streams of a multistream dump apart."""
    paths = files.all_local([file.path for file in raw])  # readers seek in them
    raw = [replace(file, path=path) for file, path in zip(raw, paths, strict=True)]
    by_source = groupby(raw, key=lambda file: file.source)
    units = chain.from_iterable(_source_units(job, name, list(group), config, apart=apart) for name, group in by_source)
    for index, unit in enumerate(units):
        yield replace(unit, index=index)


def _source_units(job: Job, name: str, raw: list[RawFile], config: str, *, apart: bool) -> Iterator[Unit]:
    """Dumps are read file by file, as each tells its own wiki; all others as one stream, so that ids stay unique."""
    source = next(source for source in job.sources if source.name == name)
    entries = [Entry(file.name, file.path) for file in raw]
    reading = versions.reading(job, source)
    if (reading["reader"] or sources.reader_for(entries)) == "wikipedia":
        return _dump_units(job, source, raw, config, apart=apart)
    return _record_units(job, source, entries, fingerprint([config, source.name, source.language, reading]))


@dataclass(frozen=True, slots=True)
class _File:
    """A raw file of a job, one of several where there are `many`.

    `key` is of all that decides its documents, but for its bytes.
    """

    job: Job
    source: Source
    raw: RawFile
    key: str
    listen: Progress
    many: bool

    @property
    def salvage(self) -> bool:
        return self.job.recipe.on_bad_file == "salvage"

    @property
    def reader(self) -> str:
        return self.source.reader or sources.reader_for(self.raw.path)

    @property
    def options(self) -> Options:
        return Options(
            extract=self.job.recipe.extract,
            lang=self.source.language,
            page_seconds=self.job.recipe.page_seconds,
            deadly=self.job.pool is not None,
            file=self.raw.name,
        )

    def pages(self, span: Span | None = None, progress: Progress = ignore) -> DumpPages:
        chars = self.job.recipe.page_chars
        return DumpPages(self.raw.path, max_chars=chars, progress=progress, salvage=self.salvage, span=span)

    def dump(self, pages: DumpPages) -> Dump:
        name = wikipedia.source_among(self.raw.name, self.source.name) if self.many else self.source.name
        return wikipedia.dump_of(pages, name, max_chars=self.job.recipe.page_chars, salvage=self.salvage)


def _listener(job: Job, source: Source) -> Progress:
    return job.listen("Extract" if len(job.sources) == 1 else f"Extract {source.name}", unit="B")


def _options(job: Job, source: Source, file: str) -> Options:
    return Options(
        extract=job.recipe.extract,
        lang=source.language,
        page_seconds=job.recipe.page_seconds,
        deadly=job.pool is not None,
        file=file,
    )


def _dump_units(job: Job, source: Source, raw: list[RawFile], config: str, *, apart: bool) -> Iterator[Unit]:
    """The units of every dump of a source; the limit counts the pages of all."""
    left, overall = job.limit, Overall([Entry(one.name, one.path) for one in raw], _listener(job, source))
    many = len(raw) > 1 or (not source.is_remote and source.path().is_dir())
    for one in raw:
        listen = overall.within(Entry(one.name, one.path))
        key = fingerprint([one.name, source.name, source.language, many, config])
        file = _File(job, source, one, key, listen, many)
        for unit, pages in _among_others(file, left, apart) if len(raw) > 1 else _file_units(file, left, apart):
            yield unit
            left = None if left is None else left - pages
        if left == 0:
            return


def _file_units(file: _File, limit: int | None, apart: bool) -> Iterator[tuple[Unit, int]]:
    """The units of a dump, each with its number of pages where a limit needs it."""
    if spans := _spans(file) if apart and limit is None else []:
        yield from ((unit, 0) for unit in _span_units(file, spans))
    else:
        yield from _page_units(file, limit)


def _among_others(file: _File, limit: int | None, apart: bool) -> Iterator[tuple[Unit, int]]:
    """The units of one file of several: one that is no dump, or no use as one when salvaging, is a reject."""
    if (other := sources.other_than_dump(file.raw.name, file.source.name)) is not None:
        yield _reject_unit(file, other), 0
        return
    try:
        yield from _file_units(file, limit, apart)
    except SourceError as error:
        if not file.salvage or error.reason == "unaligned_streams":
            raise
        reject = unreadable(error, file.raw.path)
        yield _reject_unit(file, Record(doc_id=None, source=file.source.name, origin=file.raw.name, reject=reject)), 0


def _reject_unit(file: _File, record: Record) -> Unit:
    key = fingerprint([file.key, file.raw.sha256, repr(record)])
    return Unit(0, key, partial(extract_records, [record], file.options), partial(file.listen, 1, 1))


def _spans(file: _File) -> list[Span]:
    recipe = file.job.recipe
    streams, size = max(1, recipe.part_pages // _PAGES_PER_STREAM), recipe.part_chars // _RATIO
    return wikipedia.spans_of(file.raw.path, streams=streams, size=size)


def _span_units(file: _File, spans: list[Span]) -> Iterator[Unit]:
    """A unit for some neighbouring ranges of streams; its key holds the hash of their bytes and where each begins."""
    pages = file.pages(spans[0])
    next(iter(pages), None)  # up to here, the dump tells about itself
    dump, options, listen, end = file.dump(pages), file.options, file.listen, spans[-1].stop
    about = [file.key, asdict(dump.site)]
    size = file.job.recipe.part_batches or multistream.together(len(spans))
    for some in (spans[first : first + size] for first in range(0, len(spans), size)):
        whole, cuts = Span(some[0].start, some[-1].stop), [[span.start for span in some]] if len(some) > 1 else []
        key = fingerprint([*about, whole.start, whole.stop == end, _sha256(file.raw.path, whole), *cuts])
        unit = _unit(key, partial(extract_spans, dump, some, options), partial(listen, whole.stop, end))
        yield replace(unit, light=whole.stop - whole.start < _LIGHT)


def _page_units(file: _File, limit: int | None) -> Iterator[tuple[Unit, int]]:
    """A unit for each batch of pages that one pass over the file finds, and how many; a worker parses their XML."""
    pages = file.pages(progress=file.listen)
    number = -1
    for number, batch in enumerate(_batches(islice(pages, limit), file.job)):
        key = fingerprint([file.key, file.raw.sha256, number, len(batch)])  # a limit may cut the last batch
        yield _unit(key, partial(extract_pages, file.dump(pages), batch, file.options)), len(batch)
    if number < 0:
        raise wikipedia.empty(file.raw.path)


def _record_units(job: Job, source: Source, entries: list[Entry], about: str) -> Iterator[Unit]:
    """A unit for each batch of records, known by what the records hold."""
    options = _options(job, source, source.name)  # whatever the number of its files: a part may be kept from before
    listen = _listener(job, source)
    records = sources.read(
        entries[0].path if len(entries) == 1 and "/" not in entries[0].name else entries,
        source=source.name,
        max_chars=job.recipe.page_chars,
        limit=job.limit,
        progress=listen,
        **versions.reading(job, source),
    )
    for batch in _batches(records, job):
        yield _unit(fingerprint([about, sources.digest(batch)]), partial(extract_records, batch, options))


def _unit(key: str, compute: partial[Any], told: Callable[[], None] = lambda: None) -> Unit:
    return Unit(0, key, compute, told, retry=partial(compute, careful=True))


def _batches(items: Iterable[_T], job: Job) -> Iterator[list[_T]]:
    """Pages or records in groups of bounded number and size."""
    batch: list[_T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += _size(item)
        if len(batch) >= job.recipe.part_pages or size >= job.recipe.part_chars:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(item: Item | Record) -> int:
    """Bytes of XML, or characters of text."""
    return len(item.xml) if isinstance(item, Piece) else len(getattr(item, "text", ""))


def _sha256(path: Path, span: Span) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        file.seek(span.start)
        while data := file.read(min(1 << 20, span.stop - file.tell())):
            digest.update(data)
    return digest.hexdigest()
