"""Fingerprints: short, stable names for content and for decisions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

DIGITS = 16
_CHUNK = 1 << 20


def fingerprint(value: Any) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the value as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:DIGITS]


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in chunks of one MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
