"""Which split a record belongs to: decided by a hash, so the same text is always on the same side."""

from __future__ import annotations

import hashlib

TEST_SHARE = 0.20
VALIDATION_SHARE = 0.10


def split_of(text: str) -> str:
    """`train`, `validation` or `test` (70 / 10 / 20 %) from the SHA-256 of the text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if position < TEST_SHARE:
        return "test"
    return "validation" if position < TEST_SHARE + VALIDATION_SHARE else "train"


def row_id_of(text: str) -> str:
    """First 16 hexadecimal digits of the SHA-256 of the text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
