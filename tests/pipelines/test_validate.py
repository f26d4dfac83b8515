"""Great Expectations' verdicts: each type of expectation seen failing, and the accounts of the rows."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.contracts import CONTRACTS, Check, Column, Contract, Drift, Expectation
from data.contracts.base import between, matches, not_null, one_of, row_count, unique
from data.errors import ContractError
from pipelines import drift, validate
from pipelines.checks import COMPLETE, ROW, observe
from pipelines.validate import Comparison, PartResult, ValidationError, Verdict, ids_of, validate_dataset, validate_rows
from pipelines.validation_page import render_page


def contract(*expectations: Expectation, checks: tuple[Check, ...] = ()) -> Contract:
    names = {"doc_id": pa.string(), "n": pa.float64(), "label": pa.string()}
    columns = tuple(Column(name, kind, "", nullable=True) for name, kind in names.items())
    return Contract("things", (1, 0), "", "thing", columns, checks=checks, expectations=expectations)


def things(**columns: list[Any]) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    return pl.DataFrame({"doc_id": [f"t:{i}" for i in range(height)], **columns})


@pytest.mark.parametrize(
    ("expectation", "columns", "broken"),
    [
        (not_null("label"), {"label": ["a", None, "b"]}, [1]),
        (between("n", 1), {"n": [0, 1, 2]}, [0]),
        (between("n", 0.0, 1.0), {"n": [0.0, 1.0, 1.5, -0.1]}, [2, 3]),
        (between("n", 0.0), {"n": [0.5, float("nan")]}, [1]),
        (one_of("label", ("a", "b")), {"label": ["a", "c", "b"]}, [1]),
        (matches("label", r"^([a-z]{2,3}|und)$"), {"label": ["en", "und", "EN"]}, [2]),
        (matches("label", r"^[(]\($"), {"label": ["((", "("]}, [1]),
        (
            Expectation("expect_column_value_lengths_to_equal", {"column": "label", "value": 2}),
            {"label": ["a", "bb"]},
            [0],
        ),
    ],
)
def test_row_expectation_sets_apart_the_rows_that_break_it(
    expectation: Expectation, columns: dict[str, list[Any]], broken: list[int]
) -> None:
    frame = things(**columns)
    kept, failures, result = validate_rows(frame, contract(expectation))
    assert failures["row"].to_list() == broken
    assert failures["doc_id"].to_list() == [f"t:{row}" for row in broken]
    assert set(failures["reason"]) == {expectation.name}
    assert kept.equals(frame.filter(~pl.col("doc_id").is_in(failures["doc_id"].to_list())))
    assert (result.n_in, result.n_kept, result.n_failed) == (frame.height, kept.height, len(broken))


def test_check_sets_apart_the_rows_that_break_it() -> None:
    _, failures, result = validate_rows(things(n=[1, 5]), contract(checks=(Check("small", "n < 3"),)))
    assert failures.row(0) == (1, "t:1", "check_failed:small", "not met: n < 3")
    assert next((v.expectation, v.unexpected_count) for v in result.verdicts) == ("check_failed:small", 1)


def test_a_row_that_breaks_several_conditions_fails_once_with_all_of_them() -> None:
    _, failures, _ = validate_rows(things(n=[-1], label=["x"]), contract(between("n", 0), one_of("label", ("a",))))
    assert failures["reason"].to_list() == ["expect_column_values_to_be_between:n"]
    assert failures["detail"].to_list() == ["not met: n ≥ 0; label in a"]


def test_a_clean_frame_comes_back_whole() -> None:
    frame = things(n=[1, 2])
    kept, failures, result = validate_rows(frame, contract(between("n", 0)))
    assert kept.equals(frame)
    assert failures.height == 0
    assert all(verdict.success for verdict in result.verdicts)


def test_an_empty_frame_is_fine() -> None:
    frame = things(n=[1.0]).clear()
    kept, failures, result = validate_rows(frame, contract(not_null("doc_id"), between("n", 0)))
    assert (kept.height, failures.height, result.n_in) == (0, 0, 0)


def test_failures_have_no_id_where_the_dataset_has_none() -> None:
    _, failures, _ = validate_rows(pl.DataFrame({"n": [-1]}), contract(between("n", 0)))
    assert failures["doc_id"].to_list() == [None]


@pytest.mark.parametrize("kind", ["row", "dataset"])
def test_a_missing_column_is_no_verdict(kind: str) -> None:
    lost = Expectation("expect_column_values_to_not_be_null", {"column": "lost"}, scope=kind)
    with pytest.raises((ValidationError, ContractError), match="lost"):
        if kind == "row":
            validate_rows(things(n=[1]), contract(lost))
        else:
            validate_dataset({}, 1, contract(lost))


def test_a_column_that_great_expectations_does_not_find_is_no_verdict() -> None:
    with pytest.raises(ValidationError, match=r"things: .*label could not be judged"):
        validate.validate_light(pl.DataFrame({ROW: [0], COMPLETE: [True]}), None, contract(one_of("label", ("a",))))


@pytest.mark.parametrize("kind", ["row", "dataset"])
def test_an_expectation_that_crashes_is_no_verdict(kind: str) -> None:
    broken = Expectation("expect_column_values_to_match_regex", {"column": "label", "regex": "("}, scope=kind)
    frame = things(label=["a"])
    with pytest.raises(ValidationError, match=r"things: expect_column_values_to_match_regex:label could not be judged"):
        if kind == "row":
            validate_rows(frame, contract(broken))
        else:
            validate_dataset({"label": frame["label"]}, 1, contract(broken))


def test_row_count_is_judged_without_any_column() -> None:
    few, enough = (validate_dataset({}, n, contract(row_count(3)))[0] for n in (2, 3))
    assert (few.success, few.observed, few.condition) == (False, "2", "rows ≥ 3")
    assert enough.success


def test_uniqueness_is_judged_over_the_whole_dataset() -> None:
    repeats = {"doc_id": pl.Series(["a", "a"]), "label": pl.Series([], dtype=pl.String)}
    verdicts = validate_dataset(repeats, 3, contract(unique("doc_id"), unique("label")))
    assert [(one.success, one.unexpected_count, one.element_count) for one in verdicts] == [(False, 2, 3), (True, 0, 3)]
    assert verdicts[0].examples == ("a",)
    assert verdicts[0].observed == "2 of 3 rows"


def test_merge_adds_the_counts_of_the_parts() -> None:
    results = [validate_rows(things(n=ns), contract(between("n", 0)))[2] for ns in ([1, 2], [-1, -2, 3])]
    verdict = validate.merge(results)[0]
    assert (verdict.unexpected_count, verdict.element_count, verdict.success) == (2, 5, False)
    assert verdict.observed == "2 of 5 rows"


@pytest.mark.parametrize("values", [[-1], [1], [1, -2, 3], []])
def test_a_part_result_survives_json(values: list[int]) -> None:
    wanted = contract(between("n", 0), between("n", -5, 5))
    result = validate_rows(things(n=values), wanted)[2]
    assert PartResult.from_json(json.loads(json.dumps(result.as_json(wanted))), wanted) == result


def test_a_part_tells_of_no_condition_that_all_its_rows_meet() -> None:
    wanted = contract(between("n", 0), between("n", -5, 5))
    told = [validate_rows(things(n=ns), wanted)[2].as_json(wanted)["verdicts"] for ns in ([1, 2], [-1, 3])]
    assert [[each["condition"] for each in verdicts] for verdicts in told] == [[], ["n ≥ 0"]]


def test_a_part_of_an_earlier_release_tells_of_every_condition() -> None:
    wanted = contract(between("n", 0), between("n", -5, 5))
    result = validate_rows(things(n=[1, -2]), wanted)[2]
    whole = {**result.as_json(wanted), "verdicts": [verdict.as_json() for verdict in result.verdicts]}
    assert PartResult.from_json(whole, wanted) == result


def test_failure_names_dataset_expectation_observation_and_page() -> None:
    (verdict,) = validate_dataset({}, 0, contract(row_count(1)))
    message = str(validate.failure(verdict, page="reports/r1/validation-things.html"))
    for word in ("things", "expect_table_row_count_to_be_between", "observed 0", "reports/r1/validation-things.html"):
        assert word in message


def test_the_page_is_escaped_and_loads_nothing() -> None:
    _, _, result = validate_rows(things(label=["<script>"]), contract(one_of("label", ("a",))))
    page = render_page("things", list(result.verdicts))
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    assert "http" not in page


BEFORE = {"rows": 200, "nulls": {"label": {"null": 2}}, "lengths": {}, "categories": {"lang": {"en": 190, "uk": 10}}}
AFTER = {"rows": 210, "nulls": {"label": {"null": 2}}, "lengths": {}, "categories": {"lang": {"en": 20, "uk": 190}}}


def compared(*, accepted: bool = False) -> Comparison:
    verdicts = validate.validate_drift(drift.measures(BEFORE, AFTER, Drift(categories=("lang",))), "things")
    return Comparison(after=AFTER, before=BEFORE, compared_with="v1", accepted=accepted, verdicts=tuple(verdicts))


def test_drift_is_judged_with_both_values() -> None:
    rows, nulls, languages = compared().verdicts
    assert (rows.success, nulls.success, languages.success) == (True, True, False)
    assert {one.scope for one in compared().verdicts} == {"drift"}
    assert (languages.expectation, languages.column) == ("drift_of_categories", "lang")
    assert languages.observed == "distance 0.855: en 95.0% → 9.5%, uk 5.0% → 90.5%"
    assert languages.condition == "values of lang: distance ≤ 0.25"
    assert rows.observed == "200 → 210 rows, 1.05 times"


def test_a_comparison_survives_json() -> None:
    assert Comparison.from_json(json.loads(json.dumps(compared().as_json())), AFTER) == compared()


def test_the_error_of_drift_names_column_values_and_option() -> None:
    found = compared()
    message = str(validate.drifted([one for one in found.verdicts if not one.success], found, page="p.html"))
    for word in ("things drifted in lang", "v1", "en 95.0% → 9.5%", "≤ 0.25", "--accept-drift", "p.html"):
        assert word in message
    assert "Nothing was published" in message


@pytest.mark.parametrize(("accepted", "said"), [(False, "not published"), (True, "accepted")])
def test_the_page_shows_drift_as_table_and_chart(accepted: bool, said: str) -> None:
    page = render_page("things", [], compared(accepted=accepted))
    assert said in page
    assert "en 95.0% → 9.5%" in page
    assert page.count("<svg") == 1
    assert ("not published" in page) is not accepted
    assert "http" not in page


def test_the_page_says_why_nothing_was_compared() -> None:
    page = render_page("things", [], Comparison(after=AFTER, why_not="there is none"))
    assert "Not compared: there is none." in page
    assert "<svg" not in page


def test_a_page_without_verdicts_says_so() -> None:
    assert "no expectation" in render_page("things", [])


def test_threads_count_right() -> None:
    rules = contract(between("n", 0), one_of("label", ("a",)))

    def count(seed: int) -> bool:
        frame = things(n=[-1] * seed + [1] * 40, label=["b"] * (seed + 5) + ["a"] * 35)
        return [v.unexpected_count for v in validate_rows(frame, rules)[2].verdicts[:2]] == [seed, seed + 5]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(count, range(1, 25)))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-3, 3)), max_size=20))
def test_every_row_is_kept_or_failed_and_polars_agrees(values: list[int | None]) -> None:
    frame = pl.DataFrame({"n": values}, schema={"n": pl.Int32})
    kept, failures, _ = validate_rows(frame, contract(not_null("n"), between("n", 0)))
    assert kept["n"].to_list() == [value for value in values if value is not None and value >= 0]
    assert kept.height + failures.height == len(values)


@pytest.mark.parametrize(
    ("pattern", "plain"),
    [("^(a|b)$", "^(?:a|b)$"), (r"\(a[(]", r"\(a[(]"), ("(?:a)(?P<x>b)", "(?:a)(?:b)"), ("[]()](a)", "[]()](?:a)")],
)
def test_captures_become_plain_groups(pattern: str, plain: str) -> None:
    assert validate.without_captures(pattern) == plain


def test_a_document_that_keeps_its_real_contract_and_one_that_does_not() -> None:
    row = {"doc_id": "w:1", "source": "w", "title": None, "url": None, "lang_declared": None, "published_at": None}
    lead = [{"level": 0, "title": "", "start": 0, "end": 4}]
    rows = [
        {**row, "text": "text", "sections": lead, "meta": None},
        {**row, "text": "te", "sections": lead, "meta": None},
        {**row, "text": "text", "sections": None, "meta": None},
    ]
    kept, failures, _ = validate_rows(pl.DataFrame(rows), CONTRACTS["documents"])
    assert kept.height == 1
    assert failures["reason"].to_list() == ["check_failed:sections_within_text", "check_failed:has_every_value"]


def test_a_verdict_survives_json() -> None:
    verdict = Verdict("d", "e", "c", "row", True, "0 of 1 rows", 0, 1, ("x",), "c ≥ 1")
    assert Verdict.from_json(verdict.as_json()) == verdict


@pytest.mark.parametrize("parts", [[[1, 2], [3]], [[1], [-1, 2], [3]], [[1], []], [[1]], []])
def test_parts_that_are_judged_at_once_are_judged_as_one_by_one(parts: list[list[int]]) -> None:
    promise = contract(between("n", 0), not_null("label"), checks=(Check("small", "n < 9"),))
    frames = [things(n=part, label=["a"] * len(part)) for part in parts]
    lights = [(observe(frame, promise), ids_of(frame)) for frame in frames]
    found = validate.validate_lights(lights, promise)
    one_by_one = [validate.validate_light(*light, promise) for light in lights]
    assert [result for _, result in found] == [result for _, result in one_by_one]
    assert [failures.rows() for failures, _ in found] == [failures.rows() for failures, _ in one_by_one]


def test_parts_without_a_fault_take_one_judgement(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[int] = []
    judge = validate._judge

    def counting(frame: pl.DataFrame, *rest: Any, **options: Any) -> Any:
        judged.append(frame.height)
        return judge(frame, *rest, **options)

    monkeypatch.setattr(validate, "_judge", counting)
    promise = contract(between("n", 0))
    validate.validate_lights([(observe(things(n=[1, 2]), promise), None)] * 3, promise)
    assert judged == [6]


def test_loading_begins_once_it_is_told_and_ends_with_everything_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(validate, "_batches", lambda: opened.append(validate._open_context()))
    with validate.loading():
        pass
    assert not opened
    with validate.loading() as begin:
        begin()
        begin()
    assert len(opened) == 1
    assert "great_expectations" in sys.modules
