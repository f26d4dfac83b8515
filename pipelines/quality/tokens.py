"""Cut a run between blanks into words and marks of punctuation, after spaCy's rules for English (spacy/lang).

The published implementations of Gopher's, C4's and FineWeb's rules count such tokens, so the published thresholds
are thresholds of them: a comma is one, `don't` is two, `19th-century` is three, `3.14` and `U.S.` are one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.quality.arrays import Ints

_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_PUNCT = "….,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪" + _QUOTES
_CURRENCY = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿"
_SYMBOLS = "©®°¦←-⇿⌀-➿⠀-⣿⬀-⯿\U0001f000-\U0001faff�"
_CLASS = re.escape(_PUNCT).replace(r"\.", "") + _SYMBOLS
_UNITS = (
    "km|km²|m|m²|m³|dm|cm|cm²|mm|ha|µm|nm|yd|in|ft|kg|g|mg|µg|t|lb|oz|kmh|mph|hPa|Pa|mb|MB|kb|KB|gb|GB|tb|TB|T|G|M|K|%"
)

_PREFIX = re.compile(rf"\.\.+|[{_CLASS}{re.escape(_CURRENCY)}§%=—–.]|\+(?!\d)")
_LAST = re.compile(rf"(?:[{_CLASS}—–]|['’][sS]|(?<=\d)\+|(?<=\d)[{re.escape(_CURRENCY)}]|(?<=\d)(?:{_UNITS}))\Z")
_INFIX = re.compile(
    rf"\.\.+|…|[{_SYMBOLS}]|(?<=\d)[+\-*^](?=[\d\-])|(?<=[^\W\d_{re.escape(_QUOTES)}])[.](?=[^\W\d_])"
    r"|(?<=[^\W\d_]),(?=[^\W\d_])|(?<=[^\W_])(?:---?|——|[-–—~])(?=[^\W\d_])|(?<=[^\W_])[:<>=/](?=[^\W\d_])"
)
_KNOWN = (
    "Adm. Bros. Co. Corp. Dr. Gen. Gov. Inc. Jr. Ltd. Messrs. Mr. Mrs. Ms. Mt. Ph.D. Prof. Rep. Rev. Sen. St. "
    "Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec. Ala. Ariz. Ark. Calif. Colo. Conn. Del. Fla. Ga. "
    "Ill. Ind. Kan. Kans. Ky. La. Mass. Md. Mich. Minn. Miss. Mo. Mont. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. "
    "Nev. Okla. Ore. Pa. S.C. Tenn. Va. Wash. Wis. D.C. E.g. I.e. e.g. i.e. a.m. p.m. v.s. vs. v. and/or "
    ":) :-) ): (; ;) ;-) :( :-( :D :-D :P :-P :p :-p :/ :-/ :| :-| =) =( 8) 8-) <3 :o) (: (-: :)) :-)) >:( :'("
)
_SHORTENED = frozenset(_KNOWN.split())
_NOT = re.compile(
    r"(?i)(do|does|did|have|has|had|is|was|were|are|ai|ca|could|would|should|might|must|need|sha|wo)(n['’]t)\Z"
)
_SHORT_VERB = re.compile(
    r"(?i)(i|you|he|she|it|we|they|who|what|when|where|why|how|there|that|this|these|those|let)(['’](?:m|ll|d|ve|re|s))\Z"
)
_HOUR = re.compile(r"(1[0-2]|[1-9])(am|pm|a\.m\.?|p\.m\.?)\Z")
_URL = re.compile(
    r"(?:[\w+\-.]{2,}://)?(?:[^\s@]+@)?(?:(?:\d{1,3}\.){3}\d{1,3}|(?:[^\W_](?:[\w\-]{0,62}[^\W_])?\.)+(?P<domain>[^\W\d_]{2,63}))"
    r"(?::\d{2,5})?(?:[/?#]\S*)?\Z"
)
# Most of what is not letters alone, in one step: marks around a word, a compound or a number.
_SIMPLE = re.compile(
    r"""([("“‘«„\[]*)((?:[^\W\d_]{2,}(?:[-–][^\W\d_]{2,})*|\d+(?:[.,]\d+)*))((?:['’][sS])?)([,:;)\]"”»!?]*)(\.?)(["”»)\]]*)\Z"""
)
_HYPHEN = re.compile("([-–])")
_AFTER_WORD = ',.;:)?!"”]'
# The shapes that most runs have, told for a whole column at once: a pattern, and how many marks stand around it.
_WORD = r"^\p{L}+$|^\d+$|^\p{Cyrillic}+['’]\p{Cyrillic}+$"
_WORD_AND_MARK = r"^\p{L}+[,;:)?!\"”\]]$|^\p{L}+[\p{L}--\p{Lu}]\.$"
_SHAPES = (
    (r"^[(\[\"“«„]\p{L}{2,}$", 1, 0),
    (r"^\d+[,;:)?!\"”»\]]$|^\p{L}{2,}»$|^\d{2,}\.$", 0, 1),
    (r"^[(\[\"“«„]\p{L}{2,}[)\]\"”»,]$|^[(\[]\d+[)\],]$", 1, 1),
    (r"^\p{L}{2,}[)\]\"”»][,;:.]$|^\d+[)\]\"”»][,;:.]$", 0, 2),
    (r"^[(\[\"“«„]\p{L}{2,}[)\]\"”»][,;:.]$", 1, 2),
)
_OTHER = len(_SHAPES) + 2
_LONGEST_MARK = 8
_LONGEST = 1_000
"""Characters of a run that the rules are asked about; a longer one is data, and one token."""


def cut_all(chunks: pl.Series) -> tuple[pa.DictionaryArray, Ints]:
    """The tokens of every run as `cut` makes them, one after the other, and how many each run has."""
    shape = _shapes(chunks)
    sizes = np.array([1, 2, *(1 + before + after for _, before, after in _SHAPES), 1])[shape]
    rest = chunks.filter(shape == _OTHER)
    pieces = [cut(chunk) for chunk in rest]
    sizes[shape == _OTHER] = np.fromiter(map(len, pieces), np.int64, len(pieces))
    starts = np.cumsum(sizes) - sizes
    flat, places = [pl.Series([*chain.from_iterable(pieces)], dtype=pl.String)], [_spread(starts, sizes, shape)]
    for kind, (before, after) in enumerate(((0, 0), (0, 1), *(marks for _, *marks in _SHAPES))):
        parts, first = chunks.filter(shape == kind), starts[shape == kind]
        flat += [parts.str.slice(i, 1) for i in range(before)]
        body = parts.str.slice(before) if before else parts
        flat.append(body.str.head(-after) if after else body)
        flat += [parts.str.slice(i - after, 1) for i in range(after)]
        places += [first + i for i in range(before + 1 + after)]
    order = np.empty(int(sizes.sum()), dtype=np.int64)
    order[np.concatenate(places)] = np.arange(len(order))
    encoded = pl.concat(flat).to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
    return encoded.take(pl.Series(order).to_arrow()), sizes


def _shapes(chunks: pl.Series) -> Ints:
    """For every run which shape it has: a word, a word and a mark, one of `_SHAPES`, or none of them."""
    is_word = (chunks.str.contains(_WORD) & (chunks != "cannot")).to_numpy()
    is_marked = (chunks.str.contains(_WORD_AND_MARK) & ~chunks.is_in(_SHORTENED)).to_numpy()
    shape = np.where(is_word, 0, np.where(is_marked, 1, _OTHER))
    for kind, (pattern, *_) in enumerate(_SHAPES, start=2):
        left = np.flatnonzero(shape == _OTHER)
        shape[left[chunks.gather(left).str.contains(pattern).to_numpy()]] = kind
    return shape


def _spread(starts: Ints, sizes: Ints, shape: Ints) -> Ints:
    """Where the tokens of the runs of no known shape go."""
    first, counts = starts[shape == _OTHER], sizes[shape == _OTHER]
    return np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


@lru_cache(maxsize=1 << 16)
def cut(chunk: str) -> tuple[str, ...]:
    """The tokens of a run without blanks, in order; joined they are the run again."""
    if chunk.isalpha():
        return ("can", "not") if chunk == "cannot" else (chunk,)
    body = chunk[:-1]
    if body.isalpha() and chunk[-1] in _AFTER_WORD and (chunk[-1] != "." or _is_sentence_end(body)):
        return body, chunk[-1]
    if chunk.isdecimal() or len(chunk) > _LONGEST:
        return (chunk,)
    if simple := _SIMPLE.match(chunk):
        before, word, owned, after, dot, close = simple.groups()
        if not dot or after or owned or _is_sentence_end(word):
            marks = [owned] if owned else []
            return (*before, *_HYPHEN.split(word), *marks, *after, *dot, *close)
    return _affixes(chunk)


def _affixes(chunk: str) -> tuple[str, ...]:
    """What stands at both ends comes off mark by mark; what is left is cut inside."""
    before: list[str] = []
    after: list[str] = []
    while chunk and _special(chunk) is None:
        start, end = _PREFIX.match(chunk), _suffix(chunk)
        if start and start.end() < len(chunk) and _special(chunk[start.end() :]) is not None:
            end = 0
        if start:
            before.append(start[0])
            chunk = chunk[start.end() :]
        if end and end <= len(chunk):
            after.append(chunk[len(chunk) - end :])
            chunk = chunk[: len(chunk) - end]
        if not start and not end:
            break
    middle = (_special(chunk) or _inside(chunk)) if chunk else []
    return (*before, *middle, *reversed(after))


def _special(chunk: str) -> list[str] | None:
    """The tokens of a run that is known as a whole."""
    if chunk in _SHORTENED or (len(chunk) == 2 and chunk[1] == "." and chunk[0].isalpha() and chunk.isascii()):
        return [chunk]
    if chunk[0].isdecimal():
        found = _HOUR.match(chunk)
    else:
        found = (_NOT.match(chunk) or _SHORT_VERB.match(chunk)) if "'" in chunk or "’" in chunk else None
    return [found[1], found[2]] if found else None


def _suffix(chunk: str) -> int:
    """Length of the mark at the end, 0 for none."""
    dots = len(chunk) - len(chunk.rstrip("."))
    if dots:
        return dots if dots > 1 else int(_parts(chunk[:-1]))
    found = _LAST.search(chunk, max(0, len(chunk) - _LONGEST_MARK))
    return len(found[0]) if found else 0


def _parts(before: str) -> bool:
    """Whether a full stop parts from what stands before it: not from an initial, which it shortens."""
    last, two = before[-1:], before[-2:]
    if last.isalpha():
        return not last.isupper() or (len(two) > 1 and two.isalpha() and two.isupper())
    return last.isdecimal() or last in "%²-+" or last in _PUNCT


def _is_sentence_end(word: str) -> bool:
    return len(word) > 1 and _parts(word) and word + "." not in _SHORTENED


def _inside(chunk: str) -> list[str]:
    """The pieces between the marks inside a word, and those marks."""
    address = _URL.match(chunk) if "." in chunk else None
    if address and (address["domain"] is None or not any(map(str.isupper, address["domain"]))):
        return [chunk]
    pieces: list[str] = []
    start = 0
    for found in _INFIX.finditer(chunk):
        at, end = found.span()
        if found[0] == "." and (chunk[at - 1].isupper() or chunk[end].islower()):
            continue
        if at > start:
            pieces.append(chunk[start:at])
        pieces.append(found[0])
        start = end
    return [*pieces, chunk[start:]] if start < len(chunk) else pieces
