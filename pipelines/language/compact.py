"""First tier: CLD2, which decides by Unicode script or by quadgrams, some 15 MB of text per second."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.language.close import together
from pipelines.language.codes import UNDECIDED, iso

_SCRIPTS = "chr dv el gu hy iu ja ka km kn ko lo ml my or pa si ta te th zh"
BY_SCRIPT = frozenset({UNDECIDED, *_SCRIPTS.split()})
"""Languages that their script tells, and scripts of no known language: no other tier is asked."""
LONG = 400
"""Bytes of letters from which shares mean parts of the text, not doubt about a few words."""
_SURE = ((LONG, 0.7, 550), (LONG, 0.9, 450), (200, 0.9, 550), (100, 0.9, 800))
"""Bytes of letters, share and fit (CLD2's score per kilobyte) from which quadgrams are trusted alone.

A low fit is that of a language that CLD2 does not know, or of none.
"""
_UNKNOWN = "un"
_KANA = re.compile("[\u3041-\u30fa\u30fc-\u30ff\uff66-\uff9f]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
_MIN_KANA = 0.15
# What CLD2 refuses as not being for interchange.
_REFUSED = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True)
class Evidence:
    """Shares of the text by language (0 to 1), its bytes of letters, and how well it fits its first language."""

    shares: dict[str, float]
    n_bytes: int
    fit: float

    @property
    def is_long(self) -> bool:
        """Whether shares mean parts of the text."""
        return self.n_bytes >= LONG

    @property
    def is_sure(self) -> bool:
        """Whether the first language needs no second opinion."""
        first, share = next(iter(self.shares), ""), together(self.shares)
        fits = (self.n_bytes >= size and share >= least and self.fit >= fit for size, least, fit in _SURE)
        return first in BY_SCRIPT or any(fits)


def evidence(sample: str) -> Evidence:
    """What CLD2 finds, its best three languages first."""
    n_bytes, details = _detect(sample)
    shares: dict[str, float] = {}
    for _, code, percent, _ in details:
        if code != _UNKNOWN:
            shares[iso(code)] = shares.get(iso(code), 0.0) + percent / 100
    ordered = dict(sorted(_by_kana(sample, shares).items(), key=lambda item: -item[1]))
    return Evidence(ordered, n_bytes, float(details[0][3]))


def _by_kana(sample: str, shares: dict[str, float]) -> dict[str, float]:
    """The shares, those of Chinese and Japanese given to the one that the kana among the characters tell."""
    both = shares.get("ja", 0.0) + shares.get("zh", 0.0)
    if not both:
        return shares
    kana = sum(map(len, _KANA.findall(sample)))
    han = sum(map(len, _HAN.findall(sample))) if kana else 0
    first = "ja" if kana > _MIN_KANA * (kana + han) else "zh"
    return {code: share for code, share in shares.items() if code not in {"ja", "zh"}} | {first: both}


def _detect(sample: str) -> tuple[int, tuple[tuple[str, str, int, float], ...]]:
    import pycld2  # type: ignore[import-untyped]

    try:
        found = pycld2.detect(sample, isPlainText=True, bestEffort=True)
    except (pycld2.error, UnicodeEncodeError):
        found = pycld2.detect(_REFUSED.sub(" ", sample), isPlainText=True, bestEffort=True)
    return int(found[1]), found[2]
