"""Light columns for the conditions of a contract."""

import re
from functools import partial

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.contracts import CONTRACTS, Check, Column, Contract, Expectation
from data.contracts.base import between, matches, not_null, one_of, row_count, unique
from data.errors import AccountingError, ContractError
from pipelines.checks import COMPLETE, ROW, condition, formula, observe, repeated, row_conditions


def contract(*expectations: Expectation, checks: tuple[Check, ...] = ()) -> Contract:
    return Contract(
        name="things",
        version=(1, 0),
        about="",
        row="thing",
        columns=(Column("text", pa.string(), ""), Column("note", pa.string(), "", nullable=True)),
        checks=checks,
        expectations=expectations,
    )


@pytest.mark.parametrize(
    ("expectation", "text"),
    [
        (not_null("a"), "a is not null"),
        (between("a", 1), "a ≥ 1"),
        (between("a", None, 2), "a ≤ 2"),
        (between("a", 0.0, 1.0), "0.0 ≤ a ≤ 1.0"),
        (one_of("a", ("x", "y")), "a in x, y"),
        (matches("a", "^x$"), "a matches ^x$"),
        (row_count(3), "rows ≥ 3"),
        (unique("a"), "a is unique"),
        (Expectation("expect_column_value_lengths_to_equal", {"column": "a", "value": 2}), "a: value=2"),
    ],
)
def test_formula_says_the_condition(expectation: Expectation, text: str) -> None:
    assert formula(expectation) == text


def test_a_text_of_which_only_the_presence_is_judged_is_not_carried() -> None:
    frame = pl.DataFrame({"text": ["long " * 1000, None]})
    light = observe(frame, contract(not_null("text")))
    assert light["text"].to_list() == [1, None]
    assert light["text"].dtype == pl.Int8


def test_lengths_are_code_points() -> None:
    light = observe(pl.DataFrame({"text": ["né", "", None]}), contract(between("text_chars", 1)))
    assert light["text_chars"].to_list() == [2, 0, None]


def test_only_the_columns_that_are_named_are_built() -> None:
    light = observe(pl.DataFrame({"text": ["a"], "note": ["b"]}), contract(between("text_chars", 1)))
    assert light.columns == [ROW, "text_chars", COMPLETE]


def test_the_end_of_no_sections_is_zero() -> None:
    frame = pl.DataFrame(
        {"text": ["abc", "abc", "abc"], "sections": [[{"end": 2}, {"end": 4}], [], None]},
        schema_overrides={"sections": pl.List(pl.Struct({"end": pl.Int32}))},
    )
    sections = Check("sections_within_text", "sections_end <= text_chars")
    named = Contract("things", (1, 0), "", "", (Column("text", pa.string(), ""),), checks=(sections,))
    assert observe(frame, named)["sections_within_text"].to_list() == [False, True, True]


def test_a_check_that_cannot_be_decided_is_not_met() -> None:
    light = observe(pl.DataFrame({"text": [None, "a"]}), contract(checks=(Check("short", "text = 'a'"),)))
    assert light["short"].to_list() == [False, True]


def test_a_missing_required_value_is_noticed_and_a_missing_nullable_one_is_not() -> None:
    frame = pl.DataFrame({"text": ["a", None, "c"], "note": [None, "b", "c"]})
    assert observe(frame, contract())[COMPLETE].to_list() == [True, False, True]


def test_a_frame_without_a_column_is_refused_by_name() -> None:
    with pytest.raises(ContractError, match=r"things: no column text; the frame has note"):
        observe(pl.DataFrame({"note": ["a"]}), contract(between("text_chars", 1)))


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_condition_of_every_contract_has_a_reason_code_of_its_own(name: str) -> None:
    codes = [each.name for each in row_conditions(CONTRACTS[name])]
    assert all(re.fullmatch(r"[a-z][a-z0-9_:]*", code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_a_reason_code_has_no_capitals() -> None:
    assert condition(not_null("Größe")).name == "expect_column_values_to_not_be_null:gr_e"


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=4))
def test_repeated_values_are_those_that_stand_twice_in_all_parts(parts: list[list[str]]) -> None:
    every = [value for part in parts for value in part]
    reads = [partial(pl.Series, "key", part, pl.String) for part in parts]
    found = repeated(reads, len(every)).to_list()
    assert sorted(found) == sorted(value for value in every if every.count(value) > 1)


def test_values_of_the_same_hash_are_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Series, "hash", lambda self: pl.Series([7] * len(self), dtype=pl.UInt64))
    reads = [partial(pl.Series, "key", part) for part in (["a", "b"], ["c", "b"])]
    assert repeated(reads, 4).to_list() == ["b", "b"]


def test_a_part_without_a_suspect_is_read_once() -> None:
    read: list[str] = []

    def part(name: str, values: list[str]) -> pl.Series:
        read.append(name)
        return pl.Series("key", values)

    repeated([partial(part, "one", ["a", "a"]), partial(part, "two", ["b"])], 3)
    assert read == ["one", "two", "one"]


def test_keys_that_are_not_all_rows_are_refused() -> None:
    with pytest.raises(AccountingError, match="3 rows are published and 1 keys were read"):
        repeated([partial(pl.Series, "key", ["a"])], 3)
