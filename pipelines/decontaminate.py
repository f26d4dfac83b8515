"""Documents that hold pieces of evaluation sets: n-grams of words in common.

With `min_share` 0 one n-gram is enough: GPT-3's 13-grams (Brown et al. 2020, appendix C). Above 0, that share of the
n-grams of one evaluation text must stand in the document: PaLM's 70 % of 8-grams (Chowdhery et al. 2022, section 8).
Words are in lower case and without punctuation. The words of the evaluation sets are numbered; a document's other words
are all alike, so an n-gram is a row of numbers, and looking it up is an array operation over many documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from data.catalogue import find
from data.errors import ConfigError, TextmillError
from data.hashing import fingerprint as fingerprint_of
from data.hashing import sha256_file
from data.segment import extract_words

VERSION = 1
REASON = "overlaps_evaluation_set"
_BATCH_CHARS = 4_000_000
_POWER = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 1 << 64))
_MIN_BITS, _MAX_BITS = 16, 26
_SPARSITY = 5
_SUFFIXES = (".txt", ".jsonl", ".json", ".ndjson", ".parquet")
_COMPRESSED = (".gz", ".zst", ".bz2")

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]


class EvaluationSetError(TextmillError):
    """An evaluation set cannot be read, or has nothing to compare with."""


@dataclass(frozen=True, kw_only=True)
class DecontaminationConfig:
    """`sets`: name to path or catalogue name. `columns` holds the texts (none named: every column of strings)."""

    sets: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    n: int = 13
    min_share: float = 0.0

    def __post_init__(self) -> None:
        if self.n < 2:
            raise ConfigError(f"decontamination.n must be 2 or more, not {self.n}")
        if not 0 <= self.min_share <= 1:
            raise ConfigError(f"decontamination.min_share must be from 0 to 1, not {self.min_share}")


def path_of(location: str) -> Path:
    """Path of an evaluation set: a file, or a source of the catalogue that is no download."""
    source = find(location)
    if source.is_remote:
        raise EvaluationSetError(f"{location} is a download; get it first and name the file")
    return source.path()


def fingerprint(config: DecontaminationConfig, *, locate: Callable[[str], Path] = path_of) -> str:
    """What decides which documents are rejected: options, names, and the SHA-256 of every set."""
    files = {name: sha256_file(locate(location)) for name, location in config.sets.items()}
    return fingerprint_of([VERSION, files, list(config.columns), config.n, config.min_share])


def read_set(path: Path, columns: Sequence[str] = ()) -> list[str]:
    """The texts of an evaluation set: lines of .txt, strings of .jsonl or .parquet, the first two also compressed."""
    suffix = next((part for part in reversed(path.suffixes) if part.lower() not in _COMPRESSED), "").lower()
    if suffix not in _SUFFIXES:
        raise EvaluationSetError(f"{path.name} must end in one of {', '.join(_SUFFIXES)}")
    try:
        if suffix == ".parquet":
            records: Iterator[Any] = pl.read_parquet(path).iter_rows(named=True)
            return [text for record in records for text in _strings(_chosen(record, columns, path))]
        lines = _lines(path)
        if suffix == ".txt":
            return lines
        return [text for line in lines for text in _strings(_chosen(_parsed(line, path), columns, path))]
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise EvaluationSetError(f"the evaluation set {path} cannot be read: {error}") from error


def _lines(path: Path) -> list[str]:
    import pyarrow as pa

    with pa.input_stream(str(path), compression="detect") as stream:
        text = bytes(stream.read()).decode("utf-8")
    return [line for line in text.split("\n") if line.strip()]


def _parsed(line: str, path: Path) -> Any:
    import json

    try:
        return json.loads(line)
    except ValueError as error:
        raise EvaluationSetError(f"the evaluation set {path} has a line that is no JSON: {error}") from error


def _chosen(record: Any, columns: Sequence[str], path: Path) -> Any:
    """The record, or only its named columns."""
    if not columns:
        return record
    found = [record[name] for name in columns if isinstance(record, dict) and name in record]
    if not found:
        raise EvaluationSetError(f"{path.name} has none of the columns {', '.join(columns)} (decontamination.columns)")
    return found


def _strings(value: Any) -> Iterator[str]:
    """Every string in a value of nested lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


@dataclass(frozen=True)
class Index:
    """The n-grams of all sets. `keys` uint64 [n-grams], sorted and distinct; the evaluation texts that hold key i are
    `owners[starts[i]:starts[i + 1]]`. `sizes` counts the distinct n-grams of each text, `set_of` names its set.
    `is_present` has a bit per leading bits of a key, so that most n-grams of a document need no search.
    """

    n: int
    min_share: float
    names: tuple[str, ...]
    vocabulary: pl.Enum
    keys: UInt64s
    starts: Int64s
    owners: Int64s
    sizes: Int64s
    set_of: Int64s
    is_present: Bools
    shift: np.uint64
    too_short: dict[str, int]

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self.keys, self.starts, self.owners, self.sizes, self.set_of, self.is_present)
        return sum(array.nbytes for array in arrays)


def index_of(config: DecontaminationConfig) -> Index:
    """The index of these sets, read once per process and state of their files."""
    sets = tuple(sorted(config.sets.items()))
    states = (path_of(location).stat() for _, location in sets)
    stamps = tuple((state.st_ino, state.st_size, state.st_mtime_ns) for state in states)
    return _index(sets, config.columns, config.n, config.min_share, stamps)


@lru_cache(maxsize=1)
def _index(
    sets: tuple[tuple[str, str], ...], columns: tuple[str, ...], n: int, min_share: float, _stamps: tuple[Any, ...]
) -> Index:
    return read_index(DecontaminationConfig(sets=dict(sets), columns=columns, n=n, min_share=min_share))


def read_index(config: DecontaminationConfig, *, locate: Callable[[str], Path] = path_of) -> Index:
    """The index of the sets that the config names. Raises EvaluationSetError for one without any n-gram."""
    texts = {name: read_set(locate(location), config.columns) for name, location in config.sets.items()}
    return build_index(texts, config=config)


def build_index(sets: Mapping[str, Sequence[str]], *, config: DecontaminationConfig) -> Index:
    """The index of named sets of texts. Texts of fewer than n words hold no n-gram; `too_short` counts them."""
    names = tuple(sorted(sets))
    texts = [text for name in names for text in sets[name]]
    set_of = np.repeat(np.arange(len(names)), [len(sets[name]) for name in names]).astype(np.int64)
    words = _words(texts)
    vocabulary = pl.Enum(words["word"].explode(empty_as_null=False).drop_nulls().unique().sort())
    owners, keys, _ = _ngrams(words, vocabulary, config.n)
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    is_new = np.append(True, (keys[1:] != keys[:-1]) | (owners[1:] != owners[:-1]))[: len(keys)]
    keys, owners = keys[is_new], owners[is_new]
    distinct, starts = np.unique(keys, return_index=True)
    sizes = np.bincount(owners, minlength=len(texts)).astype(np.int64)
    too_short = {name: int(((set_of == i) & (sizes == 0)).sum()) for i, name in enumerate(names)}
    for i, name in enumerate(names):
        if not sizes[set_of == i].any():
            raise EvaluationSetError(f"the evaluation set {name} has no text of {config.n} words (decontamination.n)")
    bits = min(_MAX_BITS, max(_MIN_BITS, len(distinct).bit_length() + _SPARSITY))
    shift = np.uint64(64 - bits)
    is_present = np.zeros(1 << bits, dtype=np.bool_)
    is_present[distinct >> shift] = True
    bounds = np.append(starts, len(keys)).astype(np.int64)
    return Index(
        config.n, config.min_share, names, vocabulary, distinct, bounds, owners, sizes, set_of, is_present,
        shift, too_short,
    )  # fmt: skip


def overlaps(texts: Sequence[str], index: Index) -> list[str | None]:
    """`name: n-gram` of the first evaluation set that a text overlaps with, None where it overlaps with none."""
    details: list[str | None] = []
    for batch in _batches(texts):
        details += _overlaps(batch, index)
    return details


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in batches of bounded size."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and size + len(text) > _BATCH_CHARS:
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def _overlaps(texts: list[str], index: Index) -> list[str | None]:
    details: list[str | None] = [None] * len(texts)
    words = _words(texts)
    rows, keys, firsts = _ngrams(words, index.vocabulary, index.n)
    maybe = np.flatnonzero(index.is_present[keys >> index.shift])
    places = np.searchsorted(index.keys, keys[maybe])
    places[places == len(index.keys)] = 0
    real = index.keys[places] == keys[maybe]
    for row, place, owner in _judged(rows[maybe[real]], places[real], firsts[maybe[real]], index):
        ngram = words["word"][row][place : place + index.n]
        details[row] = f"{index.names[index.set_of[owner]]}: {' '.join(ngram)}"
    return details


def _judged(rows: Int64s, places: Int64s, firsts: Int64s, index: Index) -> Iterator[tuple[int, int, int]]:
    """Row, first word of the n-gram in it, and evaluation text, of every document that holds enough of one.

    `rows`, `places` (in the keys) and `firsts` are those of the n-grams that were found, in the order of the documents.
    """
    counts = index.starts[places + 1] - index.starts[places]
    offsets = np.repeat(index.starts[places] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    frame = pl.DataFrame(
        {
            "row": np.repeat(rows, counts),
            "place": np.repeat(places, counts),
            "first": np.repeat(firsts, counts),
            "owner": index.owners[offsets],
        }
    ).with_columns(size=pl.Series(index.sizes[index.owners[offsets]]))
    shares = frame.group_by("row", "owner").agg(
        pl.col("first").min(), share=pl.col("place").n_unique() / pl.col("size").first()
    )
    enough = shares.filter(pl.col("share") >= index.min_share).sort("row", "first", "owner")
    yield from enough.unique("row", keep="first", maintain_order=True).select("row", "first", "owner").iter_rows()


def _words(texts: Sequence[str]) -> pl.DataFrame:
    """Column `word`: the normalised words of each text, as a list."""
    return pl.DataFrame({"word": pl.Series(texts, dtype=pl.String)}).select(
        extract_words(pl.col("word").str.to_lowercase())
    )


def _ngrams(words: pl.DataFrame, vocabulary: pl.Enum, n: int) -> tuple[Int64s, UInt64s, Int64s]:
    """Text, key and first word of the n-grams that consist of words of the vocabulary, in order."""
    lengths = words["word"].list.len().to_numpy().astype(np.int64)
    flat = words["word"].explode(empty_as_null=False).cast(vocabulary, strict=False).to_physical()
    codes = flat.cast(pl.UInt64).fill_null(np.iinfo(np.uint64).max).to_numpy()
    text_of = np.repeat(np.arange(len(lengths)), lengths)
    first_of = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    if len(codes) < n:
        none = np.empty(0, dtype=np.int64)
        return none, none.astype(np.uint64), none
    unknown = np.concatenate(([0], np.cumsum(codes == np.iinfo(np.uint64).max)))
    heads = np.flatnonzero((text_of[: len(codes) - n + 1] == text_of[n - 1 :]) & (unknown[n:] == unknown[:-n]))
    return text_of[heads], _keys(codes, heads, n), first_of[heads]


def _keys(codes: UInt64s, heads: Int64s, n: int) -> UInt64s:
    """Hashes of the runs of `n` codes that begin at the heads: sum of code times power modulo 2^64, then mixed.

    Each sum is a difference of two running sums, brought back to the power 0 by the inverse of an odd factor.
    """
    powers = np.cumprod(np.append(np.uint64(1), np.full(len(codes) - 1, _POWER)), dtype=np.uint64)
    inverses = np.cumprod(np.append(np.uint64(1), np.full(len(codes) - 1, _INVERSE)), dtype=np.uint64)
    sums = np.append(np.uint64(0), np.cumsum((codes + np.uint64(1)) * powers, dtype=np.uint64))
    keys = (sums[heads + n] - sums[heads]) * inverses[heads]
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):  # the finaliser of MurmurHash3
        keys = (keys ^ (keys >> np.uint64(33))) * np.uint64(factor)
    return keys ^ (keys >> np.uint64(33))
