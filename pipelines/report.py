"""One run as one page: what went in, what came out and why, how good the models are, and where all of it comes from.

The page holds its styles and charts; opening it needs no network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines import charts, graph, pages
from pipelines.graph import Node

VERSION = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFact:
    """A source file as it was fetched. `url` is where it came from, empty for a local file."""

    file: str
    sha256: str
    licence: str
    bytes: int
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunnelStage:
    """Records into a stage, records kept, and the others by reason: n_in = n_kept + filtered + failed."""

    stage: str
    n_in: int
    n_kept: int
    filtered: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRow:
    """A published dataset version; `reused` tells that an earlier run made it."""

    name: str
    version: str
    rows: int
    bytes: int
    path: str
    reused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """Loss by step of one model on one split (`train`, `validation`)."""

    model: str
    split: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A score with its 95 % interval; `version` is None for a baseline."""

    task: str
    model: str
    metric: str
    value: float
    ci_low: float
    ci_high: float
    n: int
    version: str | None = None
    baseline: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """Whether a model version became champion, and why; `gain` over what it was compared with."""

    task: str
    model: str
    version: str
    promoted: bool
    reason: str
    gain: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One document as the models read it. `entities` are (surface, type); `probabilities` by sentiment label."""

    title: str
    url: str = ""
    summary: str = ""
    sentiment_label: str = ""
    sentiment_score: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    entities: Sequence[tuple[str, str]] = ()
    keyphrases: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationRow:
    """How a dataset met its contract. `n_failed_rows` were set apart, `n_failures` expectations were not met.

    `drift` says how it compares with the version published before.
    """

    dataset: str
    n_expectations: int
    n_failures: int = 0
    n_failed_rows: int = 0
    page: str = ""
    drift: str = "not compared"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportData:
    """Everything that the report shows; what is empty becomes a sentence."""

    pipeline: str
    run_id: str
    started: str
    finished: str
    sources: Sequence[SourceFact] = ()
    funnel: Sequence[FunnelStage] = ()
    datasets: Sequence[DatasetRow] = ()
    n_words: Sequence[int] = ()
    quality: Mapping[str, Sequence[float]] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    curves: Sequence[Curve] = ()
    metrics: Sequence[Metric] = ()
    decisions: Sequence[Decision] = ()
    samples: Sequence[Sample] = ()
    nodes: Sequence[Node] = ()
    edges: Sequence[tuple[str, str]] = ()
    validation: Sequence[ValidationRow] = ()
    notes: Sequence[str] = ()


def render(report: ReportData) -> str:
    """The report as one self-contained HTML page, everything from the data escaped."""
    return pages.render_page(
        "report.html.j2",
        {"report": report, "charts": draw(report), "tiles": tiles(report), "reasons": reasons(report)},
    )


def draw(report: ReportData) -> dict[str, str]:
    """The charts as inline SVG by name; an empty string where there is nothing to draw."""
    stages = [
        (stage.stage, stage.n_kept, sum(stage.filtered.values()), sum(stage.failed.values())) for stage in report.funnel
    ]
    return {
        "funnel": charts.funnel(stages),
        "reasons": charts.reasons(reasons(report)),
        "lengths": charts.lengths(report.n_words),
        "languages": charts.languages(report.languages),
        "quality": charts.quality(report.quality),
        "curves": charts.curves([(curve.model, curve.split, curve.points) for curve in report.curves]),
        "scores": charts.scores([_score(metric) for metric in report.metrics]),
        "lineage": graph.draw(report.nodes, report.edges),
    }


def reasons(report: ReportData) -> dict[tuple[str, str, str], int]:
    """Records that left the stream, by (stage, reason, kind)."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for stage in report.funnel:
        counts.update({(stage.stage, reason, "filtered"): count for reason, count in stage.filtered.items()})
        counts.update({(stage.stage, reason, "failed"): count for reason, count in stage.failed.items()})
    return dict(counts)


def tiles(report: ReportData) -> list[tuple[str, str]]:
    """The figures that a reader wants first: (figure, what it counts). Those without data are left out."""
    found: list[tuple[str, str]] = []
    if report.funnel:
        failed = sum(sum(stage.failed.values()) for stage in report.funnel)
        found += [
            (pages.number(report.funnel[0].n_in), "records read"),
            (pages.number(report.funnel[-1].n_kept), "documents published"),
            (pages.number(failed), "records failed"),
        ]
    if report.n_words:
        found.append((pages.number(sum(report.n_words)), "words"))
    if report.datasets:
        found.append((pages.size(sum(row.bytes for row in report.datasets)), "of Parquet"))
    if report.decisions:
        promoted = sum(decision.promoted for decision in report.decisions)
        found.append((f"{promoted} of {len(report.decisions)}", "models promoted"))
    return found


def _score(metric: Metric) -> dict[str, Any]:
    name = metric.model.removeprefix("baseline:") if metric.baseline else metric.model
    return {
        "task": metric.task,
        "metric": metric.metric,
        "model": name if metric.version is None else f"{name} {metric.version}",
        "value": metric.value,
        "ci_low": metric.ci_low,
        "ci_high": metric.ci_high,
        "baseline": metric.baseline,
    }
