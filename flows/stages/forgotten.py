"""Documents that were taken out, in the stages that read sources: each becomes a reject, and only its part is new."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from data.errors import TextmillError
from data.forgotten import forgotten, of_sources
from data.redaction import FACT, held, key_without, redacted, taken_out
from data.versions import Build, Part
from flows.build import Finder
from flows.job import Job, Ref
from pipelines import sources
from pipelines.download import RawFile
from pipelines.sources import wikipedia
from pipelines.sources.dump_pages import DumpPages
from pipelines.sources.records import SourceError


def ids_of(job: Job, raw: Iterable[RawFile], readers: Mapping[str, str | None]) -> tuple[str, ...]:
    """Ids that stay out of `documents`: those of the sources that these files hold, so that others change no version.

    `readers` has the reader of each source.
    """
    found = forgotten(job.lake, job.pipeline)
    return of_sources(found, source_names(raw, readers, job.recipe.page_chars)) if found else ()


def source_names(raw: Iterable[RawFile], readers: Mapping[str, str | None], max_chars: int) -> set[str] | None:
    """What the ids of files begin with; None where a dump does not tell, or a reader is not one of ours."""
    names: set[str] = set()
    for file in raw:
        reader = readers.get(file.source) or sources.known_reader(file.name)
        if reader in _NAMED_BY_SOURCE:
            names.add(file.source)
        elif reader != "wikipedia" or (name := dump_name(file.path, file.source, max_chars)) is None:
            return None
        else:
            names.add(name)
    return names


_NAMED_BY_SOURCE = {"jsonl", "csv", "parquet", "text", "html"}


def dump_name(path: Path, source: str, max_chars: int) -> str | None:
    """The wiki that a dump names, read from its head; None for one that cannot be read."""
    pages = DumpPages(path, max_chars=max_chars, salvage=True)
    try:
        next(iter(pages), None)
        return wikipedia.dump_of(pages, source, max_chars=max_chars, salvage=True).name
    except (SourceError, OSError):
        return None


def finder(ids: tuple[str, ...]) -> Finder:
    """How parts are found: by their key, or as what an earlier version has of them without some of the ids."""

    def find(target: Build, index: int, key: str) -> Part | None:
        return target.find(index, key) or target.find_by(index, FACT, lambda fact: _fits(fact, key, ids))

    return find if ids else Build.find


def _fits(fact: Mapping[str, object], key: str, ids: tuple[str, ...]) -> bool:
    out = fact["ids"]
    return fact["base"] == key and isinstance(out, list) and set(out) <= set(ids)


def without(ids: tuple[str, ...]) -> Callable[[Build, list[Part]], list[Part]]:
    """What takes ids out of finished parts: those that hold some are written again, under a key that tells which."""

    def settle(target: Build, parts: list[Part]) -> list[Part]:
        return [_without(target, part, ids) for part in parts]

    return settle


def check_meanwhile(job: Job, refs: Iterable[Ref]) -> None:
    """Raise TextmillError where one of these versions holds what was forgotten since it was made.

    On this machine a lock keeps runs and `forget` apart; over an object store another machine may have taken it out.
    """
    gone = sorted({one for ref in refs for one in taken_out(job.lake, job.manifest(ref))})
    if gone:
        named = ", ".join(gone[:5]) + (" …" if len(gone) > 5 else "")
        raise TextmillError(
            f"{named}: forgotten while this run was at work, so that it publishes nothing; run it again, it makes a "
            "release without it"
        )


def _without(target: Build, part: Part, ids: tuple[str, ...]) -> Part:
    mine = held(target.folder, part, target.contract.name, ids) if ids else []
    if not mine:
        return part
    before = part.facts.get(FACT, {"base": part.key, "ids": []})
    key = key_without(before["base"], sorted({*before["ids"], *mine}))
    return target.find(part.index, key) or target.note(redacted(target, target.folder, part, mine))
