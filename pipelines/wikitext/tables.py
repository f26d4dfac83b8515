"""Tables as lines of text: one line a row, cells apart."""

from __future__ import annotations

import re

from pipelines.wikitext import markers

_INNERMOST = re.compile(  # up to its end no line begins another, ends one, or may be a heading
    r"\n[ \t:]*+\{\|(?!\})[^\n]*+(?:\n(?![ \t:]*+(?:\{\||\|\}(?!\}))|=)[^\n]*+)*+\n[ \t:]*+\|\}(?!\})"
)
_OPEN = re.compile(r"\{\|")
_FLAT = re.compile(r"\s*+[^{}]*+\{\|[^{}]*+(?:\{\{[^{}]*+\}\}[^{}]*+)*+\}")
_TEMPLATE = re.compile(r"\{\{[^{}]*+\}\}")
_NESTING = 5  # tables and templates within each other; deeper ones are left to the parser
_ROW = re.compile(r"\n[ \t]*+\|-[^\n]*")
_CELL = re.compile(r"\n[ \t]*+[|!]\+?|\|\||!!")
_ATTRIBUTES = re.compile(r"[^|\[\]{}\n]*=[^|\n]*\|(?!\|)")
SEPARATOR = markers.protect(" | ")


def without_tables(text: str) -> str:
    """Drop the tables that are whole, so that nothing is looked for in them; the others are left to the parser."""
    for _ in range(_NESTING):
        if not _OPEN.search(text):
            break
        text = _INNERMOST.sub(_dropped, text)
    return text


def _dropped(table: re.Match[str]) -> str:
    """Nothing but the line end before it, if all templates that begin in it end in it."""
    content = table[0]
    if _FLAT.fullmatch(content):
        return "\n"
    for _ in range(_NESTING):
        if "{{" in content:
            content = _TEMPLATE.sub("", content)
    return table[0] if "{{" in content or "}}" in content else "\n"


def table_text(content: str) -> str:
    """The rows of a table without its marks, as lines that stay apart; `content` stands between `{|` and `|}`."""
    rows = (_row(row) for row in _ROW.split("\n" + content.partition("\n")[2]))
    lines = "".join(markers.BREAK + row for row in rows if row)
    return f"\n\n{lines}\n\n" if lines else ""


def _row(row: str) -> str:
    cells = (" ".join(_ATTRIBUTES.sub("", cell, count=1).split()) for cell in _CELL.split(row))
    return SEPARATOR.join(cell for cell in cells if cell)
