"""One spelling of text: Unicode NFC, plain white space, no invisible characters, no boilerplate lines."""

from __future__ import annotations

import unicodedata

import polars as pl

from pipelines.quality import c4

VERSION = 1

_LINE_ENDS = r"\r\n?|[\x0b\x0c\x{85}\x{2028}\x{2029}]"
# Joiners (U+200C, U+200D) stay: Persian and Indic spelling and emoji need them.
_INVISIBLE = (
    r"[\x00-\x08\x0e-\x1f\x7f-\x{84}\x{86}-\x{9f}\x{ad}\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}"
    r"\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{fff9}-\x{fffb}]"
)
# Single blanks, which most are, match nothing: replacing is what costs time.
_BLANKS = r"[^\S\n]{2,}|[^\S\n ]"
_BLANKS_AT_LINE_ENDS = r" ?\n ?"
_MANY_NEWLINES = r"\n{3,}"

_BOILERPLATE = "|".join(
    (
        r"\[?\s*edit\s*\]?",
        r"\[?\s*edit source\s*\]?",
        r"jump to (?:navigation|search|content)[^\n]{0,60}",
        r"skip to (?:main )?content",
        r"retrieved from[ :]+[\"“]?(?:https?://|www\.)[^\n]*",
        r"(?:copyright|©|\(c\))[^\n]{0,100}all rights reserved[^\n]{0,60}",
        r"all rights reserved[^\n]{0,60}",
        r"click here (?:to|for)[^\n]{0,120}",
        r"(?:please )?(?:enable|turn on) (?:javascript|cookies)[^\n]{0,120}",
        r"(?:this|our) (?:web)?site uses cookies[^\n]{0,400}",
        r"we use cookies[^\n]{0,400}",
        r"by (?:continuing|using)[^\n]{0,80}(?:cookies|cookie policy)[^\n]{0,200}",
        r"(?:accept|manage|reject) (?:all )?cookies",
        r"(?:terms of (?:use|service)|privacy policy|cookie policy)(?: *[|·•] *[^\n]{0,80})?",
        r"(?:share (?:this|on)|follow us on)[^\n]{0,80}",
        r"(?:sign up|subscribe) (?:for|to) (?:our|the) newsletter[^\n]{0,80}",
    )
)
_BOILERPLATE_LINE = rf"(?im)^(?:[-*•] ?)?(?:{_BOILERPLATE})[ .!]*$"


# Marks, and every other character that NFC may change or join to the one before it.
_MAYBE_NOT_COMPOSED = (
    r"\p{M}\x{374}\x{37e}\x{387}\x{958}-\x{95f}\x{9dc}-\x{9df}\x{a33}\x{a36}\x{a59}-\x{a5e}\x{b5c}\x{b5d}\x{f43}-\x{f69}"
    r"\x{1100}-\x{11ff}\x{1f71}-\x{1ffd}\x{2126}\x{212a}\x{212b}\x{2329}\x{232a}\x{2adc}\x{f900}-\x{fb4e}"
    r"\x{1d15e}-\x{1d1c0}\x{2f800}-\x{2fa1d}"
)
_NOT_PLAIN = rf"[^\S\n ]|{_INVISIBLE}|[{_MAYBE_NOT_COMPOSED}]|  | \n|\n |\n\n\n"


def plain(texts: pl.Series, *, citations: bool = False) -> pl.Series:
    """The texts normalised, without boilerplate, and without marks of notes where `citations` says so.

    One look tells the texts that are so already, which most are; the work is done on the others.
    """
    texts = texts.str.strip_chars()
    odd = texts.str.contains(_NOT_PLAIN) | texts.str.contains(_BOILERPLATE_LINE)
    if citations:
        odd |= texts.str.contains(c4.CITATION)
    rows = odd.fill_null(value=False).arg_true()
    return texts.scatter(rows, _made_plain(texts.gather(rows), citations=citations)) if len(rows) else texts


def _made_plain(texts: pl.Series, *, citations: bool) -> pl.Series:
    made = without_boilerplate(normalised(pl.col("text")))
    if citations:
        made = normalised(made.str.replace_all(c4.CITATION, ""))
    return texts.to_frame("text").select(made)["text"]


def normalised(text: pl.Expr) -> pl.Expr:
    """Text in NFC with line feeds alone as line ends, single blanks, and at most one empty line in a row.

    Control characters, soft hyphens, byte-order marks and marks of writing direction are removed;
    white space at both ends is cut. Applying it twice changes nothing.
    """
    plain = (
        text.str.replace_all(_LINE_ENDS, "\n")
        .str.replace_all(_INVISIBLE, "")
        .map_batches(_composed, return_dtype=pl.String, is_elementwise=True)
        .str.replace_all(_BLANKS, " ")
        .str.replace_all(_BLANKS_AT_LINE_ENDS, "\n")
    )
    return plain.str.replace_all(_MANY_NEWLINES, "\n\n").str.strip_chars()


def _composed(texts: pl.Series) -> pl.Series:
    """The texts in NFC; asking whether they are costs a tenth of making them so, and nearly all are."""
    plain = texts.to_list()
    if all(text is None or unicodedata.is_normalized("NFC", text) for text in plain):
        return texts
    return pl.Series(texts.name, [text and unicodedata.normalize("NFC", text) for text in plain], dtype=pl.String)


def without_boilerplate(text: pl.Expr) -> pl.Expr:
    """Normalised text without lines that stand on every page: cookie notices, copyright, `Retrieved from`, `[edit]`."""
    kept = text.str.replace_all(_BOILERPLATE_LINE, "")
    return kept.str.replace_all(_MANY_NEWLINES, "\n\n").str.strip_chars()
