"""JSON Lines (`.jsonl`, `.jsonl.gz`) as a stream of records, one per line that is not blank.

Each line is an object with `text`, and where known `id`, `title`, `url`, `lang` and `published_at` (ISO 8601).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.progress import Progress, ignore
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed
from pipelines.sources.streams import chunks

_LINE_OVERHEAD = 64 * 1024  # bytes of a line beyond its text: other fields
_BYTES_PER_CHAR = 12  # "\ud83d\ude00" is the longest JSON spelling of a code point


def read(
    path: Path,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
) -> Iterator[Record]:
    """Yield one record per non-blank line; a bad line is a record with a reject.

    `source` must be given: a line names none. A line without `id` is named by the hash of its text and the
    occurrence of that text in the file. Raises SourceError where the file as a whole cannot be read.
    """
    path = Path(path)
    if not source:
        raise SourceError(f"{path}: JSON Lines name no source. Name it yourself.", reason="no_source_name")
    occurrences: Counter[str] = Counter()
    done = 0
    for number, line in _lines(path, max_chars, progress):
        if limit is not None and done >= limit:
            return
        yield _record(line, f"{path.name}#line={number}", source, max_chars, occurrences)
        done += 1
        if done == limit:
            return
    if not done:
        raise SourceError(f"{path} holds no line (empty file). Give another file.", reason="empty_dump")


def _lines(path: Path, max_chars: int, progress: Progress) -> Iterator[tuple[int, bytes | None]]:
    """Number and bytes of each non-blank line; None in place of one that is too long to hold."""
    longest = max_chars * _BYTES_PER_CHAR + _LINE_OVERHEAD
    held: list[bytes] = []
    number, length = 1, 0
    for data in chunks(path, progress=progress):
        *complete, rest = data.split(b"\n")
        for piece in complete:
            line = b"".join([*held, piece]) if length + len(piece) <= longest else None
            if line is None or line.strip():
                yield number, line
            number, held, length = number + 1, [], 0
        length += len(rest)
        held = [*held, rest] if length <= longest else []
    if length > longest or b"".join(held).strip():
        yield number, None if length > longest else b"".join(held)


def _record(line: bytes | None, origin: str, source: str, max_chars: int, occurrences: Counter[str]) -> Record:
    row = _parse(line)
    if isinstance(row, Reject):
        return Record(doc_id=None, source=source, origin=origin, reject=row)
    reject = _check(row, max_chars)
    text = row["text"] if isinstance(row.get("text"), str) else ""
    return Record(
        doc_id=_doc_id(row, text, source, occurrences) if not reject or _has_id(row) else None,
        source=source,
        origin=origin,
        title=_string(row.get("title")),
        url=_string(row.get("url")),
        lang_declared=_string(row.get("lang")),
        published_at=_time(row.get("published_at")),
        text="" if reject else text,
        n_chars=len(text),
        reject=reject,
    )


def _parse(line: bytes | None) -> dict[str, Any] | Reject:
    if line is None:
        return failed("page_too_large", "the line is too long to hold")
    try:
        row = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode("utf-8"))
    except UnicodeDecodeError as error:
        return failed("invalid_utf8", f"byte {error.start} of the line: {error.reason}")
    except (ValueError, RecursionError) as error:
        return failed("invalid_json", str(error)[:200])
    return row if isinstance(row, dict) else failed("invalid_json", f"a {type(row).__name__}, expected an object")


def _check(row: dict[str, Any], max_chars: int) -> Reject | None:
    text, native = row.get("text"), row.get("id")
    if not isinstance(text, str) or not text.strip():
        return failed("no_text", "`text` is missing, empty or not a string")
    if len(text) > max_chars:
        return failed("page_too_large", f"{len(text)} characters, at most {max_chars}")
    if native is not None and not _has_id(row):
        return failed("invalid_id", "`id` is neither a non-empty string nor a whole number")
    if _string(text) is None:
        return failed("invalid_unicode", "`text` holds a lone surrogate")
    return None


def _has_id(row: dict[str, Any]) -> bool:
    native = row.get("id")
    if isinstance(native, str):
        return _string(native) is not None
    return isinstance(native, int) and not isinstance(native, bool)


def _doc_id(row: dict[str, Any], text: str, source: str, occurrences: Counter[str]) -> str:
    if _has_id(row):
        return f"{source}:{str(row['id']).strip()}"
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    occurrences[digest] += 1
    return f"{source}:{digest}-{occurrences[digest]}"


def _string(value: object) -> str | None:
    """A non-blank string that UTF-8 can hold, or None."""
    if not isinstance(value, str) or not value.strip():
        return None
    return None if any("\ud800" <= char <= "\udfff" for char in value) else value


def _time(value: object) -> datetime | None:
    """A time in ISO 8601, taken as UTC where it names no zone; None where it cannot be read."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
        if when is None:
            return None
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
