"""The verdicts on a dataset as a page of the report."""

from __future__ import annotations

from pipelines import charts, drift, pages
from pipelines.verdicts import Comparison, Verdict


def render_page(dataset: str, verdicts: list[Verdict], comparison: Comparison | None = None) -> str:
    """The verdicts on a dataset, and what moved since the published version, as a self-contained HTML page."""
    drawn = _charts(comparison) if comparison is not None and comparison.before is not None else []
    values = {"dataset": dataset, "verdicts": verdicts, "drift": comparison, "charts": drawn}
    return pages.render_page("validation.html.j2", values)


def _charts(comparison: Comparison) -> list[tuple[str, str]]:
    """A title and a chart for each distribution that was compared."""
    before, after, found = comparison.before or {}, comparison.after, []
    for kind, what in (("categories", "Values"), ("lengths", "Lengths")):
        for column, old in before[kind].items():
            new = after[kind].get(column, {})
            shares = drift.ordered(kind, drift.shifts(old, new))
            found.append((f"{what} of {drift.shown(column)}", charts.shifts(f"{kind}-{column}", shares)))
    return found
