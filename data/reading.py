"""Read files of a dataset under today's contract, whichever minor version of it they were written under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.contracts import Contract

if TYPE_CHECKING:
    import polars as pl


def scan(paths: Sequence[str], contract: Contract, *, written: str | None = None) -> pl.LazyFrame:
    """The rows of some files, with the columns of the contract.

    A column, or a field of a struct, that joined the contract later is null, and one that joined since is left out.
    Files `written` under another major version, "1.0" for example, are read as they are.
    """
    import polars as pl

    if written is not None and int(written.partition(".")[0]) != contract.version[0]:
        return pl.scan_parquet(list(paths))
    schema = pl.DataFrame(contract.schema.empty_table()).schema
    if not paths:
        return pl.LazyFrame(schema=schema)
    lenient = pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore")
    return pl.scan_parquet(
        list(paths), schema=schema, missing_columns="insert", extra_columns="ignore", cast_options=lenient
    )
