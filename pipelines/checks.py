"""The row conditions of a contract, computed by Polars as light columns that Great Expectations can judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from data.contracts import Check, Contract, Expectation
from data.errors import AccountingError, ContractError

ROW = "_row"
COMPLETE = "has_every_value"
"""Name of the check that every contract has: no column that is not nullable lacks a value."""


def _list_end(column: str) -> pl.Expr:
    """Largest `end` of a list of structs; 0 for an empty or missing list."""
    return pl.col(column).list.eval(pl.element().struct.field("end")).list.max().fill_null(0)


DERIVED: dict[str, tuple[str, pl.Expr]] = {
    "text_chars": ("text", pl.col("text").str.len_chars()),
    "surface_chars": ("surface", pl.col("surface").str.len_chars()),
    "sections_end": ("sections", _list_end("sections")),
    "spans_end": ("spans", _list_end("spans")),
    "ids_length": ("input_ids", pl.col("input_ids").list.len()),
}
"""Columns that a contract may name although the dataset does not hold them: the column they are made of, and how."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What every row has to meet: an expectation of Great Expectations, with the words for a reader.

    `name` is a reason code, `text` says the condition as a formula.
    """

    name: str
    column: str
    text: str
    expectation: Expectation


def row_conditions(contract: Contract) -> list[Condition]:
    """Every condition on one row: the expectations, the checks, and that no required value is missing."""
    expectations = [condition(e) for e in contract.expectations if e.scope == "row"]
    return expectations + [_of_check(check) for check in contract.checks] + [_of_check(_complete(contract))]


def condition(expectation: Expectation) -> Condition:
    """An expectation with its reason code and its formula."""
    column = str(expectation.kwargs.get("column", ""))
    return Condition(_code(expectation.name), column, formula(expectation), expectation)


def formula(expectation: Expectation) -> str:
    """The condition in a form that a person reads at a glance, for example `n_chars ≥ 1`."""
    given = {key: value for key, value in expectation.kwargs.items() if value is not None}
    subject = str(given.pop("column", "rows"))
    match expectation.type:
        case "expect_column_values_to_not_be_null":
            return f"{subject} is not null"
        case "expect_column_values_to_be_unique":
            return f"{subject} is unique"
        case "expect_column_values_to_be_in_set":
            return f"{subject} in {', '.join(map(str, given['value_set']))}"
        case "expect_column_values_to_match_regex":
            return f"{subject} matches {given['regex']}"
        case "expect_column_values_to_be_between" | "expect_table_row_count_to_be_between":
            return _interval(subject, given.get("min_value"), given.get("max_value"))
        case _:
            return f"{subject}: " + ", ".join(f"{key}={value}" for key, value in given.items())


def observe(frame: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The light columns that the conditions of the contract look at, with the row's index in `_row`.

    A column of which only the presence matters becomes a byte per row: texts stay where they are.
    Raises ContractError where the frame lacks a column.
    """
    wanted = _named_columns(contract)
    derived = [name for name in wanted if name in DERIVED and name not in frame.columns]
    _refuse_missing(frame, contract, [DERIVED[name][0] if name in derived else name for name in wanted])
    valued, present = _judged_columns(contract)
    checks = [pl.sql_expr(check.expression).fill_null(False).alias(check.name) for check in contract.checks]
    return (
        frame.lazy()
        .with_columns(DERIVED[name][1].cast(pl.Int64).alias(name) for name in derived)
        .select(
            pl.int_range(pl.len()).alias(ROW),
            *[pl.col(name) for name in valued],
            *[_presence(name) for name in present],
            *checks,
            pl.all_horizontal(pl.lit(True), *[pl.col(name).is_not_null() for name in _required(frame, contract)]).alias(
                COMPLETE
            ),
        )
        .collect()
    )


def repeated(parts: Sequence[Callable[[], pl.Series]], n_rows: int) -> pl.Series:
    """Every value that stands more than once in the parts of a column, as often as it stands.

    Values meet by a hash of 8 bytes, and only those whose hash stands twice are read again: the keys of a large
    dataset never stand in memory. Raises AccountingError if the parts do not have `n_rows` rows.
    """
    hashes = [read().hash().to_numpy() for read in parts]
    found = np.sort(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
    if len(found) != n_rows:
        raise AccountingError(f"{n_rows} rows are published and {len(found)} keys were read; this is a bug")
    twice = np.unique(found[1:][found[1:] == found[:-1]])
    suspects = [_with_hash(read(), twice) for read, own in zip(parts, hashes, strict=True) if np.isin(own, twice).any()]
    values = pl.concat(suspects) if suspects else pl.Series(dtype=pl.String)
    return values.filter(values.is_duplicated())


def _with_hash(values: pl.Series, hashes: np.ndarray[Any, Any]) -> pl.Series:
    return values.filter(pl.Series(np.isin(values.hash().to_numpy(), hashes)))


def _of_check(check: Check) -> Condition:
    judged = Expectation("expect_column_values_to_be_in_set", {"column": check.name, "value_set": [True]})
    return Condition(_code(f"check_failed:{check.name}"), "", check.expression, judged)


def _complete(contract: Contract) -> Check:
    names = [column.name for column in contract.columns if not column.nullable]
    return Check(COMPLETE, f"no null in {', '.join(names)}")


def _required(frame: pl.DataFrame, contract: Contract) -> list[str]:
    """Columns that may not hold a null and that no expectation of their own guards."""
    guarded = {e.kwargs["column"] for e in contract.expectations if e.type == "expect_column_values_to_not_be_null"}
    named = [c.name for c in contract.columns if not c.nullable and c.name not in guarded]
    return [name for name in named if name in frame.columns]


def _judged_columns(contract: Contract) -> tuple[list[str], list[str]]:
    """Columns whose values are judged, and columns of which only the presence is."""
    judged = [e for e in contract.expectations if e.scope == "row" and "column" in e.kwargs]
    valued = {str(e.kwargs["column"]): None for e in judged if e.type != "expect_column_values_to_not_be_null"}
    present = {str(e.kwargs["column"]): None for e in judged if e.kwargs["column"] not in valued}
    return list(valued), list(present)


def _named_columns(contract: Contract) -> list[str]:
    """Columns that an expectation or a check names."""
    valued, present = _judged_columns(contract)
    columns = {column.name for column in contract.columns} | DERIVED.keys()
    words = [word for check in contract.checks for word in re.findall(r"\w+", check.expression) if word in columns]
    return list(dict.fromkeys(valued + present + words))


def _refuse_missing(frame: pl.DataFrame, contract: Contract, names: list[str]) -> None:
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if missing:
        found = ", ".join(frame.columns)
        raise ContractError(f"{contract.name}: no column {', '.join(missing)}; the frame has {found}")


def _presence(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null()).then(pl.lit(1, pl.Int8)).alias(name)


def _interval(subject: str, low: object, high: object) -> str:
    if high is None:
        return f"{subject} ≥ {low}"
    return f"{subject} ≤ {high}" if low is None else f"{low} ≤ {subject} ≤ {high}"


def _code(name: str) -> str:
    """A reason code: `[a-z][a-z0-9_:]*`."""
    return re.sub(r"[^a-z0-9_:]+", "_", name.lower())
