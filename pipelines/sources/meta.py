"""What a row holds beyond the fields of a record, as JSON of bounded size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from pipelines.sources.values import is_encodable

MAX_META = 16_384
"""Longest JSON of one record, in code points."""
MAX_VALUE = 2_048
"""Longest JSON of one value that nobody asked for by name, in code points."""
OMITTED = "_omitted"
_MAX_NAME = 200
_MAX_NAMES = 50


def meta_json(values: Mapping[str, Any], *, longest_value: int = MAX_VALUE) -> str | None:
    """The values that are not null as one JSON object, its keys in order; None where there is none.

    A value that is too long, or that JSON cannot hold, is left out and its name listed under `_omitted`.
    """
    parts: list[str] = []
    omitted: list[str] = []
    room = MAX_META
    for name in sorted(name for name, value in values.items() if value is not None):
        part = _part(name, values[name], longest_value)
        if part is None or len(part) > room:
            omitted.append(name)
        else:
            parts.append(part)
            room -= len(part) + 1
    if omitted:
        parts.append(f'"{OMITTED}":{_dump(_names(omitted))}')
    return "{" + ",".join(parts) + "}" if parts else None


def _part(name: str, value: Any, longest: int) -> str | None:
    if len(name) > _MAX_NAME or name == OMITTED:
        return None
    try:
        text = _dump(value)
    except (ValueError, TypeError, RecursionError):  # not a number, bytes, or nested too deep
        return None
    return f"{_dump(name)}:{text}" if len(text) <= longest else None


def _dump(value: Any) -> str:
    text = _ENCODER.encode(value)
    return text if is_encodable(text) else _ESCAPING.encode(value)


def _plain(value: Any) -> str:
    if isinstance(value, date | time):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


_ENCODER, _ESCAPING = (
    json.JSONEncoder(ensure_ascii=escaping, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)
    for escaping in (False, True)
)


def _names(omitted: Iterable[str]) -> list[str]:
    names = [name[:_MAX_NAME] for name in omitted]
    return names if len(names) <= _MAX_NAMES else [*names[:_MAX_NAMES], f"and {len(names) - _MAX_NAMES} more"]
