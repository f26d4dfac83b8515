"""Codes of languages: what the detectors say, as ISO 639-1, or 639-3 where a language has no code of two letters."""

from __future__ import annotations

from difflib import get_close_matches

from data.errors import ConfigError

UNDECIDED = "und"
_CODES = (
    "aa ab ace af ak am an ar as ay az ba bcl be bg bho bi bn bo br bs bug ca ceb chr co crh crs cs cy da de dv "
    "dz ee el en eo es et eu ext fa fi fj fo fr fuv fy ga gaa gcf gcr gd gl gn gom got grc gu guw gv ha haw hbo "
    "he hi hmn hr ht hu hy ia id ie ig ik is it iu ja jv ka kab kha ki kk kl km kn ko kri ks ku ky la lb lg lif "
    "lij ln lo loz lt ltg lua luo lv mfe mg mi mk ml mn mr ms mt my na nb ne new nl nn nr nso ny oc om or os pa "
    "pam pcm pl ps pt qu raj rm rn ro ru rw sa sco sd sdh se sg si sk sl sm sn so sq sr ss st su sv sw syr ta te "
    "tg th ti tk tl tn to tr ts tt tum tw ug uk ur uz uzs ve vec vi vo wa war wo xh yi yo za zh zu"
)
CODES = frozenset(_CODES.split())
"""Every language that a text can be found to be in."""

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
_NORWEGIAN = "Norwegian is told apart as nb (Bokmål) and nn (Nynorsk): name one of them, or both"
_OTHER_NAMES = _ISO | {
    "ara": "ar", "ces": "cs", "chi": "zh", "cmn": "zh", "cn": "zh", "cz": "cs", "deu": "de", "dk": "da", "ell": "el",
    "eng": "en", "fas": "fa", "fil": "tl", "fra": "fr", "fre": "fr", "ger": "de", "gr": "el", "gre": "el", "hin": "hi",
    "ita": "it", "jp": "ja", "jpn": "ja", "kor": "ko", "nld": "nl", "nob": "nb", "nno": "nn", "pol": "pl", "por": "pt",
    "rus": "ru", "sh": "sr", "simple": "en", "spa": "es", "tur": "tr", "ua": "uk", "ukr": "uk", "vie": "vi",
    "vn": "vi", "zho": "zh",
}  # fmt: skip
"""Codes of countries, of wikis and of ISO 639-2 that are written for languages which have another."""
_NOT_NATURAL = frozenset({"tlh", "xxx", "zzb", "zze", "zzh", "zzp"})


def iso(code: str) -> str:
    """The code of the contracts for a code of a detector; `und` for scripts without a language and for jokes."""
    if code in _ISO:
        return _ISO[code]
    return UNDECIDED if code in _NOT_NATURAL or "-" in code else code


def check_wanted(codes: tuple[object, ...]) -> None:
    """Raise ConfigError for a code that no text is ever found to be in, with the code that was meant."""
    for code in codes:
        if code not in CODES:
            raise ConfigError(f"languages: {_told(code)}")


def _told(code: object) -> str:
    if not isinstance(code, str):
        return f"{code!r} is no code; YAML reads a bare `no` as false, and {_NORWEGIAN}"
    plain = code.lower().replace("_", "-").partition("-")[0]
    if plain in {"no", "nor"}:
        return f"'{code}' is no code here; {_NORWEGIAN}"
    if meant := plain if plain in CODES else _OTHER_NAMES.get(plain):
        return f"'{code}' is no code here; that language is '{meant}'"
    near = ", ".join(get_close_matches(plain, sorted(CODES), cutoff=0.5)) or "en, uk, zh"
    return f"no text is ever found to be in '{code}'; codes are ISO 639-1, or 639-3 where there is none, such as {near}"
