"""What a dataset contract is: columns with their meaning, and the expectations every version must meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Arrow type, in words what it means, and its unit where it has one.

    `fields` says what the fields of a wide struct mean.
    """

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    unit: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """A row-level condition: a SQL-like Polars expression that must be true.

    `expression` is the source of a Polars SQL predicate over the columns of the dataset; it keeps
    the contract plain data, readable in the generated documentation.
    """

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """A Great Expectations expectation by its snake-case type, with its arguments.

    `scope` is `row` when a failing row can be quarantined alone, `dataset` when a failure concerns
    the dataset as a whole and stops its publication.
    """

    type: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    scope: str = "row"

    @property
    def name(self) -> str:
        """The expectation as a reason code, for example `expect_column_values_to_not_be_null:text`."""
        column = self.kwargs.get("column")
        return f"{self.type}:{column}" if column else self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far a version may be from the published one, where both come from the same recipe and models.

    `rows` bounds rows over published rows. `null_share` is how far the share of nulls of any nullable column may
    move, `distance` how far the distribution of the values of `categories` and of the magnitudes (powers of two) of
    `lengths` may: the total variation distance, 0 for the same distribution and 1 for nothing in common. Below
    `least_rows` in the published version, or of the rows that are there for a distribution, chance decides and nothing
    is compared.
    """

    lengths: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    rows: tuple[float, float] = (0.7, 3.0)
    null_share: float = 0.1
    distance: float = 0.25
    least_rows: int = 100


@dataclass(frozen=True, slots=True)
class Contract:
    """The promise a dataset makes to its readers.

    `version` is (major, minor): minor when a nullable column is added, major when a column is removed, retyped or
    narrowed (`data.contracts.evolution`). `key` names the columns that identify a row. An `internal` dataset is an
    intermediate result that no release names. `example` is a query in SQL over tables named like the datasets.
    `drift` says what is compared with the published version, None for nothing.
    """

    name: str
    version: tuple[int, int]
    about: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ("doc_id",)
    checks: tuple[Check, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    internal: bool = False
    example: str = ""
    drift: Drift | None = None

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema that every Parquet part has, to the letter."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])

    def describe(self) -> dict[str, Any]:
        """The contract as plain JSON data: what fingerprints and manifests record.

        Words, units and the thresholds of drift are no part of it: they decide no byte.
        """
        return {
            "name": self.name,
            "version": f"{self.version[0]}.{self.version[1]}",
            "key": list(self.key),
            "columns": [[c.name, str(c.type), c.nullable] for c in self.columns],
            "checks": [[c.name, c.expression] for c in self.checks],
            "expectations": [[e.type, dict(e.kwargs), e.scope] for e in self.expectations],
        }


def not_null(column: str) -> Expectation:
    """No row may lack a value in this column."""
    return Expectation("expect_column_values_to_not_be_null", {"column": column})


def between(column: str, low: float | None = None, high: float | None = None) -> Expectation:
    """Every value lies in [low, high]; an end that is None is open."""
    bounds = {"min_value": low, "max_value": high}
    return Expectation("expect_column_values_to_be_between", {"column": column, **bounds})


def one_of(column: str, values: tuple[str, ...]) -> Expectation:
    """Every value is one of these."""
    return Expectation("expect_column_values_to_be_in_set", {"column": column, "value_set": list(values)})


def matches(column: str, pattern: str) -> Expectation:
    """Every value matches this RE2 pattern."""
    return Expectation("expect_column_values_to_match_regex", {"column": column, "regex": pattern})


def row_count(low: int, high: int | None = None) -> Expectation:
    """The dataset has at least `low` rows (and at most `high`)."""
    bounds = {"min_value": low, "max_value": high}
    return Expectation("expect_table_row_count_to_be_between", bounds, scope="dataset")


def unique(column: str) -> Expectation:
    """No two rows of the whole dataset share a value."""
    return Expectation("expect_column_values_to_be_unique", {"column": column}, scope="dataset")
