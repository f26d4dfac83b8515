"""How a source is read, as a user writes it in a config file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipelines.sources import checked
from pipelines.sources.delimited import Quoting
from pipelines.sources.fields import RowOptions
from pipelines.sources.plain import Split


@dataclass(frozen=True, kw_only=True)
class SourceConfig:
    """Options of one source; each that is None is as the reader has it.

    `reader` names a reader (None: the file's ending tells), `fields` maps our fields to columns, `meta` says what
    becomes of other columns, `markup` whether the text column holds HTML, `split` what one document of a text file is;
    `encoding`, `delimiter` and `quoting` say how text and CSV files are written.
    """

    reader: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    meta: Literal["all", "none"] | tuple[str, ...] | None = None
    markup: Literal["plain", "html"] | None = None
    split: Split | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quoting: Quoting | None = None

    def __post_init__(self) -> None:
        RowOptions(fields=self.fields)
        if self.reader:
            checked(self.reader, self.options())

    def options(self, fields: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The options that are set, for `sources.read`; `fields` of the catalogue count where these name none."""
        given = {name: value for name, value in asdict(self).items() if name != "reader" and value is not None}
        given["fields"] = {**(fields or {}), **self.fields} or None
        return {name: value for name, value in given.items() if value is not None}
