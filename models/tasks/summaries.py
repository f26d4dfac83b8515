"""Extractive summaries: the few sentences of a document that stand for it, in the order of the text.

A sentence is salient when it resembles many others (centrality), the document as a whole and its title,
and stands where authors say what matters; a sentence that repeats a chosen one is passed over
(see `models.tasks.salience` for the papers). Resemblance mixes shared words and trained word vectors.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data import segment
from data.errors import ConfigError
from data.progress import Progress, ignore
from models.embeddings.vectors import Floats, WordVectors, tokens, unit_rows, without
from models.tasks import salience

VERSION = 1
CONFIG = "summary.json"
SCHEMA = {"summary": pl.String, "n_sentences": pl.Int32, "compression": pl.Float32, "score": pl.Float32}
_TERMINAL = tuple(".!?…。！？।॥؟۔።᙮")
_CLOSING = "\"'”’»)]}』」）"

Section = Mapping[str, Any]


class SummaryConfigError(ConfigError):
    """A field of `SummaryConfig` cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True)
class SummaryConfig:
    """Options of the summariser.

    The summary has at most `max_sentences` sentences and, if given, `max_chars` characters. Candidates
    have `min_words` to `max_words` words. Of a long document the first `max_read` candidates
    are read, and the `max_ranked` of them nearest to the document's centre are compared pairwise: that
    bounds time and memory. The `*_weight` fields weigh the parts of salience; `vector_share`
    is the share of word vectors, as against shared words, in the similarity of sentences.
    """

    max_sentences: int = 3
    max_chars: int | None = None
    min_words: int = 6
    max_words: int = 60
    max_read: int = 2000
    max_ranked: int = 400
    vector_share: float = 0.5
    link_threshold: float = 0.1
    damping: float = 0.85
    centrality_weight: float = 1.0
    centroid_weight: float = 1.0
    title_weight: float = 1.0
    position_weight: float = 0.5
    section_weight: float = 0.1
    length_weight: float = 0.75
    novelty: float = 0.5

    def __post_init__(self) -> None:
        """Refuse values that give no summary."""
        for name in ("max_sentences", "min_words", "max_read", "max_ranked"):
            if (value := getattr(self, name)) < 1:
                raise SummaryConfigError(f"{name} is {value}; it must be at least 1")
        if self.max_words < self.min_words:
            raise SummaryConfigError(f"max_words is {self.max_words}; it must be at least min_words ({self.min_words})")
        for name in ("vector_share", "damping"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise SummaryConfigError(f"{name} is {value}; it must lie between 0 and 1")
        for name in [field.name for field in dataclasses.fields(self) if field.name.endswith("_weight")]:
            if (value := getattr(self, name)) < 0:
                raise SummaryConfigError(f"{name} is {value}; it must be at least 0")


@dataclass(frozen=True)
class Sentences:
    """The candidate sentences of a document: where they stand, their words, and whether they begin a section."""

    spans: list[tuple[int, int]]
    words: list[list[str]]
    begins: list[bool]

    def take(self, rows: Sequence[int]) -> Sentences:
        """Only these, in this order."""
        return Sentences(*([column[i] for i in rows] for column in (self.spans, self.words, self.begins)))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Summariser:
    """Summarises documents with trained word vectors."""

    config: SummaryConfig
    vectors: WordVectors

    def summarise(
        self,
        titles: Sequence[str | None],
        texts: Sequence[str],
        sections: Sequence[Sequence[Section] | None],
        *,
        progress: Progress = ignore,
    ) -> pl.DataFrame:
        """One row per document, in order: summary, n_sentences, compression, score as in the contract `summaries`.

        `sections` holds {level, title, start, end} with offsets in code points, or None. Every
        document gets a summary; one without any sentence is its own.
        """
        rows = []
        for title, text, parts in zip(titles, texts, sections, strict=True):
            rows.append(self._row(title or "", text, parts or ()))
            progress(len(rows), len(texts))
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def _row(self, title: str, text: str, sections: Sequence[Section]) -> tuple[str, int, float, float]:
        chosen, score = self.choose(title, text, sections)
        summary = " ".join(" ".join(text[start:end].split()) for start, end in chosen)
        return summary, len(chosen), min(1.0, len(summary) / max(1, len(text))), score

    def pool(self, text: str, sections: Sequence[Section]) -> list[str]:
        """The sentences that it chooses from, in order: what a fair baseline draws from too."""
        return [text[start:end] for start, end in candidates(text, sections, config=self.config).spans]

    def choose(self, title: str, text: str, sections: Sequence[Section]) -> tuple[list[tuple[int, int]], float]:
        """Spans of the summary's sentences in the order of the text, and their mean salience (0 to 1)."""
        sentences = candidates(text, sections, config=self.config)
        if not sentences.spans:
            return [(0, len(text))], 0.0
        sentences, central, titled, vectors = self._nearest(sentences, tokens(title))
        words = salience.lexical_rows(sentences.words)
        share = self.config.vector_share
        similarity = share * (vectors @ vectors.T) + (1 - share) * (words @ words.T)
        value = self._salience(sentences, similarity, central, titled)
        lengths = np.array([end - start for start, end in sentences.spans], dtype=np.int64)
        picked = salience.choose(
            value,
            similarity,
            lengths,
            k=self.config.max_sentences,
            novelty=self.config.novelty,
            budget=self.config.max_chars,
        )
        return [sentences.spans[i] for i in sorted(picked)], float(np.clip(value[picked].mean(), 0.0, 1.0))

    def _nearest(self, sentences: Sentences, title: list[str]) -> tuple[Sentences, Floats, Floats, Floats]:
        """The `max_ranked` candidates nearest to the centre, their cosines to centre and title, and their vectors."""
        sums = self.vectors.sums([*sentences.words, title])
        rows = unit_rows(without(sums, self.vectors.common))
        vectors, titled = rows[:-1], rows[:-1] @ rows[-1]
        central = vectors @ unit_rows(vectors.mean(axis=0, keepdims=True))[0]
        if len(vectors) <= self.config.max_ranked:
            return sentences, central, titled, vectors
        best = np.sort(np.argsort(-central, kind="stable")[: self.config.max_ranked])
        return sentences.take(best.tolist()), central[best], titled[best], vectors[best]

    def _salience(self, sentences: Sentences, similarity: Floats, central: Floats, titled: Floats) -> Floats:
        """Weighted mean of the parts of salience, each 0 to 1, float32 [sentences]."""
        config = self.config
        lengths = np.array([len(words) for words in sentences.words])
        walk = salience.centrality(similarity, damping=config.damping, threshold=config.link_threshold)
        parts = (
            (config.centrality_weight, walk),
            (config.centroid_weight, salience.scaled(central)),
            (config.title_weight, salience.scaled(titled)),
            (config.position_weight, 1.0 / np.sqrt(1.0 + np.arange(len(lengths)))),
            (config.section_weight, np.array(sentences.begins, dtype=np.float32)),
            (config.length_weight, np.minimum(1.0, lengths / 25)),
        )
        weights = np.array([weight for weight, _ in parts], dtype=np.float32)
        values = np.stack([part for _, part in parts]).astype(np.float32)  # [parts, sentences]
        return np.asarray(weights @ values / max(float(weights.sum()), 1e-9), dtype=np.float32)

    def save(self, directory: Path) -> None:
        """Write the options and the vectors into an existing directory; nothing else is needed to load it."""
        (directory / CONFIG).write_text(json.dumps(dataclasses.asdict(self.config), indent=2) + "\n", "utf-8")
        self.vectors.save(directory)

    @classmethod
    def load(cls, directory: Path) -> Summariser:
        """Read what `save` wrote."""
        config = SummaryConfig(**json.loads((directory / CONFIG).read_text("utf-8")))
        return cls(config=config, vectors=WordVectors.load(directory))


def candidates(text: str, sections: Sequence[Section], *, config: SummaryConfig) -> Sentences:
    """Sentences that may stand in a summary, at most `max_read` of them.

    Whole sentences of a fit length come first; a document that has none offers its fragments, and
    one that has no fragments either its headings.
    """
    headings = {str(section["title"]).strip() for section in sections}
    whole, fragments, rest = Sentences([], [], []), Sentences([], [], []), Sentences([], [], [])
    starts = iter(sorted(int(section["start"]) for section in sections))
    section_start, begins = next(starts, None), True
    for start, end in segment.sentence_spans(text):
        while section_start is not None and section_start <= start:
            section_start, begins = next(starts, None), True
        sentence = text[start:end].strip()
        if not (words := tokens(sentence)):
            continue
        is_whole = sentence.rstrip(_CLOSING).endswith(_TERMINAL) and config.min_words <= len(words) <= config.max_words
        pool = rest if sentence in headings else whole if is_whole else fragments
        pool.spans.append((start, end))
        pool.words.append(words)
        pool.begins.append(begins)
        begins = begins and not is_whole
        if len(whole.spans) == config.max_read:
            break
    return next((pool for pool in (whole, fragments, rest) if pool.spans), rest)
