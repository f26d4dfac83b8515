"""JSON files of the lake that tell whether they are as they were written: a digest of the rest stands in each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from data.hashing import fingerprint

DIGEST = "digest"


def seal(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its digest, as plain JSON data."""
    plain: dict[str, Any] = json.loads(json.dumps({**content, DIGEST: None}))
    del plain[DIGEST]
    return {**plain, DIGEST: fingerprint(plain)}


def is_intact(content: Mapping[str, Any]) -> bool:
    """Whether the content is what was sealed; one that was written before there were seals is taken at its word."""
    return DIGEST not in content or seal(content) == content
