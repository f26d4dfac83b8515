"""How the Parquet files of a lake are laid out, of joined ones too. Bytes depend on the values alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_LOOKED_AT = 1_000
"""Rows that tell whether the strings of a column repeat."""


def options(table: pa.Table) -> dict[str, Any]:
    """For a writer of rows like those of a table: zstd level 3, a page index, dictionaries where values repeat.

    Of texts, titles and ids a dictionary only holds what is written again without it once it is full: a quarter of the
    time of writing `documents`, and 25 MB.
    """
    dictionaries = [path for field in table.schema if not _differ(table[field.name]) for path in _leaves(field)]
    return {
        "compression": "zstd",
        "compression_level": 3,
        "write_page_index": True,
        "use_dictionary": dictionaries or False,
    }


def _differ(column: pa.ChunkedArray) -> bool:
    """Whether a column holds strings of which most stand in it once."""
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return False
    first = column.slice(0, _LOOKED_AT).drop_null()
    return 2 * int(pc.count_distinct(first).as_py()) > len(first)


def _leaves(field: pa.Field, prefix: str = "") -> Iterator[str]:
    """The paths of the columns of Parquet that hold a column."""
    path = prefix + field.name
    if pa.types.is_struct(field.type):
        for child in field.type:
            yield from _leaves(child, f"{path}.")
    elif isinstance(field.type, pa.ListType | pa.LargeListType | pa.FixedSizeListType):
        yield from _leaves(field.type.value_field.with_name("element"), f"{path}.list.")
    else:
        yield path
