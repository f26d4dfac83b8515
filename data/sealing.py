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
    """Whether the content is what was sealed; one that was written before there were seals is taken at its word.

    A seal whose name was damaged is none of those: its value still is the digest of the rest.
    """
    if DIGEST in content:
        return seal(content) == content
    return not any(value == fingerprint(_without(content, name)) for name, value in content.items())


def _without(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}
