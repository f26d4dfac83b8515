"""The rows that a training reads from a published release: what the family needs, without what was forgotten since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from data import tables
from data.errors import TextmillError
from data.forgotten import forgotten
from data.history import manifest_of, only_pipeline
from data.lake import Lake
from data.redaction import taken_out
from data.splits import split_of
from flows.training.rows import of_split

OUT = "forgotten"
"""The name, in a lineage, of the ids that the version held and the training did not read."""
_DOCUMENTS = frozenset({"corpus", "tokens"})
"""Datasets of which the hash of the doc_id decides the split."""
_DATASETS: dict[tuple[str, ...], str] = {("text", "label"): "labelled_text", ("text", "spans"): "labelled_spans"}


@dataclass(frozen=True)
class Published:
    """Rows of a release: documents, their first paragraphs and titles, or labelled texts or sentences."""

    lake: Lake
    pipeline: str
    needs: tuple[str, ...]
    _out: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, lake: Lake, pipeline: str | None, needs: tuple[str, ...]) -> Published:
        """The release of a pipeline, by default of the only one. Raises TextmillError where there is none."""
        return cls(lake, only_pipeline(lake, pipeline), needs)

    @property
    def name(self) -> str:
        """The name of the pipeline."""
        return self.pipeline

    @property
    def dataset(self) -> str:
        """The dataset that has what is needed."""
        return _DATASETS.get(self.needs, "corpus")

    @property
    def lineage(self) -> dict[str, Any]:
        """The version of the dataset, and what is left out of it."""
        return self.lineage_of(self.dataset)

    def lineage_of(self, dataset: str) -> dict[str, Any]:
        """The released version of a dataset, and the ids that were forgotten since it was made, if there are any."""
        out = self._taken_out(dataset)
        return {dataset: self.version(dataset), **({OUT: out} if out else {})}

    def version(self, dataset: str) -> str:
        """The released version of a dataset. Raises TextmillError where the release has none."""
        found: str | None = (self._release.get("datasets") or {}).get(dataset)
        if found is None:
            raise TextmillError(f"the release of '{self.pipeline}' has no {dataset}; `textmill run` makes one")
        return found

    def frames(self, split: str) -> Iterator[pl.DataFrame]:
        """The rows of a split."""
        if self.dataset != "corpus":
            for frame in self.read(self.dataset, ["row_id", *self.needs, "split"]):
                yield frame.filter(pl.col("split") == split)
        else:
            for frame in self.read("corpus", ["doc_id", "title", "text"]):
                yield self._shaped(of_split(frame, "doc_id", split))

    def tokens(self, split: str) -> Iterator[pl.Series]:
        """The token ids of the documents of a split, as the pipeline has made them."""
        for frame in self.read("tokens", ["doc_id", "input_ids"]):
            yield of_split(frame, "doc_id", split)["input_ids"]

    @property
    def tokenizer(self) -> str:
        """Fingerprint of the tokenizer of the pipeline."""
        inputs = self._manifest("tokens")["inputs"]
        return str(next(found["tokenizer"] for found in inputs if "tokenizer" in found))

    def read(self, dataset: str, columns: list[str]) -> Iterator[pl.DataFrame]:
        """A dataset of the release without what was forgotten since, a few row groups at a time."""
        manifest = self._manifest(dataset)
        folder = self.lake.version(self.pipeline, dataset, manifest["version"])
        out = self._taken_out(dataset)
        wanted = [*columns, "source"] if out and "row_id" in columns else columns
        for part in manifest["parts"]:
            for frame in tables.batches(folder / part["file"], wanted):
                yield _without(frame, out).select(columns)

    @cached_property
    def _release(self) -> dict[str, Any]:
        """Looked up once: a training reads one release, whatever is published meanwhile."""
        return self.lake.release(self.pipeline) or {}

    @cached_property
    def _before(self) -> frozenset[str]:
        """Ids that were forgotten when it was first asked what a version holds."""
        return frozenset(forgotten(self.lake, self.pipeline))

    def _taken_out(self, dataset: str) -> list[str]:
        """Looked up once: what the lineage says is left out is what is left out, whatever is forgotten meanwhile."""
        if dataset not in self._out:
            _ = self._before  # looked up first: what is forgotten between is left out
            self._out[dataset] = taken_out(self.lake, self._manifest(dataset))
        return self._out[dataset]

    def check_forgotten(self) -> None:
        """Raise TextmillError where a document that was read was forgotten meanwhile; of the split `test` none is."""
        for dataset in self._out:
            if read := self._read_since(dataset):
                named, them = ", ".join(read[:5]) + (" …" if len(read) > 5 else ""), "it" if len(read) == 1 else "them"
                raise TextmillError(
                    f"{named}: forgotten while this training read {them}; nothing is registered. Start it again: it "
                    f"leaves {them} out"
                )

    def _read_since(self, dataset: str) -> list[str]:
        """Ids that were forgotten since they were read, sorted; all, where nothing tells what the version held."""
        manifest = self.lake.manifest(self.pipeline, dataset, self.version(dataset))
        now = taken_out(self.lake, manifest) if manifest else forgotten(self.lake, self.pipeline)
        gone = set(now) - self._before - set(self._out[dataset])
        return sorted(one for one in gone if dataset not in _DOCUMENTS or split_of(one) != "test")

    def _manifest(self, dataset: str) -> dict[str, Any]:
        return manifest_of(self.lake, self.pipeline, dataset, self.version(dataset))

    def _shaped(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Documents as they are, or the first paragraph as `source` and the title as `target`, or pairs of both."""
        if self.needs == ("text",):
            return frame
        first = pl.col("text").str.strip_chars().str.split("\n").list.first()
        found = frame.select(source=first, target="title").filter(pl.col("source") != "", pl.col("target") != "")
        return pairs(found) if "first" in self.needs else found


def _without(frame: pl.DataFrame, out: Sequence[str]) -> pl.DataFrame:
    """The rows but for those of documents, or labelled rows, with these ids."""
    if not out:
        return frame
    named = pl.concat_str("source", "row_id", separator=":") if "row_id" in frame.columns else pl.col("doc_id")
    return frame.filter(~named.is_in(list(out)))


def pairs(frame: pl.DataFrame) -> pl.DataFrame:
    """Titles (`first`) and paragraphs (`second`): each paragraph with its own title, and with that of the next
    document.

    `label` is `same` or `other`. Nothing is paired with a title that is its own, too.
    """
    own = pl.col("target")
    other = own.shift(-1).fill_null(own.first())
    titles = {"same": own, "other": pl.when(other != own).then(other)}
    both = [frame.select(first=title, second="source", label=pl.lit(label)) for label, title in titles.items()]
    return pl.concat(both).drop_nulls()
