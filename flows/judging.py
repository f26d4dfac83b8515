"""Judge a dataset as a whole before it is committed: its contract, its keys, and what moved since the published one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from data import files, tables
from data.contracts import Contract
from data.contracts.evolution import refuse_breaking as refuse_breaking_change
from data.contracts.evolution import version_of
from data.hashing import fingerprint
from data.parts import apart
from data.versions import Build, Part
from flows.drafts import DISTINCT, PROFILE
from flows.job import Job
from pipelines import drift, validate
from pipelines.checks import repeated
from pipelines.validate import Comparison
from pipelines.validation_page import render_page

__all__ = ["PROFILE", "Basis", "judge", "refuse_breaking"]

_ROWS = 100_000
"""Rows of which a column is read at a time, if not one part has more."""


@dataclass(frozen=True)
class Basis:
    """What a version is made of and how; versions of the same basis are comparable but for their data."""

    inputs: list[dict[str, Any]]
    config: Any

    def of(self, job: Job, contract: Contract) -> str:
        """The same for two versions that only newer data tells apart.

        Sources count, but their names and bytes do not: a dump of another day is what drift is about. Other options,
        steps, models, tokenizers and libraries are meant to make other data.
        """
        options = sorted(fingerprint(asdict(source)) for source in job.recipe.sources.values())
        inputs = [_origin(job, one) for one in self.inputs if "raw" not in one]
        return fingerprint([contract.version[0], self.config, inputs, len(job.sources), options])


def _origin(job: Job, source: dict[str, Any]) -> Any:
    if "dataset" in source:
        manifest = job.lake.manifest(job.pipeline, source["dataset"], source["version"]) or {}
        return manifest.get("basis")
    return source


def refuse_breaking(job: Job, contract: Contract) -> None:
    """Raise ContractError if the published version keeps a promise that this contract takes back."""
    if (published := _published(job, contract)) is not None:
        refuse_breaking_change(published["contract"], contract.describe())


def judge(job: Job, target: Build, parts: list[Part], basis: Basis) -> dict[str, Any]:
    """What a manifest says of the judgement; a failing one ends the run and leaves a page that shows why.

    Raises ValidationError.
    """
    contract = target.contract
    rows = sum(part.rows for part in parts)
    verdicts = validate.merge([validate.PartResult.from_json(part.facts["validation"], contract) for part in parts])
    verdicts += validate.validate_dataset(repeated_keys(target, contract, parts), rows, contract)
    known = basis.of(job, contract)
    broken = [one for one in verdicts if one.scope == "dataset" and not one.success]
    if broken:
        raise validate.failure(broken[0], page=_page(job, contract, verdicts, None))
    after = drift.added(part.facts.get(PROFILE) for part in parts)
    comparison = compare(job, contract, after, known)
    moved = [] if comparison is None else [one for one in comparison.verdicts if not one.success]
    if comparison is not None and moved and not job.accept_drift:
        raise validate.drifted(moved, comparison, page=_page(job, contract, verdicts, comparison))
    said = None if comparison is None else comparison.as_json()
    return {"validation": [one.as_json() for one in verdicts], "basis": known, PROFILE: after, "drift": said}


def compare(job: Job, contract: Contract, after: drift.Profile | None, basis: str) -> Comparison | None:
    """What moved since the published version; None for a dataset that is not compared."""
    if contract.drift is None or after is None:
        return None
    published = _published(job, contract)
    before = None if published is None else published.get(PROFILE)
    if published is None or before is None:
        return Comparison(after=after, why_not="there is no published version with a profile")
    if published.get("basis") != basis:
        return Comparison(after=after, why_not=_why_not(published, contract))
    measures = drift.measures(before, after, contract.drift)
    if not measures:
        why = f"the published version has fewer than {contract.drift.least_rows} rows"
        return Comparison(after=after, why_not=why)
    verdicts = tuple(validate.validate_drift(measures, contract.name))
    accepted = job.accept_drift and not all(one.success for one in verdicts)
    version: str = published["version"]
    return Comparison(after=after, before=before, compared_with=version, accepted=accepted, verdicts=verdicts)


def _why_not(published: dict[str, Any], contract: Contract) -> str:
    if version_of(published["contract"])[0] != contract.version[0]:
        return "the published version has another major version of the contract"
    return "the recipe, a step, a model or the number of sources is another than that of the published version"


def _published(job: Job, contract: Contract) -> dict[str, Any] | None:
    """Manifest of the version that was published last."""
    version = (job.lake.newest(job.pipeline) or {"datasets": {}})["datasets"].get(contract.name)
    return None if version is None else job.lake.manifest(job.pipeline, contract.name, version)


def _page(job: Job, contract: Contract, verdicts: list[validate.Verdict], comparison: Comparison | None) -> str:
    page = job.report_folder / f"validation-{contract.name}.html"
    files.write_bytes(page, render_page(contract.name, verdicts, comparison).encode("utf-8"))
    return str(page)


def repeated_keys(target: Build, contract: Contract, parts: list[Part]) -> dict[str, pl.Series]:
    """The values that stand more than once in each column that dataset-wide expectations look at."""
    columns = {str(e.kwargs["column"]) for e in contract.expectations if e.scope == "dataset" and "column" in e.kwargs}
    return {name: _repeated(target, parts, name) for name in sorted(columns)}


def _repeated(target: Build, parts: list[Part], name: str) -> pl.Series:
    """Values that stand more than once: parts that hold each of theirs once, and none of another's, are not read."""
    alone = [part.facts.get(DISTINCT) == name and own for part, own in zip(parts, apart(parts, name), strict=True)]
    doubtful = [part for part, sure in zip(parts, alone, strict=True) if not sure]
    readers = [partial(_column, [target.folder / part.file for part in some], name) for some in _groups(doubtful)]
    return repeated(readers, sum(part.rows for part in doubtful))


def _groups(parts: list[Part]) -> Iterator[list[Part]]:
    """Neighbouring parts of at most so many rows together: many small files cost a third read together."""
    group: list[Part] = []
    held = 0
    for part in parts:
        if group and held + part.rows > _ROWS:
            yield group
            group, held = [], 0
        group.append(part)
        held += part.rows
    if group:
        yield group


def _column(paths: list[Path], name: str) -> pl.Series:
    return tables.read_all(paths, [name])[name]
