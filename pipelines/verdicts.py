"""What a validation found: verdicts on parts and datasets, what moved, and the errors that stop a publication."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data.contracts import Contract
from data.errors import TextmillError
from pipelines.checks import Condition, row_conditions
from pipelines.drift import Profile

EXAMPLES = 5
"""How many unexpected values a verdict quotes."""


class ValidationError(TextmillError):
    """A dataset breaks its contract, or its contract cannot be judged."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one expectation found. `unexpected_count` of `element_count` rows did not meet `condition`."""

    dataset: str
    expectation: str
    column: str
    scope: str
    success: bool
    observed: str
    unexpected_count: int
    element_count: int
    examples: tuple[str, ...] = ()
    condition: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """What is the same of two verdicts on one condition."""
        return self.dataset, self.expectation, self.column, self.condition

    def as_json(self) -> dict[str, Any]:
        """Plain data for a manifest."""
        return {**asdict(self), "examples": list(self.examples)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Verdict:
        """The verdict that `as_json` wrote."""
        return cls(**{**content, "examples": tuple(content["examples"])})

    @classmethod
    def met(cls, asked: Condition, dataset: str, n_rows: int) -> Verdict:
        """The verdict on a condition that all of so many rows meet."""
        return cls(
            dataset=dataset,
            expectation=expectation_of(asked),
            column=asked.column,
            scope=asked.expectation.scope,
            success=True,
            observed=observed(0, n_rows),
            unexpected_count=0,
            element_count=n_rows,
            condition=asked.text,
        )


def expectation_of(asked: Condition) -> str:
    """The name of a condition without its column, which a verdict holds apart."""
    return asked.name.partition(":")[0] if asked.column else asked.name


def observed(unexpected: int, n_rows: int) -> str:
    """How many rows do not meet a condition."""
    return f"{unexpected} of {n_rows} rows"


@dataclass(frozen=True, slots=True)
class PartResult:
    """The verdicts on the rows of one part: n_in = n_kept + n_failed."""

    dataset: str
    n_in: int
    n_kept: int
    n_failed: int
    verdicts: tuple[Verdict, ...]

    def as_json(self, contract: Contract) -> dict[str, Any]:
        """Plain data for the note of a part: conditions that all rows meet are left to the contract.

        A manifest holds those of every part, and is read by every run: in full they would be four fifths of it.
        """
        told = {Verdict.met(asked, self.dataset, self.n_in) for asked in row_conditions(contract)}
        return {
            "dataset": self.dataset,
            "n_in": self.n_in,
            "n_kept": self.n_kept,
            "n_failed": self.n_failed,
            "verdicts": [verdict.as_json() for verdict in self.verdicts if verdict not in told],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], contract: Contract) -> PartResult:
        """The result that `as_json` wrote, or the whole one of an earlier release, by the order of the contract."""
        found = {verdict.key: verdict for verdict in map(Verdict.from_json, content["verdicts"])}
        told = (Verdict.met(asked, content["dataset"], content["n_in"]) for asked in row_conditions(contract))
        return cls(**{**content, "verdicts": tuple(({one.key: one for one in told} | found).values())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What moved since the published version `compared_with`, or `why_not` it was compared with none.

    `before` and `after` are profiles; `accepted` tells that whatever moved was said to be meant.
    """

    after: Profile
    before: Profile | None = None
    compared_with: str | None = None
    why_not: str = ""
    accepted: bool = False
    verdicts: tuple[Verdict, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data for a manifest, which holds the profile `after` apart."""
        return {
            "compared_with": self.compared_with,
            "why_not": self.why_not,
            "accepted": self.accepted,
            "before": self.before,
            "verdicts": [verdict.as_json() for verdict in self.verdicts],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], after: Profile) -> Comparison:
        """The comparison that `as_json` wrote."""
        verdicts = tuple(Verdict.from_json(each) for each in content["verdicts"])
        return cls(**{**content, "verdicts": verdicts, "after": after})


def merge(results: Iterable[PartResult]) -> list[Verdict]:
    """One verdict per expectation over all parts of a dataset, counts added."""
    merged: dict[tuple[str, ...], Verdict] = {}
    for verdict in (verdict for result in results for verdict in result.verdicts):
        merged[verdict.key] = _add(merged[verdict.key], verdict) if verdict.key in merged else verdict
    return list(merged.values())


def together(results: Sequence[PartResult]) -> PartResult:
    """The result of several batches of a part as one."""
    first, n_in = results[0], sum(each.n_in for each in results)
    n_failed = sum(each.n_failed for each in results)
    return (
        first
        if len(results) == 1
        else PartResult(first.dataset, n_in, n_in - n_failed, n_failed, tuple(merge(results)))
    )


def failure(verdict: Verdict, *, page: str | None = None) -> ValidationError:
    """The error for a dataset that is not published: dataset, expectation, observed value and where to look."""
    name = f"{verdict.expectation}:{verdict.column}" if verdict.column else verdict.expectation
    examples = f", for example {', '.join(verdict.examples)}" if verdict.examples else ""
    where = f" See {page}" if page else ""
    return ValidationError(
        f"{verdict.dataset} breaks {name} ({verdict.condition}): observed {verdict.observed}{examples}. "
        f"It was not published.{where}"
    )


def drifted(moved: Sequence[Verdict], comparison: Comparison, *, page: str) -> ValidationError:
    """The error for a dataset that moved too far from its published version: what moved, both values and the option."""
    first, more = moved[0], f" (and {len(moved) - 1} more)" if len(moved) > 1 else ""
    return ValidationError(
        f"{first.dataset} drifted{f' in {first.column}' if first.column else ''} from the published version "
        f"{comparison.compared_with}: {first.observed}{more}; the contract wants {first.condition}. Nothing was "
        f"published. If it is meant, run again with --accept-drift; see {page}"
    )


def _add(first: Verdict, second: Verdict) -> Verdict:
    unexpected = first.unexpected_count + second.unexpected_count
    elements = first.element_count + second.element_count
    return Verdict(
        dataset=first.dataset,
        expectation=first.expectation,
        column=first.column,
        scope=first.scope,
        success=first.success and second.success,
        observed=observed(unexpected, elements),
        unexpected_count=unexpected,
        element_count=elements,
        examples=tuple(dict.fromkeys(first.examples + second.examples))[:EXAMPLES],
        condition=first.condition,
    )
