"""Arrays on disk: records spread over partitions that fit in memory one at a time, and rows read by number."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[Any]


class Partitions:
    """Records of one numpy type in as many files as keep each in memory; equal keys come to the same file."""

    def __init__(self, folder: Path, name: str, count: int, dtype: npt.DTypeLike) -> None:
        self.count = count
        self._paths = [folder / f"{name}-{i:05d}" for i in range(count)]
        self._dtype = np.dtype(dtype)

    def append(self, records: Records, keys: npt.NDArray[np.uint64]) -> None:
        """Add records, each to the partition of its key."""
        where = (keys >> np.uint64(32)) * np.uint64(self.count) >> np.uint64(32)
        order = np.argsort(where, kind="stable")
        bounds = np.searchsorted(where[order], np.arange(self.count + 1))
        for path, start, end in zip(self._paths, bounds[:-1], bounds[1:], strict=True):
            if end > start:
                with path.open("ab") as file:
                    records[order[start:end]].tofile(file)

    def take(self, index: int) -> Records:
        """The records of one partition, which is gone afterwards."""
        path = self._paths[index]
        if not path.exists():
            return np.empty(0, dtype=self._dtype)
        records: Records = np.fromfile(path, dtype=self._dtype)
        path.unlink()
        return records


class Rows:
    """Rows of uint32, of one length or of many, written one after the other and read by number.

    Read by `pread`, not mapped: pages of a map would count as memory of this process.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("r+b", buffering=0)
        self._starts = np.zeros(1, dtype=np.int64)
        self._pending = [self._starts]

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each row begins, in values; int64 [rows + 1]."""
        if len(self._pending) > 1:
            self._starts = np.concatenate(self._pending)
            self._pending = [self._starts]
        return self._starts

    def append(self, values: npt.NDArray[np.uint32], lengths: npt.NDArray[np.int64]) -> None:
        """Add rows, whose values lie one behind the other."""
        if not len(lengths):
            return
        end = self._pending[-1][-1]
        self._file.seek(int(end) * 4)
        self._file.write(np.ascontiguousarray(values, dtype="<u4").tobytes())
        self._pending.append(end + np.cumsum(lengths))

    def span(self, first: int, last: int) -> npt.NDArray[np.uint32]:
        """Values of the rows `first` to `last`, exclusive, one behind the other."""
        start, end = (int(self.starts[row]) for row in (first, last))
        return np.frombuffer(os.pread(self._file.fileno(), (end - start) * 4, start * 4), dtype="<u4")

    def many(self, rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint32]:
        """Values of these rows, one behind the other."""
        descriptor, places = self._file.fileno(), (self.starts[rows] * 4).tolist()
        sizes = ((self.starts[rows + 1] - self.starts[rows]) * 4).tolist()
        read = b"".join(os.pread(descriptor, size, at) for at, size in zip(places, sizes, strict=True))
        return np.frombuffer(read, dtype="<u4")
