"""Bag of words with TF-IDF weights, as sparse rows.

Salton and Buckley 1988, "Term-weighting approaches in automatic text retrieval". A text that holds a term tf times
has there the weight

    tf · idf,   idf = ln((1 + n) / (1 + df)) + 1

for a term of df among n documents: as if one more document held every term once, so that no idf is infinite or 0.
`sublinear` puts 1 + ln(tf) for tf; rows are scaled to length 1 then. With `buckets` there is no vocabulary: a term
goes to a bucket by its hash, with a sign by another bit of it, so that terms that meet cancel on average (Weinberger
et al. 2009, arXiv 0902.2206). The hash is `models.features.of_strings`, the same in every process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_array

from data.errors import ConfigError, TextmillError
from data.progress import Progress, ignore
from models.embeddings.counting import LIMIT, Counts
from models.embeddings.lines import pieces, words
from models.features import of_strings

VERSION = 1

WEIGHTS = "weights.safetensors"
VOCABULARY = "vocabulary.json"
CONFIG = "config.json"

_SIGN = np.uint64(1 << 63)


class BowConfigError(ConfigError):
    """A field of `BowConfig` cannot be used; the message names it."""


class NoTermsError(TextmillError, ValueError):
    """The texts leave no term to count."""


@dataclass(frozen=True, kw_only=True)
class BowConfig:
    """Options of counting and weighting.

    Terms of fewer than `min_df` documents, or of more than the share `max_df` of them, are left out; of the others
    the `max_terms` of most documents stay, all where it is 0. `buckets` above 0 hashes instead: these three choose
    nothing then. `idf` False leaves plain counts (or 1 + ln of them), `normalise` False their lengths. `max_words` is
    how many distinct words are counted before the rarest are dropped.
    """

    min_df: int = 1
    max_df: float = 1.0
    max_terms: int = 0
    buckets: int = 0
    sublinear: bool = False
    idf: bool = True
    normalise: bool = True
    max_words: int = LIMIT

    def __post_init__(self) -> None:
        """Refuse values that nothing can be counted with."""
        for name, least in (("min_df", 1), ("max_words", 1), ("max_terms", 0), ("buckets", 0)):
            if (value := getattr(self, name)) < least:
                raise BowConfigError(f"{name} is {value}; it must be at least {least}")
        if not 0 < self.max_df <= 1:
            raise BowConfigError(f"max_df is {self.max_df}; it is a share of documents, above 0 and at most 1")


@dataclass(frozen=True)
class BagOfWords:
    """What was learnt of a collection: its terms in the order of their code points, and how many documents hold each.

    `frequencies` is int64 [terms], or [buckets] where terms are hashed and `terms` is empty; `documents` is n.
    """

    config: BowConfig
    terms: tuple[str, ...]
    frequencies: npt.NDArray[np.int64]
    documents: int

    @property
    def idf(self) -> npt.NDArray[np.float64]:
        """Weight of each term, float64 [terms]; ones where the option is off."""
        if not self.config.idf:
            return np.ones(len(self.frequencies))
        return np.asarray(np.log((1 + self.documents) / (1 + self.frequencies)) + 1)

    @cached_property
    def _known(self) -> pl.Enum:
        return pl.Enum(self.terms)

    def transform(self, texts: pl.Series) -> csr_array:
        """Weights float64 [texts, terms], columns rising in each row; zeros where no term is known (or a null)."""
        rows, columns, counts = self._counted(texts)
        weights = np.sign(counts) * (1 + np.log(np.abs(counts))) if self.config.sublinear else counts
        weights = weights * self.idf[columns]
        if self.config.normalise:
            lengths = np.sqrt(np.bincount(rows, weights**2, minlength=len(texts)))
            weights /= lengths[rows]
        starts = np.searchsorted(rows, np.arange(len(texts) + 1))
        return csr_array((weights, columns, starts), shape=(len(texts), len(self.frequencies)))

    def heaviest(self, text: str, *, k: int = 10) -> list[tuple[str, float]]:
        """The k terms of a text with the most weight; raises NoTermsError where terms are hashed."""
        if not self.terms:
            raise NoTermsError("buckets have no words; train with buckets 0 to see the terms of a text")
        row = self.transform(pl.Series([text]))
        best = np.argsort(-row.data, kind="stable")[:k]
        return [(self.terms[row.indices[i]], float(row.data[i])) for i in best]

    def nearest(self, text: str, among: csr_array, *, k: int = 10) -> list[tuple[int, float]]:
        """The k rows of a matrix that `transform` made whose product with a text is largest: its cosine by default."""
        row = self.transform(pl.Series([text]))
        products = (among @ row.T).toarray()[:, 0]
        best = np.argsort(-products, kind="stable")[:k]
        return [(int(i), float(products[i])) for i in best]

    def save(self, directory: Path) -> None:
        """Write `weights.safetensors`, `vocabulary.json` and `config.json` into an existing directory."""
        save_file({"frequencies": np.ascontiguousarray(self.frequencies)}, directory / WEIGHTS)
        (directory / VOCABULARY).write_text(json.dumps(self.terms, ensure_ascii=False, indent=0) + "\n", "utf-8")
        options = {"documents": self.documents, **asdict(self.config)}
        (directory / CONFIG).write_text(json.dumps(options, indent=2) + "\n", "utf-8")

    @classmethod
    def load(cls, directory: Path) -> BagOfWords:
        """Read what `save` wrote."""
        options = json.loads((directory / CONFIG).read_text("utf-8"))
        documents = options.pop("documents")
        terms = tuple(json.loads((directory / VOCABULARY).read_text("utf-8")))
        return cls(BowConfig(**options), terms, load_file(directory / WEIGHTS)["frequencies"], documents)

    def _counted(self, texts: pl.Series) -> tuple[npt.NDArray[np.int64], ...]:
        """Row, column and signed count of each entry, sorted by row and column; entries of 0 are left out."""
        counted = _counts(texts)
        if self.config.buckets:
            counted = _in_buckets(counted, self.config.buckets)
        else:
            columns = counted["word"].cast(self._known, strict=False).to_physical().cast(pl.Int64)
            counted = counted.with_columns(column=columns).drop_nulls("column")
        counted = counted.filter(pl.col("count") != 0).sort("row", "column")
        return tuple(counted[name].cast(pl.Int64).to_numpy() for name in ("row", "column", "count"))


def fit(
    batches: Iterable[pl.Series],
    config: BowConfig | None = None,
    *,
    seed: int = 0,  # noqa: ARG001 - nothing here is drawn; the families are called alike
    folder: Path | None = None,  # noqa: ARG001 - no scratch files are needed
    progress: Progress = ignore,
) -> BagOfWords:
    """Count the documents of each term in batches of texts, which are read once.

    In memory are one batch and the distinct words (at most 2 `max_words`, about 50 bytes each), or the buckets.
    Progress counts texts, of which the total is not known (0). Raises NoTermsError where no term is left.
    """
    config = config or BowConfig()
    counts, buckets = Counts({"word": pl.String}, limit=config.max_words), np.zeros(config.buckets, dtype=np.int64)
    documents = 0
    for texts in _read(batches):
        found = _counts(texts)
        if config.buckets:
            held = _in_buckets(found, config.buckets)["column"].to_numpy()
            buckets += np.bincount(held, minlength=config.buckets)
        else:
            counts.add(found["word"].value_counts(name="count"))
        documents += len(texts)
        progress(documents, 0)
    if config.buckets:
        if not buckets.any():
            raise NoTermsError(f"there is no word in {documents} texts; give texts with words")
        return BagOfWords(config, (), buckets, documents)
    frequencies = _chosen(counts.total(), documents, config)
    return BagOfWords(config, tuple(frequencies["word"]), frequencies["count"].to_numpy(), documents)


def _read(batches: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """Texts in pieces; a null is a text without words."""
    return pieces(batch.fill_null("") for batch in batches)


def _counts(texts: pl.Series) -> pl.DataFrame:
    """How often each word stands in each text: `row`, `word`, `count`."""
    found = texts.cast(pl.String).alias("text").to_frame().select(word=words(pl.col("text"))).with_row_index("row")
    return found.explode("word").drop_nulls("word").group_by("row", "word").agg(pl.len().cast(pl.Int64).alias("count"))


def _in_buckets(counted: pl.DataFrame, buckets: int) -> pl.DataFrame:
    """Signed counts summed by row and bucket: `row`, `column`, `count`."""
    distinct = counted.select(pl.col("word").unique())
    hashes = of_strings(distinct["word"])
    table = distinct.with_columns(
        column=pl.Series((hashes % np.uint64(buckets)).astype(np.int64)),
        sign=pl.Series(np.where(hashes & _SIGN, -1, 1)),
    )
    signed = counted.join(table, on="word").with_columns(pl.col("count") * pl.col("sign"))
    return signed.group_by("row", "column").agg(pl.col("count").sum())


def _chosen(frequencies: pl.DataFrame, documents: int, config: BowConfig) -> pl.DataFrame:
    """The terms that are kept, in the order of their code points."""
    kept = frequencies.filter(pl.col("count").is_between(config.min_df, config.max_df * documents))
    if kept.is_empty():
        raise NoTermsError(
            f"none of {frequencies.height} words stands in at least {config.min_df} and at most "
            f"{config.max_df:.0%} of {documents} texts; give more texts, lower min_df or raise max_df"
        )
    return kept.head(config.max_terms or kept.height).sort("word")
