"""The page for consumers and the snapshot of the contracts are current, and complete."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from data.contracts import CONTRACTS, Column
from data.errors import ContractError
from pipelines import dictionary
from pipelines.checks import DERIVED

DOCS = Path(__file__).parent.parent.parent / "docs"
NAMES = sorted(CONTRACTS)
TOKENS = CONTRACTS["tokens"]


def test_the_page_is_current() -> None:
    found = (DOCS / dictionary.PAGE).read_text("utf-8")
    assert found == dictionary.page(CONTRACTS.values()), "run `make docs`"


def test_contracts_changed_with_their_versions() -> None:
    before = json.loads((DOCS / dictionary.SNAPSHOT).read_text("utf-8"))
    dictionary.refuse_unversioned(before, CONTRACTS.values())


def test_the_snapshot_is_current() -> None:
    assert (DOCS / dictionary.SNAPSHOT).read_text("utf-8") == dictionary.snapshot(CONTRACTS.values()), "run `make docs`"


@pytest.mark.parametrize("name", NAMES)
def test_every_column_condition_and_limit_is_told(name: str) -> None:
    contract = CONTRACTS[name]
    told = dictionary.page([contract])
    for column in contract.columns:
        assert f"| `{column.name}` | `" in told
        assert column.meaning in told
        assert not column.unit or f"| {column.unit} |" in told
    for expectation in contract.expectations:
        assert f"`{dictionary.condition(expectation).name}`" in told
    for check in contract.checks:
        assert f"`{check.expression}`" in told
    assert ("Against the published version, from" in told) is (contract.drift is not None)


@pytest.mark.parametrize("name", NAMES)
def test_what_every_wide_field_means_is_told(name: str) -> None:
    wide = [line for line in dictionary._nested(CONTRACTS[name]) if line.startswith("| `")]
    assert not [line for line in wide if line.endswith("|  |")]


def test_derived_columns_are_explained() -> None:
    assert dictionary.DERIVED_MEANING.keys() == DERIVED.keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_example_runs(name: str) -> None:
    connection = duckdb.connect()
    for one in CONTRACTS.values():
        connection.register(one.name, one.schema.empty_table())
    assert name in CONTRACTS[name].example
    connection.sql(CONTRACTS[name].example).fetchall()


def test_writing_refuses_a_change_without_a_version_and_writes_nothing(tmp_path: Path) -> None:
    dictionary.write(tmp_path, [TOKENS])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    retyped = replace(TOKENS, columns=(*TOKENS.columns[:2], Column("n_tokens", pa.int64(), "length")))
    with pytest.raises(ContractError, match=r"n_tokens is int64 and was int32.*raise its version to \(2, 0\)"):
        dictionary.write(tmp_path, [retyped])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    dictionary.write(tmp_path, [replace(retyped, version=(2, 0))])
    assert "`int64`" in (tmp_path / dictionary.PAGE).read_text("utf-8")


def test_a_nullable_column_asks_for_a_minor_version(tmp_path: Path) -> None:
    dictionary.write(tmp_path, [TOKENS])
    wider = replace(TOKENS, columns=(*TOKENS.columns, Column("extra", pa.string(), "extra", nullable=True)))
    with pytest.raises(ContractError, match=r"tokens: column extra .* is new; raise its version to \(1, 1\)"):
        dictionary.write(tmp_path, [wider])
    dictionary.write(tmp_path, [replace(wider, version=(1, 1))])


def test_other_words_need_no_version(tmp_path: Path) -> None:
    dictionary.write(tmp_path, [TOKENS])
    dictionary.write(tmp_path, [replace(TOKENS, about="Other words.")])
    assert "Other words." in (tmp_path / dictionary.PAGE).read_text("utf-8")


def test_a_contract_that_is_gone_is_refused(tmp_path: Path) -> None:
    dictionary.write(tmp_path, [TOKENS])
    with pytest.raises(ContractError, match="contract tokens is gone"):
        dictionary.write(tmp_path, [CONTRACTS["corpus"]])
