"""Text files, and folders of them, as a stream of records: one per file, paragraph or line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from data.errors import ConfigError
from data.progress import Progress, ignore
from pipelines.sources.encoding import to_utf8
from pipelines.sources.files import OTHER_FORMATS, read_bytes
from pipelines.sources.folders import Entry, Overall, Place, entries, is_many, label
from pipelines.sources.ids import Occurrences
from pipelines.sources.lines import lines
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed, filtered, unreadable
from pipelines.sources.streams import chunks

ENDINGS = tuple(f".{name}{packed}" for name in ("txt", "text", "md") for packed in ("", ".gz", ".zst", ".bz2"))
Split = Literal["file", "paragraph", "line"]
_BYTES_PER_CHAR = 4
_SPLITS = ("file", "paragraph", "line")


def read(
    path: Place,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
    split: Split = "file",
    encoding: str | None = None,
) -> Iterator[Record]:
    """Yield one record per file, or per paragraph (blank lines stand between them) or line that is not blank.

    A file is named by its path in the folder; paragraphs and lines by the hash of their text and its occurrence,
    so that a line put in before them changes no id. In a folder, files of other formats and files with NUL bytes are
    left out with a reason. `source` must be given. Raises SourceError where a single file cannot be read.
    """
    if split not in _SPLITS:
        raise ConfigError(f"split: '{split}' is none of {', '.join(_SPLITS)}")
    if not source:
        raise SourceError(f"{label(path)}: a text names no source. Name it yourself.", reason="no_source_name")
    occurrences = Occurrences()
    overall = Overall(path, progress)
    done = 0
    for entry in entries(path):
        for origin, text in _texts(entry, split, encoding, max_chars, overall.within(entry), alone=not is_many(path)):
            if limit is not None and done >= limit:
                return
            done += 1
            yield _record(origin, text, entry, source, None if split == "file" else occurrences)
    if not done and limit != 0:
        raise SourceError(f"{label(path)} holds no {split} (empty file). Give another file.", reason="empty_dump")


def _texts(
    entry: Entry, split: Split, encoding: str | None, max_chars: int, progress: Progress, *, alone: bool
) -> Iterator[tuple[str, str | Reject]]:
    """Where each text of a file stands, and the text; a file of a folder that cannot be read is a reject."""
    if not alone and entry.name.lower().endswith(OTHER_FORMATS):
        yield entry.name, filtered("other_format")
        return
    try:
        pieces = to_utf8(chunks(entry.path, progress=progress), encoding=encoding)
        if split == "file":
            yield entry.name, _whole(pieces, max_chars)
        else:
            yield from _parts(entry, pieces, split, max_chars)
    except SourceError as error:
        if alone:
            raise
        yield entry.name, filtered("empty_text") if error.reason == "empty_file" else unreadable(error, entry.path)


def _whole(pieces: Iterable[bytes], max_chars: int) -> str | Reject:
    data = read_bytes(pieces, max_chars * _BYTES_PER_CHAR)
    if data is None:
        return failed("page_too_large", f"more than {max_chars} characters; split: line reads a file line by line")
    return filtered("not_text", "it holds NUL bytes") if b"\0" in data else _decoded(data, max_chars)


def _parts(entry: Entry, pieces: Iterable[bytes], split: Split, max_chars: int) -> Iterator[tuple[str, str | Reject]]:
    """Groups of lines, each with the number of its first: single lines, or those between blank ones."""
    longest = max_chars * _BYTES_PER_CHAR
    held: list[bytes] = []
    first, length = 1, 0
    for number, line in lines(pieces, longest=longest):
        if line is None or line.strip():
            first = first if length else number
            length += 1 + (longest + 1 if line is None else len(line))
            if line is not None and length <= longest + 1:
                held.append(line.removesuffix(b"\r"))
            if split == "paragraph":
                continue
        if length:
            yield f"{entry.name}#line={first}", _joined(held, length - 1, longest, max_chars)
            held, length = [], 0
    if length:
        yield f"{entry.name}#line={first}", _joined(held, length - 1, longest, max_chars)


def _joined(held: list[bytes], length: int, longest: int, max_chars: int) -> str | Reject:
    if length > longest:
        return failed("page_too_large", f"more than {max_chars} characters")
    return _decoded(b"\n".join(held), max_chars)


def _decoded(data: bytes, max_chars: int) -> str | Reject:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return failed("invalid_utf8", f"byte {error.start}: {error.reason}. Name the encoding if it is another")
    if len(text) > max_chars:
        return failed("page_too_large", f"{len(text)} characters, at most {max_chars}")
    return text if text.strip() else filtered("empty_text")


def _record(origin: str, text: str | Reject, entry: Entry, source: str, occurrences: Occurrences | None) -> Record:
    if isinstance(text, Reject):
        doc_id = f"{source}:{entry.name}" if occurrences is None else None
        return Record(doc_id=doc_id, source=source, origin=origin, reject=text)
    native = entry.name if occurrences is None else occurrences.id_of(text)
    return Record(doc_id=f"{source}:{native}", source=source, origin=origin, text=text, n_chars=len(text))
