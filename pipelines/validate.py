"""Great Expectations' verdicts on a dataset: rows that break the contract are set apart, a broken dataset is refused.

Polars computes light columns (lengths, ends of spans, one boolean per check of the contract); Great Expectations
judges them on an Arrow-backed pandas frame, so that no text is copied or hashed. Only this module imports it.
"""

from __future__ import annotations

import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl

from data.contracts import Contract, Expectation
from data.errors import AccountingError
from pipelines.checks import ROW, Condition, condition, observe, row_conditions
from pipelines.deferred import deferred
from pipelines.drift import Measure
from pipelines.verdicts import (
    EXAMPLES,
    Comparison,
    PartResult,
    ValidationError,
    Verdict,
    drifted,
    expectation_of,
    failure,
    merge,
    observed,
    together,
)

__all__ = ["Comparison", "PartResult", "ValidationError", "Verdict", "drifted", "failure", "merge"]

VERSION = 1
_QUOTE = 120
_TOGETHER = 500_000
"""Rows that are judged at once: a judgement holds several copies of them."""
_UNUSED = ("altair", "scipy.stats")
"""What Great Expectations imports for charts and tests of distributions, at 0.9 of its 2.2 CPU-seconds."""

_local = threading.local()
_loading = threading.Lock()


def validate_rows(frame: pl.DataFrame, contract: Contract) -> tuple[pl.DataFrame, pl.DataFrame, PartResult]:
    """Rows that keep the contract, rows that break it, and the verdicts.

    The second frame has a line per failing row: `row` (its index in `frame`), `doc_id` (null where the dataset
    has none), `reason` (the first condition that it breaks) and `detail` (all of them).
    Raises ValidationError when an expectation itself cannot be judged, ContractError for a missing column.
    """
    failures, result = validate_light(observe(frame, contract), ids_of(frame), contract)
    kept = without(frame, failures)
    if kept.height + failures.height != frame.height:
        raise AccountingError(
            f"validation of {contract.name}: {frame.height} rows in, {kept.height} kept and {failures.height} failed"
        )
    return kept, failures, result


def without(frame: pl.DataFrame, failures: pl.DataFrame) -> pl.DataFrame:
    """The rows that do not fail."""
    return frame.filter(~pl.int_range(pl.len()).is_in(failures["row"].implode())) if failures.height else frame


def validate_light(light: pl.DataFrame, ids: pl.Series | None, contract: Contract) -> tuple[pl.DataFrame, PartResult]:
    """The rows that break the contract, as from `validate_rows`, and the verdicts, from what `observe` made alone.

    `ids` are the doc_ids of the rows, where they have some; another process may have made both.
    """
    slices = list(light.iter_slices(_TOGETHER)) or [light]
    found = [_validated(some, ids, contract) for some in slices]
    return pl.concat([failures for failures, _ in found]), together([result for _, result in found])


def _validated(light: pl.DataFrame, ids: pl.Series | None, contract: Contract) -> tuple[pl.DataFrame, PartResult]:
    conditions = row_conditions(contract)
    outcomes = _judge(light, conditions, contract.name, rows=True)
    failures = _failures(ids, conditions, [rows for _, rows in outcomes])
    verdicts = tuple(verdict for verdict, _ in outcomes)
    kept = light.height - failures.height
    return failures, PartResult(contract.name, light.height, kept, failures.height, verdicts)


def validate_lights(
    parts: Sequence[tuple[pl.DataFrame, pl.Series | None]], contract: Contract
) -> list[tuple[pl.DataFrame, PartResult]]:
    """What `validate_light` says of each part. A judgement takes the same time for any number of rows, so that there
    is one for all parts if no row of them breaks the contract."""
    whole = _joined([light for light, _ in parts])
    if whole is not None:
        failures, result = validate_light(whole, None, contract)
        if not failures.height:
            return [(failures, _share(result, light.height)) for light, _ in parts]
    return [validate_light(light, ids, contract) for light, ids in parts]


def _joined(lights: list[pl.DataFrame]) -> pl.DataFrame | None:
    """Several parts of one schema, each with rows, as one; None where there is nothing to join."""
    if len(lights) < 2 or len({tuple(light.schema.items()) for light in lights}) > 1 or not all(map(len, lights)):
        return None
    return pl.concat(lights).with_columns(pl.int_range(pl.len()).alias(ROW))


def _share(result: PartResult, rows: int) -> PartResult:
    """The verdicts on some of the rows of a part of which all keep the contract."""
    verdicts = [replace(each, observed=observed(0, rows), element_count=rows) for each in result.verdicts]
    return PartResult(result.dataset, rows, rows, 0, tuple(verdicts))


def ids_of(frame: pl.DataFrame) -> pl.Series | None:
    """The doc_ids of a frame, None where it has none."""
    return frame["doc_id"].cast(pl.String) if "doc_id" in frame.columns else None


def validate_dataset(repeats: Mapping[str, pl.Series], n_rows: int, contract: Contract) -> list[Verdict]:
    """Verdicts on the dataset as a whole: its number of rows, the uniqueness of its keys.

    `repeats` holds what `checks.repeated` found in each column that these expectations name: all that can break them.
    """
    conditions = [condition(e) for e in contract.expectations if e.scope == "dataset"]
    rows = pl.DataFrame({ROW: pl.int_range(n_rows, eager=True, dtype=pl.UInt32)})
    frame = rows.with_columns(
        values.extend_constant(None, n_rows - len(values)).alias(name) for name, values in repeats.items()
    )
    return [verdict for verdict, _ in _judge(frame, conditions, contract.name, rows=False)]


def validate_drift(measures: Sequence[Measure], dataset: str) -> list[Verdict]:
    """Verdicts on what moved since the published version, of scope `drift`."""
    names = [f"measure {number}" for number in range(len(measures))]
    frame = pl.DataFrame({ROW: [0], **{name: [one.value] for name, one in zip(names, measures, strict=True)}})
    conditions = [_of_measure(name, one) for name, one in zip(names, measures, strict=True)]
    outcomes = _judge(frame, conditions, dataset, rows=False)
    return [replace(verdict, observed=one.said) for (verdict, _), one in zip(outcomes, measures, strict=True)]


def _of_measure(name: str, measure: Measure) -> Condition:
    bounds = {"column": name, "min_value": measure.low, "max_value": measure.high}
    judged = Expectation("expect_column_values_to_be_between", bounds, scope="drift")
    return Condition(f"drift_of_{measure.kind}:{measure.column}".rstrip(":"), measure.column, measure.condition, judged)


def _judge(
    frame: pl.DataFrame, conditions: list[Condition], dataset: str, *, rows: bool
) -> list[tuple[Verdict, list[int]]]:
    """Each condition's verdict and, with `rows`, the indices of the rows that break it, in the order given."""
    if not conditions:
        return []
    batches = _batches()
    import great_expectations as gx
    import pandas as pd

    batch = batches.get_batch({"dataframe": _arrow(frame).to_pandas(types_mapper=pd.ArrowDtype)})
    suite = gx.ExpectationSuite(name=dataset, expectations=[_expectation(c, i) for i, c in enumerate(conditions)])
    level = {"result_format": "COMPLETE", "unexpected_index_column_names": [ROW]} if rows else "SUMMARY"
    results = [result.to_json_dict() for result in batch.validate(suite, result_format=level).results]
    outcomes = sorted(results, key=lambda result: int(result["expectation_config"]["meta"]["position"]))
    if len(outcomes) != len(conditions):
        raise ValidationError(f"{dataset}: {len(conditions)} expectations gave {len(outcomes)} verdicts")
    return [_outcome(c, result, frame.height, dataset) for c, result in zip(conditions, outcomes, strict=True)]


def _outcome(asked: Condition, found: dict[str, Any], n_rows: int, dataset: str) -> tuple[Verdict, list[int]]:
    _refuse_crash(asked, found, dataset)
    result = found["result"]
    unexpected = int(result.get("unexpected_count") or 0)
    verdict = Verdict(
        dataset=dataset,
        expectation=expectation_of(asked),
        column=asked.column,
        scope=asked.expectation.scope,
        success=bool(found["success"]),
        observed=_observed(result, unexpected, n_rows),
        unexpected_count=unexpected,
        element_count=n_rows,
        examples=() if asked.name.startswith("check_failed") else _examples(result),
        condition=asked.text,
    )
    return verdict, [int(each[ROW]) for each in result.get("unexpected_index_list") or []]


def _observed(result: dict[str, Any], unexpected: int, n_rows: int) -> str:
    value = result.get("observed_value")
    return observed(unexpected, n_rows) if value is None else str(value)


def _examples(result: dict[str, Any]) -> tuple[str, ...]:
    values = [str(value) for value in result.get("partial_unexpected_list") or [] if value is not None]
    return tuple(value[:_QUOTE] for value in dict.fromkeys(values))[:EXAMPLES]


def _refuse_crash(asked: Condition, found: dict[str, Any], dataset: str) -> None:
    """Great Expectations reports an expectation that raised as one that failed; it was not judged at all."""
    info = found.get("exception_info") or {}
    reports = [info] if "raised_exception" in info else list(info.values())
    messages = [report["exception_message"] for report in reports if report["raised_exception"]]
    if messages:
        raise ValidationError(
            f"{dataset}: {asked.name} could not be judged: {messages[0]}; correct it in data/contracts"
        )


def _failures(ids: pl.Series | None, conditions: list[Condition], rows: list[list[int]]) -> pl.DataFrame:
    """A line per row that breaks a condition, in the order of the rows."""
    broken = [
        pl.DataFrame({"row": indices, "reason": c.name, "said": c.text}, schema_overrides={"row": pl.Int64})
        for c, indices in zip(conditions, rows, strict=True)
        if indices
    ]
    if not broken:
        return pl.DataFrame(schema={"row": pl.Int64, "doc_id": pl.String, "reason": pl.String, "detail": pl.String})
    lines = pl.concat(broken).group_by("row", maintain_order=True).agg(pl.col("reason").first(), pl.col("said"))
    lines = lines.sort("row").with_columns(pl.format("not met: {}", pl.col("said").list.join("; ")).alias("detail"))
    named = pl.lit(None, pl.String) if ids is None else ids[lines["row"]]
    return lines.with_columns(named.alias("doc_id")).select("row", "doc_id", "reason", "detail")


def _arrow(frame: pl.DataFrame) -> Any:
    """An Arrow table without string views, for which pandas has no kernels."""
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _expectation(asked: Condition, position: int) -> Any:
    """The expectation's own class, filled; pandas warns of capturing groups, so they become plain groups."""
    from great_expectations.expectations.registry import get_expectation_impl

    kwargs = dict(asked.expectation.kwargs)
    if "regex" in kwargs:
        kwargs["regex"] = without_captures(kwargs["regex"])
    return get_expectation_impl(asked.expectation.type)(**kwargs, meta={"position": position})


def without_captures(pattern: str) -> str:
    """The same regular expression with every capturing group made a plain one."""
    token = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<\w+>|\((?!\?)", re.DOTALL)
    return token.sub(lambda found: "(?:" if found[0].startswith("(") else found[0], pattern)


def _batches() -> Any:
    """This thread's door to Great Expectations: a context shared by threads counts wrongly, without a word."""
    if not hasattr(_local, "batches"):
        with _loading:
            _local.batches = _open_context()
    return _local.batches


@contextmanager
def loading() -> Iterator[Callable[[], None]]:
    """Gives what begins to load Great Expectations, which takes a second, beside what is done; in the end it is loaded.

    Nothing begins by itself: while it loads, this process does little else.
    """
    thread = threading.Thread(target=_batches, daemon=True)

    def begin() -> None:
        if thread.ident is None:
            thread.start()

    try:
        yield begin
    finally:
        if thread.ident is not None:
            thread.join()


def _open_context() -> Any:
    """An ephemeral context that shows no progress bars, sends no statistics and does not hash frames."""
    import logging

    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings(), deferred(*_UNUSED):
        warnings.simplefilter("ignore")
        import great_expectations as gx
        import great_expectations.execution_engine.pandas_execution_engine as engine
        from great_expectations.data_context.types.base import ProgressBarsConfig
    engine.HASH_THRESHOLD = 0
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("part")
    return asset.add_batch_definition_whole_dataframe("whole")
