"""A lineage graph as inline SVG: what is made from what, from left to right.

The layout is that of Sugiyama, Tagawa and Toda (1981): columns by the longest way, points on the way of an edge
that passes a column, and columns sorted by the places of their neighbours so that few edges cross.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

BOX_WIDTH, BOX_HEIGHT = 128, 46
GAP_X, GAP_Y = 40, 14
_LETTERS = 17
_ROUNDS = 6

Slot = tuple[str, int]
"""A place in a column: the id of a node and the number of the column. Off the node's own column it is a point
through which the edges from that node pass, bundled."""


@dataclass(frozen=True, slots=True)
class Node:
    """A version of something. `kind` is source, dataset, tokenizer or model."""

    id: str
    label: str
    kind: str = "dataset"
    detail: str = ""


def draw(nodes: Sequence[Node], edges: Iterable[tuple[str, str]]) -> str:
    """The graph as SVG; an empty string without nodes. Edges of unknown nodes and of a node to itself are left out."""
    if not nodes:
        return ""
    known = {node.id for node in nodes}
    kept = [(a, b) for a, b in dict.fromkeys(edges) if a in known and b in known and a != b]
    depth = depths([node.id for node in nodes], kept)
    links = _links([(a, b) for a, b in kept if depth[a] < depth[b]], depth)
    columns = _columns(depth, links)
    places = _places(columns, depth)
    lines = "".join(_edge(places[a], places[b], passes=depth[b[0]] != b[1]) for a, b in links)
    boxes = "".join(_box(node, *places[node.id, depth[node.id]]) for node in nodes)
    width = len(columns) * (BOX_WIDTH + GAP_X) - GAP_X + 2
    height = max(_height(column, depth) for column in columns) + 2
    return f'<svg class="graph" viewBox="-1 -1 {width} {height}" width="{width}" height="{height}">{lines}{boxes}</svg>'


def depths(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Column of each node: the longest way from a root, then as near to what is made from it as can be.

    A cycle is cut after as many steps as there are nodes.
    """
    depth = dict.fromkeys(names, 0)
    for _ in names:
        for a, b in edges:
            if depth[b] <= depth[a] < len(names) - 1:
                depth[b] = depth[a] + 1
    for name in sorted(names, key=depth.__getitem__, reverse=True):
        children = [depth[b] for a, b in edges if a == name]
        depth[name] = max([depth[name], *([min(children) - 1] if children else [])])
    return _packed(depth)


def _packed(depth: Mapping[str, int]) -> dict[str, int]:
    """The same order of columns without empty ones."""
    number = {old: new for new, old in enumerate(sorted(set(depth.values())))}
    return {name: number[old] for name, old in depth.items()}


def _links(edges: Sequence[tuple[str, str]], depth: Mapping[str, int]) -> list[tuple[Slot, Slot]]:
    """Each edge as links from one column to the next; links that edges from the same node share come once."""
    links: dict[tuple[Slot, Slot], None] = {}
    for a, b in edges:
        way = [(a, column) for column in range(depth[a], depth[b])] + [(b, depth[b])]
        links |= dict.fromkeys(pairwise(way))
    return list(links)


def _columns(depth: Mapping[str, int], links: Sequence[tuple[Slot, Slot]]) -> list[list[Slot]]:
    """The slots of each column, sorted by the mean place of their neighbours to the left and to the right in turn."""
    slots = dict.fromkeys([*depth.items(), *[slot for link in links for slot in link]])
    columns: list[list[Slot]] = [[] for _ in range(max(depth.values()) + 1)]
    for slot in slots:
        columns[slot[1]].append(slot)
    before, after = defaultdict(list), defaultdict(list)
    for a, b in links:
        before[b].append(a)
        after[a].append(b)
    for _ in range(_ROUNDS):
        for other, column in pairwise(columns):
            _sort(column, other, before)
        for other, column in pairwise(columns[::-1]):
            _sort(column, other, after)
    return columns


def _sort(column: list[Slot], other: Sequence[Slot], neighbours: Mapping[Slot, Sequence[Slot]]) -> None:
    """Sort a column in place; a slot without neighbours keeps its share of the height."""
    place = {slot: (row + 0.5) / len(other) for row, slot in enumerate(other)}
    means = {}
    for row, slot in enumerate(column):
        rows = [place[each] for each in neighbours.get(slot, ())]
        means[slot] = sum(rows) / len(rows) if rows else (row + 0.5) / len(column)
    column.sort(key=means.__getitem__)


def _places(columns: Sequence[Sequence[Slot]], depth: Mapping[str, int]) -> dict[Slot, tuple[float, float]]:
    """Left end of each slot's middle line, columns centred."""
    heights = [_height(column, depth) for column in columns]
    places = {}
    for x, (column, height) in enumerate(zip(columns, heights, strict=True)):
        y = (max(heights) - height) / 2
        for slot in column:
            own = _slot_height(slot, depth)
            places[slot] = (float(x * (BOX_WIDTH + GAP_X)), y + own / 2)
            y += own + GAP_Y
    return places


def _height(column: Sequence[Slot], depth: Mapping[str, int]) -> int:
    return sum(_slot_height(slot, depth) + GAP_Y for slot in column) - GAP_Y


def _slot_height(slot: Slot, depth: Mapping[str, int]) -> int:
    return BOX_HEIGHT if depth[slot[0]] == slot[1] else 0


def _edge(start: tuple[float, float], end: tuple[float, float], *, passes: bool) -> str:
    """A curve between two columns, and a line across the second one where the edge passes it."""
    (left, y1), (x2, y2) = start, end
    x1 = left + BOX_WIDTH
    bend = GAP_X / 2
    across = f"H{x2 + BOX_WIDTH:g}" if passes else ""
    return f'<path class="edge" d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}{across}"/>'


def _box(node: Node, x: float, y: float) -> str:
    kind = "".join(letter for letter in node.kind if letter.isalnum())
    return (
        f'<g class="node {kind}" transform="translate({x:g} {y - BOX_HEIGHT / 2:g})">'
        f"<title>{escape(node.label)} {escape(node.detail)}</title>"
        f'<rect width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f'<text x="12" y="20">{escape(_short(node.label))}</text>'
        f'<text class="detail" x="12" y="36">{escape(_short(node.detail))}</text></g>'
    )


def _short(text: str) -> str:
    return text if len(text) <= _LETTERS else text[: _LETTERS - 1] + "…"
