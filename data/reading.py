"""Read a published dataset under today's contract, whichever minor version of it the files were written under."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.contracts import CONTRACTS, Contract
from data.errors import ContractError
from data.lake import Lake, LakeError

if TYPE_CHECKING:
    import polars as pl


def scan(lake: Lake, pipeline: str, dataset: str, version: str | None = None) -> pl.LazyFrame:
    """The rows of a version, by default the released one, with the columns of the contract.

    A column, or a field of a struct, that joined the contract later is null. Raises LakeError if there is no such
    version, ContractError if it was written under another major version.
    """
    released = (lake.release(pipeline) or {"datasets": {}})["datasets"].get(dataset)
    if (chosen := version or released) is None:
        raise LakeError(f"{pipeline} publishes no '{dataset}'; see `textmill datasets list`")
    paths = lake.parts(pipeline, dataset, chosen)
    _refuse_other_major(CONTRACTS[dataset], (lake.manifest(pipeline, dataset, chosen) or {})["contract"]["version"])
    return scan_files([str(path) for path in paths], CONTRACTS[dataset])


def scan_files(paths: Sequence[str], contract: Contract) -> pl.LazyFrame:
    """The rows of some files of a dataset, under its contract."""
    import polars as pl

    empty = pl.DataFrame(contract.schema.empty_table())
    if not paths:
        return empty.lazy()
    lenient = pl.ScanCastOptions(missing_struct_fields="insert", extra_struct_fields="ignore")
    return pl.scan_parquet(
        list(paths), schema=empty.schema, missing_columns="insert", extra_columns="ignore", cast_options=lenient
    )


def _refuse_other_major(contract: Contract, written: str) -> None:
    if int(written.partition(".")[0]) != contract.version[0]:
        raise ContractError(
            f"this version of {contract.name} was written under contract {written} and today's is "
            f"{contract.version[0]}.{contract.version[1]}; read its files as they are, or build it again"
        )
