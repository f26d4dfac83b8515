"""One example of a labelled set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.sources.records import Reject


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what it is labelled with, or why there is none; `origin` is the file and the place in it."""

    origin: str
    text: str = ""
    value: Any = None
    reject: Reject | None = None
