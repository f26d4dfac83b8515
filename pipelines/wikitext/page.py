"""What is known about the page while its wikitext is read, and what is found beside its words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Infobox = dict[str, str]
TABLES, MATH = ("drop", "lines"), ("latex", "drop")


@dataclass(slots=True, kw_only=True)
class Page:
    """`hidden`: lower-case names of the namespaces whose links show nothing; `lang`: the wiki's language code.

    `tables`: `drop`, or `lines` for one line a row. `math`: `latex`, or `drop` for the formulas that need TeX.
    `infobox_name` and `infobox` are set by the first infobox of the lead.
    """

    lang: str = "en"
    title: str = ""
    hidden: frozenset[str] = frozenset()
    tables: Literal["drop", "lines"] = "drop"
    math: Literal["latex", "drop"] = "latex"
    wants_infobox: bool = True
    infobox_name: str = ""
    infobox: Infobox = field(default_factory=dict)
