"""Ids for records that have none: a hash of the text, and which occurrence of that text it is."""

from __future__ import annotations

import hashlib
from typing import Any

_RECENT = 1 << 16


class Occurrences:
    """Counts how often each text was seen, in about 8 bytes per distinct text.

    Hashes seen once lie in a sorted array of 64-bit numbers, grown in steps; only repeated ones have a counter.
    """

    def __init__(self, *, recent: int = _RECENT) -> None:
        self._most = recent
        self._recent: set[int] = set()
        self._settled: Any = None
        self._repeated: dict[int, int] = {}

    def id_of(self, text: str) -> str:
        """The first 16 hexadecimal digits of the text's SHA-256, and the number of this occurrence from 1."""
        digest = hashlib.sha256(text.encode()).digest()[:8]
        return f"{digest.hex()}-{self._count(int.from_bytes(digest, 'big'))}"

    def _count(self, key: int) -> int:
        if key in self._repeated or self._seen(key):
            self._repeated[key] = self._repeated.get(key, 1) + 1
            return self._repeated[key]
        self._recent.add(key)
        if len(self._recent) >= self._most:
            self._settle()
        return 1

    def _seen(self, key: int) -> bool:
        if key in self._recent:
            return True
        if self._settled is None:
            return False
        import numpy as np

        place = int(np.searchsorted(self._settled, np.uint64(key)))
        return place < len(self._settled) and int(self._settled[place]) == key

    def _settle(self) -> None:
        """Merge the recent hashes into the array; the step grows with it, so that merging stays linear overall."""
        import numpy as np

        recent = np.fromiter(self._recent, dtype=np.uint64, count=len(self._recent))
        recent.sort()
        if self._settled is None:
            self._settled = recent
        else:
            self._settled = np.insert(self._settled, np.searchsorted(self._settled, recent), recent)
        self._recent.clear()
        self._most = max(self._most, len(self._settled) // 32)
