"""What deduplication knows of every document: a few dozen bytes in memory, signatures and shingles on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from data.errors import ConfigError
from pipelines.dedup.config import Part, Parts, RepeatedConfig
from pipelines.dedup.lines import UInt64s, has_repeated, trim
from pipelines.dedup.ranks import ranked
from pipelines.dedup.scratch import Rows
from pipelines.minhash import fingerprints, shingle_sets

UInt32s = npt.NDArray[np.uint32]
_COLUMNS = ["doc_id", "source", "normalised_hash", "minhash"]


@dataclass(frozen=True)
class Documents:
    """All documents, in order of rank: row 0 stays whatever the others are like.

    `table` has doc_id, source, normalised_hash, `part`, `row` (within the part) and `position`, which is the row of
    `signatures`. `repeated` are the lines that the texts are read without.
    """

    parts: Parts
    table: pl.DataFrame
    signatures: Rows
    permutations: int
    repeated: UInt64s
    config: RepeatedConfig

    def estimates(self, low: UInt32s, high: UInt32s) -> npt.NDArray[np.float64]:
        """Share of equal values in the signatures of each pair of ranks."""
        both, places = np.unique(np.concatenate([low, high]), return_inverse=True)
        read = self.signatures.many(self.table["position"].gather(both).to_numpy())
        rows = read.reshape(-1, self.permutations)
        share: npt.NDArray[np.float64] = (rows[places[: len(low)]] == rows[places[len(low) :]]).mean(axis=1)
        return share

    def shingles(self, ranks: UInt32s) -> list[UInt32s]:
        """Distinct shingles of the text of each of these ranks, all of one part."""
        chosen = self.table[ranks]
        frame = self.parts[chosen["part"][0]](_text_columns(self.repeated))[chosen["row"]]
        return shingle_sets(_trimmed(frame, self.repeated, self.config)["text"].to_list())


def read_documents(
    parts: Parts, signatures: Rows, *, sources: Sequence[str], repeated: UInt64s, config: RepeatedConfig
) -> Documents:
    """Every document that `repeated` lines do not make a reject; its signature is put into `signatures`.

    Raises ConfigError for signatures of two lengths.
    """
    tables, width = [], 0
    for index, part in enumerate(parts):
        table = _read(part, repeated, config)
        lengths = table["minhash"].list.len().to_numpy().astype(np.int64)
        found = set(np.unique(lengths).tolist()) | ({width} if width else set())
        if len(found) > 1:
            raise ConfigError(f"signatures of {sorted(found)} values cannot be compared; build the candidates again")
        width = found.pop() if found else 0
        signatures.append(table["minhash"].explode(empty_as_null=False).to_numpy(), lengths)
        tables.append(table.select(pl.exclude("minhash"), part=pl.lit(index, pl.UInt32)))
    together = pl.concat(tables).with_row_index("position") if tables else _empty()
    order = ranked(together, sources or _as_they_come(together))
    return Documents(parts, together[order], signatures, width, repeated, config)


def _read(part: Part, repeated: UInt64s, config: RepeatedConfig) -> pl.DataFrame:
    """The columns of a part, with the signatures of texts as they are without repeated lines, and `row`."""
    if not len(repeated):
        return part(_COLUMNS).select(_COLUMNS).with_row_index("row")
    frame = part([*_COLUMNS, "line_hashes"]).with_row_index("row")
    changes = has_repeated(frame["line_hashes"], repeated)
    if not changes.any():
        return frame.drop("line_hashes")
    texts = part(_text_columns(repeated)).with_row_index("row").filter(changes)
    shorter = _trimmed(texts, repeated, config)
    made = shorter.select("row").with_columns(fingerprints(shorter["text"].to_list())["minhash", "normalised_hash"])
    gone = texts.join(shorter, on="row", how="anti")
    kept = frame.drop("line_hashes").join(gone, on="row", how="anti", maintain_order="left")
    return kept.update(made, on="row")


def _text_columns(repeated: UInt64s) -> list[str]:
    return ["text", "sections", "line_hashes"] if len(repeated) else ["text"]


def _trimmed(frame: pl.DataFrame, repeated: UInt64s, config: RepeatedConfig) -> pl.DataFrame:
    """Texts without repeated lines; documents that are rejected for them are left out."""
    return trim(frame, repeated, config)[0] if len(repeated) else frame


def _as_they_come(documents: pl.DataFrame) -> list[str]:
    sources: list[str] = documents["source"].unique(maintain_order=True).to_list()
    return sources


def _empty() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            "position": pl.UInt32,
            "row": pl.UInt32,
            "doc_id": pl.String,
            "source": pl.String,
            "normalised_hash": pl.UInt64,
            "part": pl.UInt32,
        }
    )
