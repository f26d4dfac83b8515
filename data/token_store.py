"""Token ids of many rows in two flat files, read through memory maps: any row can be had at once, whatever the size.

    <folder>/ids.bin       the ids of all rows, one after the other, uint16 or uint32, little-endian
    <folder>/offsets.bin   where each row begins, and the end of the last, int64, little-endian
    <folder>/store.json    rows, tokens, type of the ids, fingerprint of the content

Batches of a training are gathered from it in any order without a copy of the data in memory: the pages that were read
belong to the system, which takes them back when it needs room.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from data import files
from data.errors import LakeError
from data.hashing import DIGITS

if TYPE_CHECKING:
    import polars as pl

Ids = npt.NDArray[np.integer[Any]]
_ABOUT = "store.json"


@dataclass(frozen=True)
class TokenStore:
    """Rows of token ids. `ids` is the concatenation of all, `offsets` int64 [rows + 1] says where each begins."""

    ids: Ids
    offsets: npt.NDArray[np.int64]
    fingerprint: str

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    def row(self, number: int) -> Ids:
        """The token ids of a row."""
        return self.ids[self.offsets[number] : self.offsets[number + 1]]

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Tokens of each row."""
        return np.diff(self.offsets)

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> TokenStore:
        """A store in memory, for small data."""
        pieces = [np.asarray(row, dtype=np.uint32) for row in rows]
        ids = np.concatenate(pieces) if pieces else np.empty(0, np.uint32)
        offsets = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64)
        return cls(
            ids,
            offsets,
            _digest(hashlib.sha256(ids.astype("<u4").tobytes()), hashlib.sha256(offsets.astype("<i8").tobytes())),
        )


def write(folder: Path, rows: Iterable[pl.Series], *, vocab_size: int) -> TokenStore:
    """Write series of lists of ids, one after another, and open them. Memory is bounded by the largest series.

    `vocab_size` decides whether an id takes two bytes or four.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kind = np.dtype("<u2" if vocab_size <= 1 << 16 else "<u4")
    with files.writable(folder / _ABOUT):
        with (folder / "ids.bin").open("wb") as ids, (folder / "offsets.bin").open("wb") as offsets:
            count, end, digest = _written(rows, ids, offsets, kind)
        about = {"rows": count, "tokens": end, "type": kind.str, "fingerprint": digest}
        files.write_json(folder / _ABOUT, about)
    return open_store(folder)


def open_store(folder: Path) -> TokenStore:
    """Map a store that was written. Raises LakeError where it is not there or not whole."""
    about = files.read_json(folder / _ABOUT)
    sizes = [(folder / name).stat().st_size if (folder / name).is_file() else -1 for name in ("ids.bin", "offsets.bin")]
    if about is None or sizes != [about["tokens"] * np.dtype(about["type"]).itemsize, 8 * (about["rows"] + 1)]:
        raise LakeError(f"{folder} holds no whole store of tokens; remove it and run the same command again")
    return TokenStore(
        _mapped(folder / "ids.bin", about["type"]), _mapped(folder / "offsets.bin", "<i8"), about["fingerprint"]
    )


def _written(
    rows: Iterable[pl.Series], ids: IO[bytes], offsets: IO[bytes], kind: np.dtype[Any]
) -> tuple[int, int, str]:
    """Append every series; returns rows, tokens and the digest of both files."""
    digests, count, end = (hashlib.sha256(), hashlib.sha256()), 0, 0
    _append(np.zeros(1, "<i8"), offsets, digests[1])
    for series in rows:
        lengths = series.list.len().fill_null(0).to_numpy()
        ends = (end + np.cumsum(lengths)).astype("<i8")
        flat = series.explode(empty_as_null=False, keep_nulls=False).to_numpy().astype(kind)
        _append(flat, ids, digests[0])
        _append(ends, offsets, digests[1])
        count, end = count + len(lengths), int(ends[-1]) if len(ends) else end
    return count, end, _digest(*digests)


def _append(values: npt.NDArray[Any], file: IO[bytes], digest: hashlib._Hash) -> None:
    content = values.tobytes()
    file.write(content)
    digest.update(content)


def _mapped(path: Path, kind: str) -> npt.NDArray[Any]:
    if path.stat().st_size == 0:
        return np.empty(0, kind)
    return np.memmap(path, dtype=kind, mode="r")


def _digest(*digests: hashlib._Hash) -> str:
    return hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()[:DIGITS]
