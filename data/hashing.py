"""Fingerprints: short, stable names for content and for decisions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

DIGITS = 16
_CHUNK = 1 << 20


def fingerprint(value: Any) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the value as canonical JSON."""
    return _digits(_canonical(value))


def ending(*last: Any) -> Callable[..., str]:
    """Gives the fingerprint of the list of any values with these behind them, which are written out only once."""
    tail = "".join(f",{_canonical(value)}" for value in last)

    def fingerprint_of(*first: Any) -> str:
        return _digits(f"[{','.join(map(_canonical, first))}{tail}]")

    return fingerprint_of


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:DIGITS]


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in chunks of one MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
