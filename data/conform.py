"""Bring a frame to the schema of its contract, to the letter, or say what is missing."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from data.contracts.base import Contract
from data.errors import ContractError

_ZERO = pa.Array.from_buffers(pa.int32(), 1, [None, pa.py_buffer(bytes(4))])
"""One 0. To make it of a Python number, PyArrow would load pandas, at 0.13 CPU-seconds for each worker."""


def conform(frame: pl.DataFrame, contract: Contract) -> pa.Table:
    """The columns of the contract, in its order and types; other columns are dropped.

    Raises ContractError when a column is missing or a value does not fit its type.
    """
    missing = [column.name for column in contract.columns if column.name not in frame.columns]
    if missing:
        found = ", ".join(frame.columns)
        raise ContractError(f"{contract.name}: no column {', '.join(missing)}; the frame has {found}")
    table = frame.select(contract.schema.names).to_arrow()
    try:
        return cast(table, contract.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise ContractError(f"{contract.name}: a value does not fit the schema: {error}") from error


def cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast every column, nested nullability included, which `Table.cast` refuses to tighten."""
    columns = [
        pa.chunked_array([_retype(chunk.cast(_loose(field.type)), field.type) for chunk in column.chunks], field.type)
        for column, field in zip(table.columns, schema, strict=True)
    ]
    tight = pa.Table.from_arrays(columns, schema=schema)
    for field in schema:
        if not field.nullable and tight[field.name].null_count:
            raise ValueError(f"column {field.name} has {tight[field.name].null_count} nulls and may have none")
    return tight


def _loose(kind: pa.DataType) -> pa.DataType:
    """The type with every nested field nullable."""
    if pa.types.is_list(kind):
        return pa.list_(_loose(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _loose(field.type)) for field in kind])
    return kind


def _retype(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The same values under a type that differs only in nested nullability.

    `flatten` minds slices and nulls where the raw buffers do not. Raises ValueError for a nested null that the
    type forbids.
    """
    if pa.types.is_list(kind):
        return _retype_list(array, kind)
    if pa.types.is_struct(kind) and kind.num_fields:
        return _retype_struct(array, kind)
    return array


def _retype_list(array: pa.Array, kind: pa.DataType) -> pa.Array:
    values = _retype(array.flatten(), kind.value_type)
    if values.null_count and not kind.value_field.nullable:
        raise ValueError(f"a list has {values.null_count} null items and may have none")
    ends = pc.cumulative_sum(pc.fill_null(pc.list_value_length(array), _ZERO[0]))
    offsets = pa.concat_arrays([_ZERO, ends])
    return pa.ListArray.from_arrays(offsets, values, type=kind, mask=_mask(array))


def _retype_struct(array: pa.Array, kind: pa.DataType) -> pa.Array:
    children = [_retype(child, field.type) for child, field in zip(array.flatten(), kind, strict=True)]
    for child, field in zip(children, kind, strict=True):
        # A child is null wherever its struct is; what is beyond that is a null of its own.
        if not field.nullable and child.null_count > array.null_count:
            raise ValueError(f"field {field.name} has {child.null_count - array.null_count} nulls and may have none")
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=_mask(array))


def _mask(array: pa.Array) -> pa.Array | None:
    return array.is_null() if array.null_count else None
