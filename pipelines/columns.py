"""Columns of lists, made and read as flat columns: row by row it would cost more than all else."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))


def offsets_of(sections: pl.Series) -> list[list[int]]:
    """Start, end, start, end, … of the sections of each document."""
    pairs = pl.concat_list(pl.element().struct.field("start"), pl.element().struct.field("end"))
    return [offsets or [] for offsets in sections.list.eval(pairs.explode()).to_list()]


def with_offsets(sections: pl.Series, offsets: Sequence[int]) -> pl.Series:
    """The sections with these starts and ends, in the order of `offsets_of`."""
    flat = sections.explode(empty_as_null=False, keep_nulls=False).struct.unnest()
    moved = [pl.Series(name, offsets[i::2], dtype=pl.Int32) for i, name in enumerate(("start", "end"))]
    sizes = sections.list.len()
    made = _lists(flat.with_columns(moved), sizes.fill_null(0), is_null=sizes.is_null())
    return made.cast(SECTIONS).alias(sections.name)


def counted(name: str, rows: Sequence[Sequence[dict[str, Any]]], *, of: str) -> pl.Series:
    """Counts of things for each document: list<struct<`of`, count>>."""
    items = list(chain.from_iterable(rows))
    flat = pl.DataFrame(
        {of: [item[of] for item in items], "count": [item["count"] for item in items]},
        schema={of: pl.String, "count": pl.Int32},
    )
    sizes = pl.Series(list(map(len, rows)), dtype=pl.UInt32)
    return _lists(flat, sizes).cast(pl.List(pl.Struct(flat.schema))).alias(name)


def _lists(flat: pl.DataFrame, sizes: pl.Series, *, is_null: pl.Series | None = None) -> pl.Series:
    """Rows of a frame as lists of structs that lie behind each other."""
    bounds = np.concatenate([[0], np.cumsum(sizes.to_numpy(), dtype=np.int64)])
    return lists(flat.to_struct(), bounds, is_null=is_null)


def lists(values: pl.Series, bounds: npt.NDArray[np.int64], *, is_null: pl.Series | None = None) -> pl.Series:
    """Lists that lie behind each other in `values`; int64 [lists + 1] tells where.

    All by Arrow arrays of Polars: for one of NumPy, Arrow imports pandas, which takes a worker a third of a second.
    """
    flat = values.to_arrow(compat_level=pl.CompatLevel.oldest())
    mask = None if is_null is None else is_null.to_arrow()
    return pl.Series(pa.LargeListArray.from_arrays(pl.Series(bounds).to_arrow(), flat, mask=mask))
