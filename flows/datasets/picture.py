"""A lineage graph as an SVG file that stands alone: its style, a title and a legend are in it."""

from __future__ import annotations

import re
from html import escape

from data.lineage import KEPT, Graph, Node
from pipelines.graph import Node as Box
from pipelines.graph import draw

_MARGIN, _HEAD, _FOOT = 32, 78, 54
_LEAST = 560
_LETTERS = 15  # bold ones that fit into a box
_STYLE = """
svg.page { font-family: Inter, "Segoe UI", system-ui, "DejaVu Sans", sans-serif; }
.paper { fill: #fbfaf7; }
.title { font-size: 20px; font-weight: 700; fill: #1c2530; }
.under { font-size: 12.5px; fill: #66707c; }
.graph text { font-size: 12.5px; font-weight: 600; fill: #1c2530; }
.graph text.detail { font-size: 11px; font-weight: 400; fill: #5b6672; }
.graph .edge { fill: none; stroke: #8b95a1; stroke-opacity: .55; stroke-width: 1.6; }
.node rect, .key rect { stroke-width: 1.3; fill: #ffffff; stroke: #b6bec8; }
.source rect { fill: #f3f1ea; stroke: #8f8772; stroke-dasharray: 4 3; }
.dataset rect { fill: #e9f1fb; stroke: #7fa6d6; }
.kept rect { fill: #d9efdf; stroke: #3f9a5f; stroke-width: 2; }
.rejected rect { fill: #fbe3df; stroke: #c8553d; stroke-width: 2; }
.model rect { fill: #fdf0d7; stroke: #d69a2d; }
.tokenizer rect { fill: #f0e8f8; stroke: #9a78c2; }
.key text { font-size: 11.5px; fill: #5b6672; }
@media (prefers-color-scheme: dark) {
  .paper { fill: #14181d; } .title, .graph text { fill: #eef1f4; }
  .under, .key text, .graph text.detail { fill: #a3adb8; }
  .source rect { fill: #2a2721; } .dataset rect { fill: #1b2a3d; }
  .kept rect { fill: #173524; } .rejected rect { fill: #43211b; }
  .model rect { fill: #3b2d12; } .tokenizer rect { fill: #2d2240; }
}
"""
_LEGEND = {
    "source": "source file",
    "dataset": "dataset version",
    "kept": "holds the document",
    "rejected": "rejected it",
    "tokenizer": "tokenizer",
    "model": "model",
}
_SIZE = re.compile(r'width="([\d.]+)" height="([\d.]+)"')


def picture(graph: Graph, *, title: str) -> str:
    """The graph as SVG, sources left, what was made of them to the right."""
    boxes = [Box(node.id, _label(node), _kind(node), _detail(node)) for node in graph.nodes.values()]
    inner = draw(boxes, graph.edges)
    found = _SIZE.search(inner)
    width, height = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    legend, legend_width = _legend(dict.fromkeys(box.kind for box in boxes), height)
    full = max(width + 2 * _MARGIN, legend_width + 2 * _MARGIN, _LEAST)
    under = f"{len(boxes)} nodes, from the source to everything made from it"
    placed = inner.replace("<svg ", f'<svg x="{(full - width) / 2:g}" y="{_HEAD}" ', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="page" width="{full:g}" height="{height + _HEAD + _FOOT:g}" '
        f'viewBox="0 0 {full:g} {height + _HEAD + _FOOT:g}"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f'<rect class="paper" width="100%" height="100%"/>'
        f'<text class="title" x="{_MARGIN}" y="38">{escape(title)}</text>'
        f'<text class="under" x="{_MARGIN}" y="58">{under}</text>{placed}{legend}</svg>\n'
    )


def _label(node: Node) -> str:
    """A short name: of a model what it does, of a file its begin."""
    name = str(node.facts.get("kind", node.name))
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


def _kind(node: Node) -> str:
    if node.state is None or node.kind == "source":
        return node.kind
    return "kept" if node.state == KEPT else "rejected"


def _detail(node: Node) -> str:
    return node.state if node.state not in {None, KEPT} else node.version[:16]


def _legend(kinds: dict[str, None], height: float) -> tuple[str, float]:
    """A line of keys for the kinds that occur, and how wide it is."""
    parts, x, y = [], float(_MARGIN), height + _HEAD + 26
    for kind, text in _LEGEND.items():
        if kind in kinds:
            parts.append(
                f'<g class="key {kind}" transform="translate({x:g} {y:g})"><rect width="16" height="12" rx="3"/>'
                f'<text x="22" y="10">{text}</text></g>'
            )
            x += 40 + 6.4 * len(text)
    return "".join(parts), x - _MARGIN
