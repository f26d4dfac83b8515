"""What was made from what: raw files, dataset versions, tokenizers and models of a whole lake as one graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data import files
from data.history import datasets, folders
from data.lake import Lake
from data.retention import Model, parents, versions_of
from data.rows import holding, key_column, origins, rejected

KEPT, ABSENT = "kept", "absent"


@dataclass(frozen=True)
class Node:
    """A raw file, dataset version, tokenizer or model. `state` is what it did with the document asked for, if any."""

    id: str
    kind: str
    name: str
    version: str
    pipeline: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    state: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The node as plain data."""
        return dict(vars(self))


@dataclass(frozen=True)
class Graph:
    """Nodes by id, in the order of the work, and edges from what was read to what was made."""

    nodes: Mapping[str, Node]
    edges: tuple[tuple[str, str], ...]

    def around(self, ids: Collection[str]) -> Graph:
        """What these were made from and what was made from these."""
        wanted = self.reached(ids, back=True) | self.reached(ids, back=False)
        return self.only(wanted)

    def only(self, wanted: Collection[str]) -> Graph:
        """These nodes and the edges between them."""
        nodes = {name: node for name, node in self.nodes.items() if name in wanted}
        return Graph(nodes, tuple((a, b) for a, b in self.edges if a in nodes and b in nodes))

    def reached(self, ids: Collection[str], *, back: bool) -> set[str]:
        """These, and all they were made from (`back`) or all that was made from them."""
        ways: dict[str, list[str]] = {}
        for a, b in self.edges:
            ways.setdefault(b if back else a, []).append(a if back else b)
        found: set[str] = set()
        waiting = list(ids)
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting += ways.get(one, ())
        return found

    def as_json(self) -> dict[str, Any]:
        """The graph as plain data."""
        return {"nodes": [node.as_json() for node in self.nodes.values()], "edges": [list(edge) for edge in self.edges]}


def dataset_id(pipeline: str, dataset: str, version: str) -> str:
    """Id of a dataset version's node."""
    return f"dataset:{pipeline}/{dataset}/{version}"


def model_id(model: Model) -> str:
    """Id of a model's node."""
    return f"model:{model[0]}@{model[1]}"


def raw_id(source: Mapping[str, Any]) -> str:
    """Id of a raw file's node, from what an input says of it."""
    return f"raw:{source['raw']}/{source['file']}@{source['sha256'][:16]}"


def file_id(name: str, sha256: str) -> str:
    """Id of the node of a file that a model was trained on and the lake does not hold."""
    return f"file:{name}@{sha256[:16]}"


def graph(lake: Lake, models: Mapping[Model, Mapping[str, Any]], pipelines: Sequence[str] | None = None) -> Graph:
    """Everything in the lake. `models` are the cards of all models by name and version."""
    manifests = [
        manifest
        for pipeline in (folders(lake) if pipelines is None else pipelines)
        for dataset in datasets(lake, pipeline)
        for manifest in lake.manifests(pipeline, dataset)
    ]
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str], None] = {}
    for manifest in manifests:
        _add_dataset(manifest, nodes, edges)
    homes = {(manifest["dataset"], manifest["version"]): manifest["pipeline"] for manifest in manifests}
    for model, card in models.items():
        _add_model(model, card, homes, models=models, nodes=nodes, edges=edges)
    _add_tokenizers(lake, homes, nodes, edges)
    return Graph(nodes, tuple(edge for edge in edges if edge[0] in nodes and edge[1] in nodes))


def _add_dataset(manifest: Mapping[str, Any], nodes: dict[str, Node], edges: dict[tuple[str, str], None]) -> None:
    pipeline, dataset, version = (manifest[name] for name in ("pipeline", "dataset", "version"))
    mine = dataset_id(pipeline, dataset, version)
    for source in manifest.get("inputs", ()):
        if "raw" in source:
            facts = {"source": source["raw"], "file": source["file"], "sha256": source["sha256"]}
            nodes.setdefault(
                raw_id(source), Node(raw_id(source), "source", source["file"], source["sha256"], None, facts)
            )
            edges[raw_id(source), mine] = None
        elif "dataset" in source:
            edges[dataset_id(pipeline, source["dataset"], source["version"]), mine] = None
        elif "model" in source:
            edges[model_id((source["model"], source["version"])), mine] = None
        elif "tokenizer" in source:
            edges[f"tokenizer:{pipeline}/{source['tokenizer']}", mine] = None
    kept = ("rows", "bytes", "counts", "run", "committed_in_run_started", "config", "inputs", "made_with", "rewritten")
    facts = {name: manifest[name] for name in kept if name in manifest}
    contract = manifest["contract"]["version"] if "contract" in manifest else None
    nodes[mine] = Node(mine, "dataset", dataset, version, pipeline, {**facts, "contract": contract})


def _add_model(
    model: Model,
    card: Mapping[str, Any],
    homes: Mapping[tuple[str, str], str],
    *,
    models: Mapping[Model, Mapping[str, Any]],
    nodes: dict[str, Node],
    edges: dict[tuple[str, str], None],
) -> None:
    mine = model_id(model)
    kept = ("kind", "created", "config", "lineage", "training_key", "code")
    nodes[mine] = Node(mine, "model", *model, facts={name: card[name] for name in kept if name in card})
    for file, sha256 in card["lineage"].get("files", {}).items():
        given = Node(file_id(file, sha256), "source", file, sha256, None, {"file": file, "sha256": sha256})
        nodes.setdefault(given.id, given)
        edges[given.id, mine] = None
    for name, value in versions_of(card).items():
        if (pipeline := homes.get((name, value))) is not None:
            edges[dataset_id(pipeline, name, value), mine] = None
            if name == "tokens" and "tokenizer" in card["lineage"]:
                edges[f"tokenizer:{pipeline}/{card['lineage']['tokenizer']}", mine] = None
    for parent in parents(card, models):
        edges[model_id(parent), mine] = None


def _add_tokenizers(
    lake: Lake, homes: Mapping[tuple[str, str], str], nodes: dict[str, Node], edges: dict[tuple[str, str], None]
) -> None:
    """The tokenizers that something names; of the current one of a pipeline it is known what it learned from."""
    named = dict.fromkeys(a for a, _ in edges if a.startswith("tokenizer:"))
    for one in named:
        pipeline, name = one.removeprefix("tokenizer:").split("/", 1)
        nodes[one] = Node(one, "tokenizer", "tokenizer", name, pipeline)
        pointer = files.read_json(lake.tokenizers / pipeline / "current.json") or {}
        if pointer.get("fingerprint") == name and ("corpus", pointer.get("corpus", "")) in homes:
            edges[dataset_id(pipeline, "corpus", pointer["corpus"]), one] = None


def of_document(lake: Lake, whole: Graph, doc_id: str, among: Iterable[str]) -> Graph:
    """The part of a graph that a document went through: versions among these that hold or rejected it.

    Nodes of datasets tell what became of it there. An empty graph says that none of them knows the document.
    """
    states = {name: state for name in among if (state := _state(lake, whole.nodes[name], doc_id)) != ABSENT}
    if not states:
        return Graph({}, ())
    kept = {name for name, state in states.items() if state == KEPT}
    refused = whole.reached(states.keys() - kept, back=True)
    found = whole.only(refused | set(whole.around(kept).nodes))
    shown = {
        name
        for name, node in found.nodes.items()
        if node.kind != "dataset" or name in states or not key_column(node.name)
    }
    places = _places(lake, whole, [name for name in states if whole.nodes[name].name == "documents"], doc_id)
    narrowed = found.only(shown - {name for name in shown if name.startswith("raw:") and places and name not in places})
    told = {**places, **states}
    return Graph({name: replace(node, state=told.get(name)) for name, node in narrowed.nodes.items()}, narrowed.edges)


def _state(lake: Lake, node: Node, doc_id: str) -> str:
    if node.kind != "dataset" or node.pipeline is None:
        return ABSENT
    manifest = lake.manifest(node.pipeline, node.name, node.version)
    if manifest is None:
        return ABSENT
    if next(holding(lake, manifest, {doc_id}), None):
        return KEPT
    why = rejected(lake, manifest, {doc_id}).get(doc_id)
    return f"rejected: {why[1]}" if why else ABSENT


def _places(lake: Lake, whole: Graph, documents: Sequence[str], doc_id: str) -> dict[str, str | None]:
    """The raw files in which a document stands, each with the place in it; none where its versions do not tell.

    Versions that tell come first: an older one may have read the same file.
    """
    nodes = {name: whole.nodes[name] for name in documents}
    manifests = {name: lake.manifest(str(one.pipeline), one.name, one.version) for name, one in nodes.items()}
    there = {name: manifest for name, manifest in manifests.items() if manifest}
    read = {name: _raw_of(whole, name, doc_id.partition(":")[0]) for name in there}
    found: dict[str, str | None] = {}
    for name, raw in read.items():
        for origin in origins(lake, there[name], doc_id):
            found.update(_standing(raw, origin))
    for name, raw in read.items():
        if not found.keys() & {one.id for one in raw}:
            named = _files(lake, there[name], doc_id)
            found.update({one.id: None for one in raw if {one.name, one.facts["source"]} & named})
    return found


def _raw_of(whole: Graph, name: str, source: str) -> list[Node]:
    """The raw files that a version read: those of a source, or all where none is, as a dump names its own."""
    raw = [whole.nodes[a] for a, b in whole.edges if b == name and a.startswith("raw:")]
    return [one for one in raw if one.facts["source"] == source] or raw


def _standing(raw: Sequence[Node], origin: str) -> dict[str, str | None]:
    """The file that an origin names, among these, and the place in it."""
    file, mark, place = origin.rpartition("#")
    return {one.id: place if mark and one.name == file else None for one in raw if one.name in {file, origin}}


def _files(lake: Lake, manifest: Mapping[str, Any], doc_id: str) -> set[str]:
    """The files that the parts of a document name: one, or for records the source."""
    both = [*holding(lake, manifest, {doc_id}), *holding(lake, manifest, {doc_id}, rejects=True)]
    return {str(part["facts"].get("file")) for part, _ in both}
