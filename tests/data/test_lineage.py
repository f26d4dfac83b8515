"""From a document, a dataset or a model back to the file it came from, and on to all that was made from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lakes import PIPELINE, RAW, card, chain, put

from data import files
from data.lake import Lake
from data.lineage import Graph, dataset_id, graph, model_id, of_document, raw_id
from data.retention import Model

VECTORS: Model = ("wiki-word2vec", "v000001")
SUMMARIES: Model = ("wiki-summaries", "v000001")
TAGGER: Model = ("wiki-entities", "v000001")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    chain(lake, "a", [{"w:1": "one", "w:2": "two"}], rejects={"w:3": ("extract", "redirect")})
    chain(lake, "b", [{"w:1": "ONE"}])
    return lake


@pytest.fixture
def whole(lake: Lake) -> Graph:
    models = {
        VECTORS: card(lake, *VECTORS, {"corpus": "a"}, key="kv"),
        SUMMARIES: card(lake, *SUMMARIES, {"word2vec": "kv"}, key="ks"),
        TAGGER: card(lake, *TAGGER, {"labelled_spans": "gone"}, key="kt"),
    }
    return graph(lake, models)


def name(dataset: str, version: str = "a") -> str:
    return dataset_id(PIPELINE, dataset, version)


def test_everything_is_traced_to_the_file_and_its_hash(whole: Graph) -> None:
    found = whole.only(whole.reached([model_id(SUMMARIES)], back=True))
    wanted = {raw_id(RAW[0]), model_id(VECTORS), model_id(SUMMARIES)}
    assert found.nodes.keys() == wanted | {name(one) for one in ("documents", "candidates", "duplicates", "corpus")}
    assert found.nodes[raw_id(RAW[0])].facts == {"source": "wiki", "file": "wiki.xml.bz2", "sha256": "ab" * 32}
    assert (model_id(VECTORS), model_id(SUMMARIES)) in found.edges


def test_and_on_to_all_that_was_made_from_it(whole: Graph) -> None:
    found = whole.reached([name("corpus")], back=False)
    assert found == {name("corpus"), name("entities"), model_id(VECTORS), model_id(SUMMARIES)}


def test_versions_beside_it_are_left_out(whole: Graph) -> None:
    found = whole.around([name("corpus", "b")])
    assert name("corpus") not in found.nodes
    assert name("entities", "b") in found.nodes


def test_predictions_name_their_model(whole: Graph) -> None:
    assert (model_id(TAGGER), name("entities")) in whole.edges


def test_a_model_that_was_trained_on_a_file_names_it(lake: Lake) -> None:
    models = {TAGGER: card(lake, *TAGGER, {"files": {"names.csv": "cd" * 32}, "columns": {"text": "t"}}, key="kt")}
    whole = graph(lake, models)
    given = whole.nodes["file:names.csv@" + "cd" * 8]
    assert (given.kind, given.version) == ("source", "cd" * 32)
    assert (given.id, model_id(TAGGER)) in whole.edges


def test_a_model_that_began_with_another_is_traced_to_it(lake: Lake) -> None:
    models = {
        VECTORS: card(lake, *VECTORS, {"corpus": "a"}, key="kv"),
        TAGGER: card(lake, *TAGGER, {"files": {"names.csv": "cd" * 32}, "start": "wiki-word2vec:v000001"}, key="kt"),
    }
    assert model_id(TAGGER) in graph(lake, models).reached([name("corpus")], back=False)


def test_a_document_is_found_where_it_is_held(lake: Lake, whole: Graph) -> None:
    every = [one for one, node in whole.nodes.items() if node.kind == "dataset"]
    found = of_document(lake, whole, "w:2", every)
    states = {node.id: node.state for node in found.nodes.values() if node.kind == "dataset" and node.state}
    assert states == {name(one): "kept" for one in ("documents", "candidates", "corpus", "entities")}
    assert model_id(SUMMARIES) in found.nodes
    assert raw_id(RAW[0]) in found.nodes
    assert name("documents", "b") not in found.nodes


def test_a_rejected_document_says_why_and_leads_nowhere(lake: Lake, whole: Graph) -> None:
    found = of_document(lake, whole, "w:3", [name("documents"), name("corpus")])
    assert {node.id: node.state for node in found.nodes.values()} == {
        raw_id(RAW[0]): "page=3", name("documents"): "rejected: redirect",
    }  # fmt: skip


def test_a_document_that_one_version_keeps_and_another_rejected_is_shown_in_both(lake: Lake) -> None:
    put(lake, "documents", "c", [{"w:1": "one"}], inputs=RAW, rejects={"w:2": ("extract", "forgotten")})
    found = of_document(lake, graph(lake, {}), "w:2", [name("documents"), name("documents", "c")])
    states = {node.id: node.state for node in found.nodes.values() if node.state}
    both = {name("documents"): "kept", name("documents", "c"): "rejected: forgotten"}
    assert states == {**both, raw_id(RAW[0]): "page=2"}


def test_a_version_that_tells_no_place_is_told_by_one_that_read_the_same_file(lake: Lake) -> None:
    both = [*RAW, {**RAW[0], "file": "more.xml.bz2"}]
    put(lake, "documents", "0", [{"w:2": "two"}], inputs=both, file="wiki")
    put(lake, "documents", "c", [{}], inputs=both, rejects={"w:2": ("extract", "forgotten")})
    among = [name("documents", version) for version in ("0", "c")]
    found = of_document(lake, graph(lake, {}), "w:2", among)
    assert {one for one in found.nodes if one.startswith("raw:")} == {raw_id(RAW[0])}
    assert {one for one in of_document(lake, graph(lake, {}), "w:2", among[:1]).nodes if one.startswith("raw:")} == {
        raw_id(one) for one in both
    }


def test_an_unknown_document_gives_an_empty_graph(lake: Lake, whole: Graph) -> None:
    assert of_document(lake, whole, "w:99", [name("documents")]).nodes == {}


def test_a_tokenizer_stands_between_the_corpus_it_learned_from_and_its_tokens(lake: Lake) -> None:
    from lakes import put, ref

    put(lake, "tokens", "t", [{"w:1": "one"}], inputs=[ref("corpus", "a"), {"tokenizer": "f00"}])
    files.write_json(lake.tokenizers / PIPELINE / "current.json", {"fingerprint": "f00", "corpus": "a"})
    found = graph(lake, {})
    one = f"tokenizer:{PIPELINE}/f00"
    assert (name("corpus"), one) in found.edges
    assert (one, name("tokens", "t")) in found.edges


def test_the_graph_is_plain_data(whole: Graph) -> None:
    import json

    found = json.loads(json.dumps(whole.as_json()))
    assert len(found["nodes"]) == len(whole.nodes)
    assert ["a", "b"] not in found["edges"]
