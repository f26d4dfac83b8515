"""Cut the XML of a dump into pages without parsing it, as far as that is safe.

Character data holds no raw `<`, so `</page>` is always the end of a page, unless there is a comment, a CDATA section
or a processing instruction, which all begin with `<!` or `<?`; MediaWiki writes none. Where one stands, or a page is
huge, the splitter stops and leaves the rest to a real parser.
"""

from __future__ import annotations

import re
from typing import NamedTuple

START = b"<page>"
END = b"</page>"
_UNSAFE = re.compile(rb"<[!?]")
_LOOK_BACK = 64  # bytes kept while looking for a page, so that a tag cut in two is found, and the end of the root
_LONGEST = 8 << 20  # bytes of a page that is held; MediaWiki's limit for an article is 2 MiB


class Piece(NamedTuple):
    """The XML of one page, blanks before it included, and where it begins: byte of the XML, line and page, from 1."""

    xml: bytes
    byte: int
    line: int
    number: int


class Splitter:
    """Collects bytes and hands out whole pages. `rest` is what has no end yet, `byte` and `line` where it begins.

    `lost` says that `rest` begins somewhere inside a page, whose other half is lost.
    """

    def __init__(self, *, byte: int, line: int) -> None:
        self.byte = byte
        self.line = line
        self.rest = b""
        self.count = 0
        self.lost = False

    def lose(self) -> None:
        """Give up what is held, and all that comes before the next page."""
        self.byte += len(self.rest)
        self.line += self.rest.count(b"\n")
        self.rest, self.lost = b"", True

    def feed(self, data: bytes) -> list[Piece] | None:
        """The pages completed by `data`; None where the splitter cannot go on, and `rest` holds all it left."""
        self.rest += data
        if self.lost and not self._find_page():
            return []
        cut = self.rest.rfind(END) + len(END)
        if cut < len(END):
            return None if len(self.rest) > _LONGEST else []
        complete = self.rest[:cut]
        if _UNSAFE.search(complete):
            return None
        self.rest = self.rest[cut:]
        return [self._piece(xml + END) for xml in complete.split(END)[:-1]]

    def _find_page(self) -> bool:
        """Drop what stands before the next page."""
        start = self.rest.find(START)
        drop = start if start >= 0 else max(0, len(self.rest) - _LOOK_BACK)
        self.byte += drop
        self.line += self.rest.count(b"\n", 0, drop)
        self.rest = self.rest[drop:]
        self.lost = start < 0
        return not self.lost

    def _piece(self, xml: bytes) -> Piece:
        self.count += 1
        piece = Piece(xml, self.byte, self.line, self.count)
        self.byte += len(xml)
        self.line += xml.count(b"\n")
        return piece
