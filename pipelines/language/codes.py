"""Codes of languages: what the detectors say, as ISO 639-1, or 639-3 where a language has no code of two letters."""

from __future__ import annotations

UNDECIDED = "und"

_ISO = {
    "arz": "ar",
    "ary": "ar",
    "bh": "bho",
    "gug": "gn",
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "jw": "jv",
    "kik": "ki",
    "mo": "ro",
    "no": "nb",
    "sr-ME": "sr",
    "un": UNDECIDED,
    "wuu": "zh",
    "xx-Bugi": "bug",
    "xx-Goth": "got",
    "yue": "zh",
    "zh-Hant": "zh",
    "zxx": UNDECIDED,
}
_NOT_NATURAL = frozenset({"tlh", "xxx", "zzb", "zze", "zzh", "zzp"})


def iso(code: str) -> str:
    """The code of the contracts for a code of a detector; `und` for scripts without a language and for jokes."""
    if code in _ISO:
        return _ISO[code]
    return UNDECIDED if code in _NOT_NATURAL or "-" in code else code
