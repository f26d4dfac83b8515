"""What every rule counts, made once for a batch of texts: lines, tokens, and numbers in place of strings.

A token is a word or a mark of punctuation, near to what spaCy's rules for English cut, so that published
thresholds mean here what they mean in the reference implementations. Arrays over documents are float64
[documents]; arrays over tokens run through the batch in reading order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines import stop_words
from pipelines.quality import grams
from pipelines.quality.arrays import Flags, Floats, Ints, ints, ratio
from pipelines.quality.tokens import cut_all

BLOCK_BYTES = 1_000_000
"""UTF-8 bytes of a batch at the most, unless one text is longer: the arrays take about 50 bytes for each."""

_LONGEST_RUN = 10
_TABLE = 1 << 22
"""Bytes of a table that stays in the cache; larger ones are slower than hashing."""
# What `normalise` leaves out of a line: two blanks in a row, any other than U+0020, and any at its ends.
_ODD_BLANKS = r"[^\S ]|  |^ | $"
_END = r"^[!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᠃᠉‼‽⁇⁈⁉⸮⸼﹒﹖﹗！．？｡。]$"
_MARK = r"^[\p{P}\p{S}\p{C}]+$"


@dataclass(frozen=True)
class Repeats:
    """Of each document: how many items it has, how many of them stood before in it, and the characters of those."""

    items: Floats
    repeated: Floats
    chars: Floats


class Batch:
    """Texts and their languages, and whatever the active rules ask of them, each computed at its first use."""

    def __init__(self, texts: pl.Series, langs: pl.Series) -> None:
        self.texts = texts.cast(pl.String)
        self.langs = langs.cast(pl.String)

    def __len__(self) -> int:
        return self.texts.len()

    @cached_property
    def n_chars(self) -> Floats:
        """Code points of each text."""
        return self.texts.str.len_chars().cast(pl.Float64).to_numpy()

    @cached_property
    def _split(self) -> tuple[pl.Series, Ints]:
        rows = pl.DataFrame({"line": self.texts.str.split("\n")}).with_row_index("doc").explode("line")
        full = rows.filter(pl.col("line").str.contains(r"\S"))
        return full["line"], full["doc"].cast(pl.Int64).to_numpy()

    @property
    def lines(self) -> pl.Series:
        """Every line that is not blank."""
        return self._split[0]

    @property
    def line_doc(self) -> Ints:
        """Document of each line."""
        return self._split[1]

    @cached_property
    def n_lines(self) -> Floats:
        """Lines of each text that are not blank."""
        return self.count(self.line_doc)

    @cached_property
    def _chunks(self) -> tuple[pa.DictionaryArray, Ints]:
        """Runs between blanks as indices of distinct ones, and how many each line has."""
        lines = self.lines
        if lines.str.contains(_ODD_BLANKS).any():
            lines = lines.str.replace_all(r"\s+", " ").str.strip_chars(" ")
        lists = lines.str.split(" ")
        chunks = lists.explode(empty_as_null=False).to_arrow(compat_level=pl.CompatLevel.oldest())
        return chunks.dictionary_encode(), lists.list.len().cast(pl.Int64).to_numpy()

    @property
    def chunks_in_line(self) -> Ints:
        """Words of each line, cut at blanks alone."""
        return self._chunks[1]

    @cached_property
    def chunk_line(self) -> Ints:
        """Line of each chunk."""
        return np.repeat(np.arange(len(self.lines)), self.chunks_in_line)

    @cached_property
    def chunk_chars(self) -> Ints:
        """Length of each chunk."""
        encoded = self._chunks[0]
        lengths = ints(pc.utf8_length(encoded.dictionary))
        every: Ints = lengths[ints(encoded.indices)]
        return every

    @cached_property
    def _tokens(self) -> tuple[pl.Series, Ints, Ints]:
        """Distinct tokens, the index of each token among them, and how many tokens each line has."""
        encoded, in_line = self._chunks
        flat, sizes = cut_all(pl.Series(encoded.dictionary, dtype=pl.String))
        starts = np.cumsum(sizes) - sizes
        chunks = ints(encoded.indices)
        counts = sizes[chunks]
        ends = np.cumsum(counts)
        within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
        ids = ints(flat.indices)[np.repeat(starts[chunks], counts) + within]
        in_line_ends = np.cumsum(in_line)
        total = np.concatenate(([0], ends))
        return pl.Series(flat.dictionary, dtype=pl.String), ids, total[in_line_ends] - total[in_line_ends - in_line]

    @property
    def vocabulary(self) -> pl.Series:
        """The distinct tokens."""
        return self._tokens[0]

    @cached_property
    def lower(self) -> pl.Series:
        """The distinct tokens in small letters."""
        return self.vocabulary.str.to_lowercase()

    @property
    def tokens(self) -> Ints:
        """Index of each token in `vocabulary`."""
        return self._tokens[1]

    @cached_property
    def token_line(self) -> Ints:
        """Line of each token."""
        return np.repeat(np.arange(len(self.lines)), self._tokens[2])

    @cached_property
    def token_doc(self) -> Ints:
        """Document of each token."""
        return np.repeat(self.line_doc, self._tokens[2])

    @cached_property
    def n_tokens(self) -> Floats:
        """Tokens of each text, marks of punctuation included."""
        return self.count(self.line_doc, self._tokens[2].astype(np.float64))

    @cached_property
    def token_chars(self) -> Ints:
        """Length of each token."""
        return self.vocabulary.str.len_chars().cast(pl.Int64).to_numpy()[self.tokens]

    @cached_property
    def is_word(self) -> Flags:
        """Whether each token is more than punctuation."""
        return self.flagged(_MARK, whole=False)

    @cached_property
    def word_chars(self) -> Floats:
        """Characters of the words of each text."""
        words = self.vocabulary.str.len_chars() * ~self.vocabulary.str.contains(_MARK)
        return self.count(self.token_doc, words.cast(pl.Float64).to_numpy()[self.tokens])

    @cached_property
    def n_words(self) -> Floats:
        """Tokens of each text that are more than punctuation."""
        return self.count(self.token_doc[self.is_word])

    def flagged(self, pattern: str, *, whole: bool = True) -> Flags:
        """Whether each token matches the pattern; `whole=False`: does not."""
        found = self.vocabulary.str.contains(pattern).to_numpy()
        return (found if whole else ~found)[self.tokens]

    @cached_property
    def is_end(self) -> Flags:
        """Whether each token is a mark that ends a sentence."""
        return self.flagged(_END)

    @cached_property
    def stop_word_bits(self) -> npt.NDArray[np.uint64]:
        """For each token the bit of the function word that it is in its document's language, 0 for any other."""
        langs = self.langs.to_list()
        known = sorted(set(langs) & set(stop_words.languages()))
        table = np.zeros((len(known) + 1, len(self.vocabulary)), dtype=np.uint64)
        for row, lang in enumerate(known, start=1):
            bits = {word: 1 << (place % 64) for place, word in enumerate(stop_words.words(lang))}
            table[row] = self.lower.replace_strict(bits, default=0, return_dtype=pl.UInt64).to_numpy()
        rows = np.array([known.index(lang) + 1 if lang in known else 0 for lang in langs], dtype=np.int64)
        return table[rows[self.token_doc], self.tokens]

    def runs(self, n: int) -> grams.Runs:
        """Runs of n tokens that repeat in their document, n from 2 to 10; longer ones are made of shorter ones."""
        while len(self._runs) < n - 1:
            self._runs.append(next(self._longer))
        return self._runs[n - 2]

    @cached_property
    def _runs(self) -> list[grams.Runs]:
        return []

    @cached_property
    def _longer(self) -> Iterator[grams.Runs]:
        return grams.repeated(self.tokens, self.token_doc, _LONGEST_RUN)

    @cached_property
    def repeated_lines(self) -> Repeats:
        """Lines that stood before in their document."""
        return _repeats(self.lines, self.line_doc, len(self))

    @cached_property
    def repeated_paragraphs(self) -> Repeats:
        """Paragraphs that stood before in their document; a blank line ends a paragraph."""
        # Three line feeds in a row are rare: the pattern runs where they are.
        plain = self.texts.str.strip_chars()
        many = plain.str.contains("\n\n\n", literal=True)
        if many.any():
            plain = plain.zip_with(~many, plain.str.replace_all(r"\n{3,}", "\n\n"))
        rows = pl.DataFrame({"paragraph": plain.str.split("\n\n")}).with_row_index("doc").explode("paragraph")
        return _repeats(rows["paragraph"], rows["doc"].cast(pl.Int64).to_numpy(), len(self))

    def count(self, docs: Ints, weights: Floats | None = None) -> Floats:
        """Number, or sum of weights, of the items of each document; `docs` holds the document of each item."""
        return np.bincount(docs, weights=weights, minlength=len(self)).astype(np.float64)

    def distinct(self, docs: Ints, ids: Ints, width: int) -> Floats:
        """Number of different ids, from 0 to `width` - 1, of each document."""
        keys = docs * np.int64(width) + ids
        if len(self) * width > _TABLE:
            return self.count(docs[pl.Series(keys).is_first_distinct().to_numpy()])
        seen = np.zeros((len(self), width), dtype=np.bool_)
        seen.reshape(-1)[keys] = True
        found: Floats = seen.sum(axis=1).astype(np.float64)
        return found

    def share(self, docs: Ints, flags: Flags, whole: Floats) -> Floats:
        """Flagged items of each document as a share of `whole`."""
        return ratio(self.count(docs[flags]), whole)


def _repeats(items: pl.Series, docs: Ints, n_docs: int) -> Repeats:
    keys = pl.DataFrame({"doc": docs, "item": items})
    again = ~keys.select(pl.struct("doc", pl.col("item").hash()).is_first_distinct()).to_series().to_numpy()
    chars = items.filter(pl.Series(again, dtype=pl.Boolean)).str.len_chars().cast(pl.Float64).to_numpy()
    grown = (
        np.bincount(docs, minlength=n_docs),
        np.bincount(docs[again], minlength=n_docs),
        np.bincount(docs[again], weights=chars, minlength=n_docs),
    )
    return Repeats(*(figures.astype(np.float64) for figures in grown))


def blocks(frame: pl.DataFrame, size: int = BLOCK_BYTES) -> Iterator[pl.DataFrame]:
    """The frame in runs of rows whose `text` has at most `size` bytes together; one row at the least."""
    start = total = 0
    for row, length in enumerate(frame["text"].str.len_bytes()):
        if row > start and total + length > size:
            yield frame[start:row]
            start, total = row, 0
        total += length
    if start < frame.height or not frame.height:
        yield frame[start:]
