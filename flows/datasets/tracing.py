"""`datasets lineage`: back to the source file, forward to everything made from it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from data import files, history
from data.contracts import CONTRACTS
from data.errors import TextmillError
from data.lake import Lake
from data.lineage import Graph, Node, dataset_id, graph, model_id, of_document
from data.rows import key_column
from flows import show
from flows.datasets.picture import picture
from flows.datasets.terminal import cards, table

_KINDS = {"source": "source file", "dataset": "dataset", "tokenizer": "tokenizer", "model": "model"}


def lineage(root: Path, pipeline: str | None, what: str, *, every: bool, svg: Path | None, json: bool) -> None:
    """Print the part of the lake's graph that belongs to a document, a dataset version or a model."""
    lake = Lake(root)
    name = history.only_pipeline(lake, pipeline)
    whole = graph(lake, cards(lake))
    found = _around(lake, name, whole, what, every=every)
    if svg is not None:
        files.write_bytes(svg, picture(found, title=what).encode("utf-8"))
    if json:
        show.as_json({"pipeline": name, "of": what, **found.as_json()})
        return
    console = show.console()
    _print(console, found, what)
    if svg is not None:
        show.plain(console, f"\nPicture: {svg}")


def _around(lake: Lake, pipeline: str, whole: Graph, what: str, *, every: bool) -> Graph:
    """The graph around what a word means. Raises TextmillError where it means nothing."""
    if ":" in what:
        return _document(lake, pipeline, whole, what, every=every)
    targets = [node.id for node in whole.nodes.values() if node.kind == "model" and what in _names(node)]
    if not targets and what in CONTRACTS:
        targets = [dataset_id(pipeline, *history.find_version(lake, pipeline, None, what))]
    if not targets:
        try:
            targets = [dataset_id(pipeline, *history.find_version(lake, pipeline, what))]
        except TextmillError as error:
            raise TextmillError(
                f"'{what}' is no doc_id (as enwiki:12), dataset, version or model of {pipeline}; "
                "see `textmill datasets list --all` and `textmill models list`"
            ) from error
    shown = whole.around(targets)
    return shown if every else shown.only(_living(lake, pipeline, shown) | shown.reached(targets, back=True))


def _names(node: Node) -> set[str]:
    """Words that mean a model."""
    return {
        node.name,
        f"{node.name}@{node.version}",
        f"{node.name}:{node.version}",
        model_id((node.name, node.version)),
    }


def _document(lake: Lake, pipeline: str, whole: Graph, doc_id: str, *, every: bool) -> Graph:
    among = [
        node.id
        for node in whole.nodes.values()
        if node.kind == "dataset" and node.pipeline == pipeline and node.name != "rejects" and key_column(node.name)
    ]
    living = whole.nodes.keys() if every else _living(lake, pipeline, whole)
    found = of_document(lake, whole, doc_id, [name for name in among if name in living])
    if not found.nodes:
        where = "no version" if every else "the release"
        hint = "" if every else "; --all looks into older versions, too"
        raise TextmillError(
            f"{where} of {pipeline} knows no '{doc_id}'{hint}. Ids stand in the column doc_id, as enwiki:12"
        )
    return found if every else found.only(living)


def _living(lake: Lake, pipeline: str, whole: Graph) -> set[str]:
    """What is released now, what it was made from, and what was made from its corpus."""
    release = lake.release(pipeline) or {"datasets": {}, "models": {}}
    roots = {dataset_id(pipeline, name, version) for name, version in release["datasets"].items()}
    roots |= {model_id((name, version)) for name, version in release.get("models", {}).values()}
    above = {name for root in roots for name in whole.around([root]).nodes if root in whole.nodes}
    later = {name for name in above if whole.nodes[name].kind in {"model", "tokenizer"}}
    back = whole.reached(roots, back=True)
    return back | later


def _print(console: Console, found: Graph, what: str) -> None:
    made_from: dict[str, list[str]] = {}
    for a, b in found.edges:
        made_from.setdefault(b, []).append(_short(found.nodes[a]))
    console.print(f"\n[bold]{escape(what)}[/]\n", highlight=False)
    rows = [
        (
            _KINDS[node.kind],
            _label(node),
            node.version[:16],
            node.state or "",
            ", ".join(made_from.get(name, [])) or _origin(node),
        )
        for name, node in found.nodes.items()
    ]
    order = list(_KINDS.values())
    rows.sort(key=lambda row: order.index(row[0]))
    columns = {"": "left", "name": "fold", "version": "left", "document": "left", "made from": "fold"}
    if not any(row[3] for row in rows):
        del columns["document"]
        rows = [(*row[:3], row[4]) for row in rows]  # type: ignore[misc]
    console.print(table(columns, rows))


def _label(node: Node) -> str:
    return node.name if node.kind in {"source", "model"} else f"{node.pipeline}/{node.name}"


def _short(node: Node) -> str:
    return f"{node.name} {node.version[:8]}"


def _origin(node: Node) -> str:
    return f"sha256 {node.version}" if node.kind == "source" else ""
