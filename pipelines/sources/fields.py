"""Rows with columns of any name to records: which column is the text, which the id, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from data.errors import ConfigError
from pipelines.sources.ids import Occurrences
from pipelines.sources.meta import MAX_META, meta_json
from pipelines.sources.records import Record, Reject, SourceError, failed, filtered
from pipelines.sources.values import id_of, is_encodable, is_missing, string_of, time_of

ALIASES: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "body"),
    "id": ("id", "doc_id", "document_id", "_id", "uuid"),
    "title": ("title", "headline"),
    "url": ("url", "uri", "link"),
    "lang": ("lang", "language"),
    "published_at": ("published_at", "published", "date_published", "publication_date", "publish_date", "pub_date"),
}
"""Our fields, and the columns that are taken for them without a mapping: the first that holds a value."""

_Meta = Literal["all", "none"] | Sequence[str]


@dataclass(frozen=True, kw_only=True)
class RowOptions:
    """How rows become records.

    `fields` maps a field of ours to the column that holds it; a dot leads into nested objects (`article.body`).
    `meta` says what becomes of other columns: `all` of them, `none`, or those named here, as JSON. `markup` says
    whether the text column holds plain text or web pages, whose main text is wanted.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    meta: _Meta = "all"
    markup: Literal["plain", "html"] = "plain"

    def __post_init__(self) -> None:
        for name, column in self.fields.items():
            if name not in ALIASES:
                raise ConfigError(f"fields: there is no field '{name}'; there are {', '.join(ALIASES)}")
            if not isinstance(column, str) or not column:
                raise ConfigError(f"fields.{name}: the name of a column is wanted, not {column!r}")
        if isinstance(self.meta, str) and self.meta not in {"all", "none"}:
            raise ConfigError(f"meta: '{self.meta}' is neither all, none nor a list of columns")
        if self.markup not in {"plain", "html"}:
            raise ConfigError(f"markup: '{self.markup}' is neither plain nor html")

    @property
    def wanted(self) -> tuple[str, ...]:
        """Columns that must exist, because they are named."""
        return (*self.fields.values(), *(() if isinstance(self.meta, str) else self.meta))

    def columns(self, name: str) -> tuple[str, ...]:
        """Columns that may hold a field."""
        return (self.fields[name],) if name in self.fields else ALIASES[name]

    def check(self, columns: Collection[str], where: str) -> None:
        """Raise SourceError unless the columns of a file hold all that is named, and a text."""
        for column in self.wanted:
            if column not in columns:
                raise no_column(column, columns, where)
        if not any(column in columns for column in self.columns("text")):
            raise no_column("' or '".join(self.columns("text")), columns, where)


def no_column(column: str, columns: Iterable[str], where: str) -> SourceError:
    """The error for a column that is wanted and does not exist."""
    known = ", ".join(str(name)[:80] for name in list(columns)[:40])
    return SourceError(
        f"{where} has no column '{column}'. It has: {known or 'none'}. Name the right ones in `fields` "
        "(for example fields: {text: body, id: key}).",
        reason="no_column",
    )


@dataclass(frozen=True, slots=True)
class Row:
    """The values of one row by column, or why it could not be read, and where it stands."""

    origin: str
    values: Mapping[str, Any] | Reject


_Found = Mapping[str, tuple[str | None, Any]]
"""For each of our fields the column that holds it, if any, and its value."""


class RecordMaker:
    """Makes a record of each row of a source; counts the texts that have no id of their own."""

    def __init__(self, options: RowOptions, *, source: str, max_chars: int) -> None:
        self._options = options
        self._columns = [(name, options.columns(name)) for name in ALIASES]
        self._source = source
        self._max_chars = max_chars
        self._occurrences = Occurrences()

    def record(self, row: Row) -> Record:
        """The record of a row; a row that cannot become one is a record with a reject."""
        values = row.values
        if isinstance(values, Reject):
            return Record(doc_id=None, source=self._source, origin=row.origin, reject=values)
        found = {name: _first(values, columns) for name, columns in self._columns}
        text, reject = self._text(found, values)
        native, bad_id = _native_id(*found["id"])
        reject = bad_id or reject
        doc_id = native if native or reject else self._occurrences.id_of(text)
        told = {name: string_of(found[name][1]) for name in ("title", "url", "lang")}
        published_at = time_of(found["published_at"][1])
        return Record(
            doc_id=f"{self._source}:{doc_id}" if doc_id else None,
            source=self._source,
            origin=row.origin,
            title=told["title"],
            url=told["url"],
            lang_declared=told["lang"],
            published_at=published_at,
            text="" if reject else text,
            markup=self._options.markup,
            n_chars=len(text),
            meta=None if reject else self._meta(values, found, {**told, "published_at": published_at}),
            reject=reject,
        )

    def _text(self, found: _Found, values: Mapping[str, Any]) -> tuple[str, Reject | None]:
        column, value = found["text"]
        if column is None:
            present = ", ".join(str(name)[:40] for name in list(values)[:20])
            wanted = "` or `".join(self._options.columns("text"))
            return "", failed("no_text", f"there is no `{wanted}`; there is {present or 'nothing'}")
        if isinstance(value, bytes):
            try:
                value = value.decode()
            except UnicodeDecodeError as error:
                return "", failed("invalid_utf8", f"byte {error.start} of `{column}`: {error.reason}")
        if is_missing(value):
            return "", filtered("empty_text", f"`{column}`")
        if not isinstance(value, str):
            return "", failed("text_not_a_string", f"`{column}` is a {type(value).__name__}")
        return value, self._check(value)

    def _check(self, text: str) -> Reject | None:
        if len(text) > self._max_chars:
            return failed("page_too_large", f"{len(text)} characters, at most {self._max_chars}")
        return None if is_encodable(text) else failed("invalid_unicode", "the text holds a lone surrogate")

    def _meta(self, values: Mapping[str, Any], found: _Found, told: Mapping[str, Any]) -> str | None:
        """The rest of the row; a value that did not fit its field is part of the rest."""
        meta = self._options.meta
        if not isinstance(meta, str):
            return meta_json({name: get(values, name)[1] for name in meta}, longest_value=MAX_META)
        if meta == "none":
            return None
        taken = [
            found[name][0] for name in ("text", "id", *(name for name, value in told.items() if value is not None))
        ]
        return meta_json(without(values, [column for column in taken if column is not None]))


def _native_id(column: str | None, value: object) -> tuple[str | None, Reject | None]:
    try:
        return id_of(value), None
    except ValueError as error:
        return None, failed("invalid_id", f"`{column}` is {error}")


def records(rows: Iterable[Row], maker: RecordMaker, *, limit: int | None) -> Iterator[Record]:
    """One record per row, at most `limit`."""
    if limit is not None and limit <= 0:
        return
    for done, row in enumerate(rows, 1):
        yield maker.record(row)
        if done == limit:
            return


def get(values: Mapping[str, Any], column: str) -> tuple[bool, Any]:
    """Whether a column or a dotted path into nested objects exists, and its value; the literal name wins."""
    if column in values:
        return True, values[column]
    if "." not in column:
        return False, None
    head, _, rest = column.partition(".")
    inner = values.get(head)
    return get(inner, rest) if isinstance(inner, Mapping) else (False, None)


def without(values: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Any]:
    """The values but for the columns, which may be dotted paths."""
    left = dict(values)
    for column in columns:
        head, dot, rest = column.partition(".")
        if column in left:
            del left[column]
        elif dot and isinstance(left.get(head), Mapping):
            left[head] = without(left[head], [rest]) or None
    return left


def _first(values: Mapping[str, Any], columns: Iterable[str]) -> tuple[str | None, Any]:
    """The first of the columns that holds a value, else the first that exists, else None."""
    existing = None
    for column in columns:
        exists, value = get(values, column)
        if exists and not is_missing(value):
            return column, value
        if exists and existing is None:
            existing = column
    return existing, None
