"""The charts of the report: plain data in, an SVG for an HTML page out. Altair draws, vl-convert renders, offline.

Colours are written as CSS variables, so a chart follows the page from light to dark. Every function returns an
empty string where there is nothing to draw.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from pipelines import pages

INK, QUIET, GRID, PAPER = "#1c2431", "#5d6878", "#e2dfd7", "#fefefd"
KEPT, FILTERED, FAILED, SECOND = "#1f6f8c", "#d99a2c", "#c2453d", "#8a94a3"
_VARIABLES = {
    INK: "var(--ink)",
    QUIET: "var(--quiet)",
    GRID: "var(--line)",
    PAPER: "var(--card)",
    KEPT: "var(--chart-1)",
    FILTERED: "var(--chart-2)",
    FAILED: "var(--chart-3)",
    SECOND: "var(--chart-4)",
}
WIDTH = 1010
"""Width in points of a chart that fills the page."""
_TOP = 12
_BINS = 30


def funnel(stages: Sequence[tuple[str, int, int, int]]) -> str:
    """Bars of (stage, kept, filtered, failed) records, in the order given."""
    fates = ("kept", "filtered", "failed")
    rows = [
        {"stage": stage, "fate": fate, "order": order, "records": count}
        for stage, *counts in stages
        for order, (fate, count) in enumerate(zip(fates, counts, strict=True))
    ]
    if not any(sum(counts) for _, *counts in stages):
        return ""
    import altair as alt

    colour = alt.Color("fate:N", title=None, scale=_scale(fates, (KEPT, FILTERED, FAILED)), sort=list(fates))
    chart = _bars(rows, WIDTH, alt.Step(34)).encode(
        y=alt.Y("stage:N", sort=[stage for stage, *_ in stages], title=None),
        x=alt.X("records:Q", title="records", axis=alt.Axis(format="~s", tickMinStep=1, tickCount=8)),
        color=colour,
        order="order:Q",
    )
    return _svg(chart, "funnel")


def reasons(counts: Mapping[tuple[str, str, str], int]) -> str:
    """Bars of rejected records by (stage, reason, kind), the most frequent first; the rest in one bar."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [{"reason": f"{key[1]} · {key[0]}", "kind": key[2], "records": n} for key, n in ranked[:_TOP]]
    rest = Counter[str]()
    for (_, _, kind), count in ranked[_TOP:]:
        rest[kind] += count
    rows += [{"reason": f"other reasons · {kind}", "kind": kind, "records": count} for kind, count in rest.items()]
    if not rows:
        return ""
    import altair as alt

    kinds = alt.Color("kind:N", title=None, scale=_scale(("filtered", "failed"), (FILTERED, FAILED)))
    return _svg(_labelled_bars(rows, "reason", "records").encode(color=kinds), "reasons")


def languages(counts: Mapping[str, int]) -> str:
    """Bars of documents by language, the most frequent first; the rest in one bar."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    rows = [{"language": name, "documents": count} for name, count in ranked[:_TOP]]
    if rest := sum(count for _, count in ranked[_TOP:]):
        rows.append({"language": f"{len(ranked) - _TOP} others", "documents": rest})
    return _svg(_labelled_bars(rows, "language", "documents"), "languages") if rows else ""


def lengths(words: Sequence[int]) -> str:
    """Histogram of documents by length in words, on a logarithmic axis, with the median."""
    known = [count for count in words if count > 0]
    if not known:
        return ""
    import altair as alt

    axis = alt.Axis(format="~s", values=_round_numbers(min(known), max(known)), grid=False)
    x = alt.X("low:Q", scale=alt.Scale(type="log", nice=False), title="words", axis=axis)
    bars = _histogram(_log_bins(known), width=WIDTH, height=230, x=x, axis=_whole(), title="documents")
    said = [{"low": median(known), "label": f"median {pages.number(round(median(known)))}"}]
    rule = alt.Chart(alt.Data(values=said)).mark_rule(color=FILTERED, strokeWidth=2).encode(x="low:Q")
    label = rule.mark_text(color=INK, align="left", dx=6, dy=8, y=0, fontWeight=600).encode(text="label:N")
    return _svg(bars + rule + label, "lengths")


def quality(signals: Mapping[str, Sequence[float]]) -> str:
    """Small histograms, one per quality signal, each on its own axes."""
    drawn = {name: [v for v in values if math.isfinite(v)] for name, values in signals.items()}
    rows = [
        {"signal": name.replace("_", " "), "low": low, "high": high, "documents": count}
        for name, values in drawn.items()
        for low, high, count in _bins(values)
    ]
    if not rows:
        return ""
    import altair as alt

    x = alt.X("low:Q", title=None, axis=alt.Axis(tickCount=3, grid=False), scale=alt.Scale(zero=False, nice=False))
    bars = _histogram(rows, width=198, height=92, x=x, axis=_whole(3), title=None)
    panels = bars.facet(facet=alt.Facet("signal:N", title=None), columns=4, spacing=22)
    return _svg(panels.resolve_scale(x="independent", y="independent"), "quality", facets=True)


def shifts(name: str, shares: Sequence[tuple[str, float, float]]) -> str:
    """Pairs of bars of (label, published share, share now), in the order given."""
    sides = ("published", "this version")
    rows = [
        {"label": label, "side": side, "share": share}
        for label, *both in shares
        for side, share in zip(sides, both, strict=True)
    ]
    if not rows:
        return ""
    import altair as alt

    chart = _bars(rows, WIDTH, alt.Step(13)).encode(
        y=alt.Y("label:N", sort=[label for label, *_ in shares], title=None, axis=alt.Axis(labelLimit=300)),
        yOffset=alt.YOffset("side:N", sort=list(sides)),
        x=alt.X("share:Q", title="share of rows", axis=alt.Axis(format="%", tickCount=6)),
        color=alt.Color("side:N", title=None, scale=_scale(sides, (SECOND, KEPT)), sort=list(sides)),
    )
    return _svg(chart, f"shifts-{name}")


def curves(lines: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], *, y: str | None = "loss") -> str:
    """Training curves of (panel, split, points of (step, value)): a panel per name, a line per split.

    `y` is the title of the values; None where the names of the panels tell it.
    """
    rows = [
        {"model": model, "split": split, "step": step, "loss": loss}
        for model, split, points in lines
        for step, loss in points
        if math.isfinite(loss)
    ]
    if not rows:
        return ""
    import altair as alt

    models = list(dict.fromkeys(row["model"] for row in rows))
    splits = alt.Color("split:N", title=None, scale=_scale(("train", "validation"), (KEPT, FILTERED)))
    width = WIDTH - 60 if len(models) == 1 else (WIDTH - 150) // 2
    line = alt.Chart(alt.Data(values=rows), width=width, height=220).mark_line(
        interpolate="linear", strokeWidth=2, point=alt.OverlayMarkDef(size=18) if len(rows) < 150 else False
    )
    panels = line.encode(
        x=alt.X("step:Q", title="step", axis=alt.Axis(format="~s", tickCount=6)),
        y=alt.Y("loss:Q", title=y, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=5, **_extent(30))),
        color=splits,
    ).facet(facet=alt.Facet("model:N", title=None, sort=models), columns=2, spacing=30)
    return _svg(panels.resolve_scale(x="independent", y="independent"), "curves", facets=True)


def trade_off(series: Mapping[str, Sequence[Mapping[str, float]]], *, x: str, y: str) -> str:
    """A line for each series through its rows in their order, by the values `x` and `y` of a row; `temperature`, where
    a row has it, stands at its point."""
    rows = [
        {"name": name, "order": order, "x": row[x], "y": row[y], "label": f"{row.get('temperature', '')}"}
        for name, points in series.items()
        for order, row in enumerate(points)
        if math.isfinite(row[x]) and math.isfinite(row[y])
    ]
    if not rows:
        return ""
    import altair as alt

    titles = {axis: alt.Axis(tickCount=6, title=axis.replace("_", " ")) for axis in (x, y)}
    base = alt.Chart(alt.Data(values=rows), width=WIDTH, height=260).encode(
        x=alt.X("x:Q", scale=alt.Scale(zero=False), axis=titles[x]),
        y=alt.Y("y:Q", scale=alt.Scale(zero=False), axis=titles[y]),
    )
    colour = alt.Color("name:N", title=None, scale=_scale(tuple(series), (KEPT, FILTERED, FAILED, SECOND)))
    line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=40)).encode(color=colour, order="order:Q")
    text = base.mark_text(dy=-10, color=QUIET).encode(text="label:N")
    return _svg(line + text, "trade-off")


def scores(rows: Sequence[Mapping[str, Any]]) -> str:
    """Dots with their intervals, a panel per task and metric.

    Each row has task, metric, model, value, ci_low, ci_high and baseline (a boolean).
    """
    drawn = [
        {**row, "panel": f"{row['task']}: {row['metric']}", "kind": "baseline" if row["baseline"] else "model"}
        for row in rows
        if all(math.isfinite(row[name]) for name in ("value", "ci_low", "ci_high"))
    ]
    if not drawn:
        return ""
    import altair as alt

    legend = alt.Legend(title=None, symbolOpacity=1)
    kinds = alt.Color("kind:N", legend=legend, scale=_scale(("model", "baseline"), (KEPT, SECOND)))
    base = alt.Chart(alt.Data(values=drawn), width=312, height=alt.Step(26)).encode(
        y=alt.Y("model:N", title=None, sort=alt.SortField("baseline"), axis=alt.Axis(labelLimit=150, **_extent(160))),
        color=kinds,
    )
    span = base.mark_rule(strokeWidth=3, strokeCap="round", opacity=0.45).encode(
        x=alt.X("ci_low:Q", title=None, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=4)),
        x2="ci_high:Q",
    )
    dot = base.mark_point(size=80, filled=True, opacity=1).encode(x="value:Q")
    panels = (span + dot).facet(facet=alt.Facet("panel:N", title=None, sort=_order(drawn)), columns=2, spacing=26)
    return _svg(panels.resolve_scale(x="independent", y="independent"), "scores", facets=True)


def _order(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["panel"] for row in rows))


def _bars(rows: Sequence[Mapping[str, Any]], width: int, height: Any) -> Any:
    import altair as alt

    return alt.Chart(alt.Data(values=list(rows)), width=width, height=height).mark_bar(color=KEPT)


def _labelled_bars(rows: Sequence[Mapping[str, Any]], name: str, count: str) -> Any:
    """Horizontal bars in the order given, each with its number behind it."""
    import altair as alt

    order = [row[name] for row in rows]
    base = _bars(rows, WIDTH, alt.Step(24)).encode(
        y=alt.Y(f"{name}:N", sort=order, title=None, axis=alt.Axis(labelLimit=300)),
        x=alt.X(f"{count}:Q", title=None, axis=None, scale=alt.Scale(domainMax=max(row[count] for row in rows) * 1.06)),
    )
    text = base.mark_text(align="left", dx=6).encode(text=alt.Text(f"{count}:Q", format=","), color=alt.value(INK))
    return base + text


def _histogram(
    rows: Sequence[Mapping[str, Any]], *, width: int, height: int, x: Any, axis: Any, title: str | None
) -> Any:
    """Boxes from `low` to `high`, as high as there are documents."""
    import altair as alt

    boxes = alt.Chart(alt.Data(values=[{**row, "floor": 0} for row in rows]), width=width, height=height)
    up = alt.Y("documents:Q", title=title, axis=axis)
    return boxes.mark_rect(color=KEPT, stroke=PAPER, strokeWidth=0.75).encode(x=x, x2="high:Q", y=up, y2="floor:Q")


def _round_numbers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten from `low` to `high`."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [figure * 10.0**power for power in powers for figure in (1, 2, 5) if low <= figure * 10.0**power <= high]


def _extent(points: int) -> dict[str, int]:
    """Room for the labels of an axis, the same in every panel, so that the panels stand in line."""
    return {"minExtent": points, "maxExtent": points}


def _whole(ticks: int = 5) -> Any:
    """An axis of whole numbers."""
    import altair as alt

    return alt.Axis(format="~s", tickMinStep=1, tickCount=ticks, **_extent(30))


def _scale(domain: Sequence[str], colours: Sequence[str]) -> Any:
    import altair as alt

    return alt.Scale(domain=list(domain), range=list(colours))


def _bins(values: Sequence[float], bins: int = _BINS) -> list[tuple[float, float, int]]:
    """Equal bins (low, high, count) from the smallest to the largest value; a single value gets one bin."""
    if not values:
        return []
    low, high = min(values), max(values)
    step = (high - low) / bins or max(abs(low), 1.0) / bins
    counts = Counter(min(int((value - low) / step), bins - 1) for value in values)
    return [(low + i * step, low + (i + 1) * step, counts[i]) for i in range(bins) if counts[i]]


def _log_bins(values: Sequence[int]) -> list[dict[str, float]]:
    return [
        {"low": 10**low, "high": 10**high, "documents": count}
        for low, high, count in _bins([math.log10(value) for value in values])
    ]


def _svg(chart: Any, name: str, *, facets: bool = False) -> str:
    """The chart as inline SVG: ids of its own, page colours, no fixed size."""
    import vl_convert

    if not facets:
        chart = chart.properties(autosize={"type": "fit-x", "contains": "padding"})
    spec = chart.configure(**_theme()).to_dict()
    drawn = vl_convert.vegalite_to_svg(spec)
    for colour, variable in _VARIABLES.items():
        drawn = re.sub(re.escape(colour), variable, drawn, flags=re.IGNORECASE)
    drawn = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", drawn)
    drawn = re.sub(r'\s(role|aria-[a-z]+)="[^"]*"', "", drawn)
    return _own_ids(drawn, name)


def _own_ids(drawn: str, name: str) -> str:
    """Ids that no other chart of the page has; the renderer counts on from chart to chart."""
    found = dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawn))
    fresh = {old: f"{name}-{number}" for number, old in enumerate(found)}
    return re.sub(r'(\bid="|#)([\w-]+)(?=["\')])', lambda m: m[1] + fresh.get(m[2], m[2]), drawn)


def _theme() -> dict[str, Any]:
    """Quiet axes, round bars, labels in the colours of the page."""
    axis = {"labelColor": QUIET, "titleColor": QUIET, "gridColor": GRID, "domain": False, "ticks": False}
    fonts = {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    header = {"labelColor": INK, "labelFontSize": 12, "labelFontWeight": 600, "labelAnchor": "start"}
    legend = {"labelColor": QUIET, "labelFontSize": 12, "orient": "top", "symbolType": "circle"}
    return {
        "background": "transparent",
        "font": "DejaVu Sans, Verdana, sans-serif",
        "aria": False,
        "view": {"stroke": None},
        "axis": {**axis, **fonts, "labelPadding": 6, "titlePadding": 10},
        "axisY": {"titleAngle": -90},
        "header": header,
        "legend": legend,
        "bar": {"cornerRadiusEnd": 2},
    }
