"""A lineage graph as inline SVG: what is made from what, from left to right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 132, 46
GAP_X, GAP_Y = 44, 14
_LETTERS = 18


@dataclass(frozen=True, slots=True)
class Node:
    """A version of something. `kind` is source, dataset, tokenizer, model or report."""

    id: str
    label: str
    kind: str = "dataset"
    detail: str = ""


def draw(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> str:
    """The graph as SVG; an empty string without nodes. Edges between unknown nodes are left out."""
    if not nodes:
        return ""
    known = {node.id for node in nodes}
    kept = [(a, b) for a, b in dict.fromkeys(edges) if a in known and b in known and a != b]
    places = _places(nodes, kept)
    width = max(x for x, _ in places.values()) + BOX_WIDTH + 2
    height = max(y for _, y in places.values()) + BOX_HEIGHT + 2
    lines = "".join(_edge(places[a], places[b]) for a, b in kept)
    boxes = "".join(_box(node, *places[node.id]) for node in nodes)
    return f'<svg class="graph" viewBox="-1 -1 {width} {height}" width="{width}" height="{height}">{lines}{boxes}</svg>'


def depths(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest way from a root to each node: its column. A cycle is cut after as many steps as there are nodes."""
    depth = dict.fromkeys(names, 0)
    for _ in names:
        moved = False
        for a, b in edges:
            if depth[b] <= depth[a] < len(names) - 1:
                depth[b], moved = depth[a] + 1, True
        if not moved:
            break
    return depth


def _places(nodes: Sequence[Node], edges: Sequence[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Upper left corner of each box: columns by depth, each column centred and ordered by its neighbours."""
    columns: dict[int, list[str]] = defaultdict(list)
    for name, depth in depths([node.id for node in nodes], edges).items():
        columns[depth].append(name)
    _untangle([columns[key] for key in sorted(columns)], edges)
    tallest = max(map(len, columns.values()))
    step_x, step_y = BOX_WIDTH + GAP_X, BOX_HEIGHT + GAP_Y
    return {
        name: (index * step_x, (row + (tallest - len(columns[key])) / 2) * step_y)
        for index, key in enumerate(sorted(columns))
        for row, name in enumerate(columns[key])
    }


def _untangle(columns: list[list[str]], edges: Sequence[tuple[str, str]]) -> None:
    """Sort each column by the mean place of what its boxes are made from, then of what is made from them."""
    for _ in range(3):
        for left, right in pairwise(columns):
            _sort_by_neighbours(right, left, edges)
        for left, right in pairwise(columns[::-1]):
            _sort_by_neighbours(right, left, [(b, a) for a, b in edges])


def _sort_by_neighbours(column: list[str], other: Sequence[str], edges: Sequence[tuple[str, str]]) -> None:
    place: Mapping[str, int] = {name: row for row, name in enumerate(other)}
    shift = (len(other) - len(column)) / 2
    means = {}
    for row, name in enumerate(column):
        rows = [place[a] for a, b in edges if b == name and a in place]
        means[name] = sum(rows) / len(rows) if rows else row + shift
    column.sort(key=means.__getitem__)


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1 = start[0] + BOX_WIDTH, start[1] + BOX_HEIGHT / 2
    x2, y2 = end[0], end[1] + BOX_HEIGHT / 2
    bend = max((x2 - x1) / 2, GAP_X / 2)
    path = f"M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path class="edge" d="{path}"/>'


def _box(node: Node, x: float, y: float) -> str:
    kind = "".join(letter for letter in node.kind if letter.isalnum())
    return (
        f'<g class="node {kind}" transform="translate({x:g} {y:g})"><title>{escape(node.label)} {escape(node.detail)}'
        f'</title><rect width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f'<text x="12" y="20">{escape(_short(node.label))}</text>'
        f'<text class="detail" x="12" y="36">{escape(_short(node.detail))}</text></g>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
