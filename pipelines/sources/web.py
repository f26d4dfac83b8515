"""HTML files, and folders of them, as a stream of records, one per page, its markup still on it.

The main text is found later, where the documents are made (pipelines.main_text), so that pages can be worked on in
parallel and a column of HTML in a table is treated alike.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from data.progress import Progress, ignore
from pipelines.sources.files import read_bytes
from pipelines.sources.folders import Entry, Overall, Place, entries, is_many, label
from pipelines.sources.records import MAX_CHARS, Record, Reject, SourceError, failed, filtered, unreadable
from pipelines.sources.streams import chunks

ENDINGS = tuple(f".{name}{packed}" for name in ("html", "htm", "xhtml") for packed in ("", ".gz", ".zst", ".bz2"))
_BYTES_PER_CHAR = 4
_PRESCAN_BYTES = 4096  # the standard looks at 1,024; real pages declare later
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,300}?\b(?:charset|encoding)\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})""", re.IGNORECASE
)
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_LABELS = {
    "iso-8859-1": "windows-1252",
    "iso8859-1": "windows-1252",
    "latin1": "windows-1252",
    "ascii": "windows-1252",
    "us-ascii": "windows-1252",
    "iso-8859-9": "windows-1254",
    "tis-620": "windows-874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "big5": "big5hkscs",
    "x-gbk": "gb18030",
    "macintosh": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "utf8": "utf-8",
}
"""Labels that the Encoding Standard (https://encoding.spec.whatwg.org) takes for a superset of what they name."""
_ENCODINGS = re.compile(
    r"utf-8|(?:windows-|cp)(?:125[0-8]|874)|iso-?8859-(?:[2-8]|1[03-6])|koi8-[ru]|ibm866|gb18030|big5hkscs|"
    r"euc-jp|cp932|cp949|iso-2022-jp|mac-roman|mac-cyrillic"
)
"""What a page may declare; Python knows more, such as unicode_escape, that no page is written in."""


def read(
    path: Place,
    *,
    source: str | None = None,
    max_chars: int = MAX_CHARS,
    limit: int | None = None,
    progress: Progress = ignore,
) -> Iterator[Record]:
    """Yield one record per page, named by its path in the folder; other files of a folder are left out with a reason.

    `source` must be given. Raises SourceError where a single file cannot be read.
    """
    if not source:
        raise SourceError(f"{label(path)}: a page names no source. Name it yourself.", reason="no_source_name")
    overall = Overall(path, progress)
    for done, entry in enumerate(entries(path)):
        if limit is not None and done >= limit:
            return
        page = _page(entry, max_chars, overall.within(entry), alone=not is_many(path))
        reject = page if isinstance(page, Reject) else None
        text = page if isinstance(page, str) else ""
        yield Record(
            doc_id=f"{source}:{entry.name}",
            source=source,
            origin=entry.name,
            text=text,
            markup="html",
            n_chars=None if reject else len(text),
            reject=reject,
        )


def _page(entry: Entry, max_chars: int, progress: Progress, *, alone: bool) -> str | Reject:
    try:
        data = read_bytes(chunks(entry.path, progress=progress), max_chars * _BYTES_PER_CHAR)
    except SourceError as error:
        if alone:
            raise
        return filtered("empty_text") if error.reason == "empty_file" else unreadable(error, entry.path)
    if data is None:
        return failed("page_too_large", f"more than {max_chars} characters")
    if not alone and not entry.name.lower().endswith(ENDINGS) and not _looks_like_html(data):
        return filtered("other_format")
    text = decoded(data)
    if isinstance(text, str) and len(text) > max_chars:
        return failed("page_too_large", f"{len(text)} characters, at most {max_chars}")
    return text


def _looks_like_html(data: bytes) -> bool:
    start = data[:1024].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


def decoded(data: bytes) -> str | Reject:
    """The characters of a page: by its byte order mark, as UTF-8, else by the encoding it declares.

    UTF-8 goes before the declaration, which is often wrong: text of another encoding is hardly ever valid UTF-8.
    """
    mark = next((mark for mark in _MARKS if data.startswith(mark)), b"")
    declared = _declared(data) if not mark else None
    attempts = [_MARKS[mark]] if mark else ["utf-8", *([declared] if declared else [])]
    if declared == "iso-2022-jp":  # seven bits only, so it would pass for UTF-8
        attempts.reverse()
    for encoding in attempts:
        try:
            text = data[len(mark) :].decode(encoding)
        except UnicodeDecodeError:
            continue
        return filtered("not_html", "it holds NUL characters") if "\0" in text else text
    return failed("invalid_encoding", f"the bytes are not {' nor '.join(attempts)}")


def _declared(data: bytes) -> str | None:
    """The encoding named by a meta element or an XML declaration, as the Encoding Standard reads labels."""
    if not (found := _DECLARED.search(data[:_PRESCAN_BYTES])):
        return None
    label = found[1].decode("ascii", "replace").lower()
    name = _LABELS.get(label, label)
    return name if _ENCODINGS.fullmatch(name) else None
