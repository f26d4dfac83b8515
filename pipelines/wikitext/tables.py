"""Tables as lines of text: one line a row, cells apart."""

from __future__ import annotations

import re

from pipelines.wikitext import markers

_ROW = re.compile(r"\n[ \t]*+\|-[^\n]*")
_CELL = re.compile(r"\n[ \t]*+[|!]\+?|\|\||!!")
_ATTRIBUTES = re.compile(r"[^|\[\]{}\n]*=[^|\n]*\|(?!\|)")
SEPARATOR = markers.protect(" | ")


def table_text(content: str) -> str:
    """The rows of a table without its marks, as lines that stay apart; `content` stands between `{|` and `|}`."""
    rows = (_row(row) for row in _ROW.split("\n" + content.partition("\n")[2]))
    lines = "".join(markers.BREAK + row for row in rows if row)
    return f"\n\n{lines}\n\n" if lines else ""


def _row(row: str) -> str:
    cells = (" ".join(_ATTRIBUTES.sub("", cell, count=1).split()) for cell in _CELL.split(row))
    return SEPARATOR.join(cell for cell in cells if cell)
