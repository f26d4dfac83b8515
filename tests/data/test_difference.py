"""Two versions compared: what came, went and changed, why, and without reading what is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import PIPELINE, chain, put, ref, release

from data import difference as module
from data.difference import NOT_IN_SOURCE, Difference, difference, previous
from data.errors import TextmillError
from data.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def compared(lake: Lake, dataset: str = "corpus", *, before: str = "a", after: str = "b", **options: int) -> Difference:
    manifests = [lake.manifest(PIPELINE, dataset, version) or {} for version in (before, after)]
    return difference(lake, *manifests, **options)


def test_documents_come_go_and_change(lake: Lake) -> None:
    put(lake, "corpus", "a", [{"w:1": "one", "w:2": "two"}, {"w:10": "ten"}])
    put(lake, "corpus", "b", [{"w:1": "one", "w:2": "TWO", "w:3": "three"}])
    found = compared(lake)
    assert found.counts == {"came": 1, "gone": 1, "changed": 1, "same": 1}
    assert {kind: [one.doc_id for one in each] for kind, each in found.changes.items()} == {
        "came": ["w:3"], "gone": ["w:10"], "changed": ["w:2"],
    }  # fmt: skip
    assert not found.same


def test_the_reasons_are_those_of_the_version_that_lacks_the_document(lake: Lake) -> None:
    chain(lake, "a", [{"w:1": "one", "w:2": "two", "w:3": "three"}])
    put(lake, "documents", "b", [{"w:1": "one"}], rejects={"w:2": ("extract", "redirect")})
    put(lake, "corpus", "b", [{"w:1": "one"}], inputs=[ref("documents", "b")])
    found = compared(lake)
    assert found.reasons == {"came": {}, "gone": {"redirect": 1, NOT_IN_SOURCE: 1}}
    assert [(one.doc_id, one.stage, one.reason) for one in found.changes["gone"]] == [
        ("w:2", "extract", "redirect"),
        ("w:3", None, NOT_IN_SOURCE),
    ]
    back = compared(lake, before="b", after="a")
    assert back.reasons["came"] == {"redirect": 1, NOT_IN_SOURCE: 1}


def test_parts_that_are_the_same_are_not_read(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put(lake, "corpus", "a", [{"w:1": "one"}, {"w:2": "two"}])
    put(lake, "corpus", "b", [{"w:1": "one"}, {"w:3": "three"}])
    opened: list[str] = []
    read = module.read

    def watched(path: Path, columns: list[str] | None = None) -> object:
        opened.append(f"{path.parent.name}/{path.name[:10]}")
        assert columns == ["doc_id", "text_sha256"]
        return read(path, columns)

    monkeypatch.setattr(module, "read", watched)
    found = compared(lake)
    assert sorted(opened) == ["a/part-00001", "b/part-00001"] or sorted(opened) == ["a/part-0000", "b/part-0000"]
    assert (found.parts, found.counts["same"]) == ({"same": 1, "read": 2}, 1)


def test_a_part_with_the_same_key_and_other_bytes_is_read(lake: Lake) -> None:
    put(lake, "corpus", "a", [{"w:1": "one"}])
    put(lake, "corpus", "b", [{"w:1": "one"}])
    before, after = (lake.manifest(PIPELINE, "corpus", version) or {} for version in "ab")
    after["parts"][0]["sha256"] = "other"
    assert difference(lake, before, after).parts == {"same": 0, "read": 2}


def test_rows_of_one_document_are_compared_together(lake: Lake) -> None:
    put(lake, "entities", "a", [{"w:1": "Ada Bob", "w:2": "Cid"}])
    put(lake, "entities", "b", [{"w:1": "Ada Bill", "w:2": "Cid"}])
    assert compared(lake, "entities").counts == {"came": 0, "gone": 0, "changed": 1, "same": 1}


def test_few_are_listed_in_the_order_of_the_ids(lake: Lake) -> None:
    put(lake, "corpus", "a", [{f"w:{n}": "x" for n in range(1, 30)}])
    put(lake, "corpus", "b", [{"w:1": "x"}])
    found = compared(lake, limit=3)
    assert [one.doc_id for one in found.changes["gone"]] == ["w:2", "w:3", "w:4"]
    assert found.counts["gone"] == 28


def test_versions_of_two_datasets_are_refused(lake: Lake) -> None:
    chain(lake, "a", [{"w:1": "one"}])
    corpus, documents = (lake.manifest(PIPELINE, name, "a") or {} for name in ("corpus", "documents"))
    with pytest.raises(TextmillError, match="give two of one"):
        difference(lake, corpus, documents)


def test_rows_that_are_no_documents_are_refused(lake: Lake) -> None:
    manifest = {"dataset": "metrics", "version": "a", "pipeline": PIPELINE, "parts": []}
    with pytest.raises(TextmillError, match="no documents"):
        difference(lake, manifest, manifest)


def test_previous_is_the_last_other_version_that_was_released(lake: Lake) -> None:
    for version in "abc":
        chain(lake, version, [{"w:1": version}])
    assert previous(lake, PIPELINE, "corpus") is None
    release(lake, "a")
    assert previous(lake, PIPELINE, "corpus") is None
    release(lake, "b")
    lake.publish(PIPELINE, {"datasets": {"corpus": "b"}, "models": {}})
    assert previous(lake, PIPELINE, "corpus") == ("a", "b")


IDS = st.dictionaries(st.integers(1, 40).map(lambda n: f"w:{n}"), st.sampled_from("xyz"), max_size=12)


@settings(max_examples=25)
@given(before=IDS, after=IDS, cut=st.integers(1, 5), rows_held=st.integers(1, 30))
def test_any_cut_and_any_number_of_passes_find_the_same(
    before: dict[str, str], after: dict[str, str], cut: int, rows_held: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    for version, found in (("a", before), ("b", after)):
        items = list(found.items())
        put(lake, "corpus", version, [dict(items[n : n + cut]) for n in range(0, len(items), cut)] or [{}])
    both = before.keys() & after.keys()
    changed = {one for one in both if before[one] != after[one]}
    found = compared(lake, limit=None, rows=rows_held)  # type: ignore[arg-type]
    listed = {kind: {one.doc_id for one in each} for kind, each in found.changes.items()}
    assert listed == {"came": after.keys() - before.keys(), "gone": before.keys() - after.keys(), "changed": changed}
    assert found.counts["same"] == len(both - changed)
