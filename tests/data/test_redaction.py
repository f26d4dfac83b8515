"""Documents are taken out of published versions in place; every record stays accounted for, and a kill does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lakes import PIPELINE, chain, put, ref

from data import files, redaction
from data.hashing import fingerprint
from data.lake import Lake
from data.redaction import FACT, is_rewritten, rewrite_rejects, rewrite_version
from data.verification import Checked, verify_pipeline
from data.versions import check_counts

SECRET = "quetzalcoatlus northropi"
TEXTS = [{"w:1": "one", "w:2": SECRET}, {"w:3": "three"}]
ENTRY = {"ids": ["w:2"], "reason": "asked", "when": "t"}
CHAIN = ("documents", "candidates", "corpus", "entities")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    chain(lake, "a", TEXTS, rejects={"w:9": ("extract", "redirect")})
    return lake


def manifest(lake: Lake, dataset: str = "documents", version: str = "a") -> dict[str, Any]:
    found = lake.manifest(PIPELINE, dataset, version)
    assert found is not None
    return found


def rewrite(lake: Lake, ids: tuple[str, ...] = ("w:2",), version: str = "a") -> dict[str, int]:
    return {name: rewrite_version(lake, manifest(lake, name, version), ids, ENTRY) for name in CHAIN}


def texts(lake: Lake) -> str:
    """All that stands in any Parquet file."""
    return "\n".join(str(pl.read_parquet(path).to_dicts()) for path in lake.root.rglob("*.parquet"))


def whole(lake: Lake) -> bool:
    checked = Checked()
    for one in verify_pipeline(lake, PIPELINE, checked):
        check_counts(one["dataset"], one["counts"])
        for part in one["parts"]:
            check_counts(one["dataset"], part["counts"], part["rows"])
    return not checked.problems


def test_only_parts_that_hold_the_document_are_new(lake: Lake) -> None:
    before = {name: manifest(lake, name)["parts"][1] for name in CHAIN}
    assert SECRET in texts(lake)
    assert rewrite(lake) == dict.fromkeys(CHAIN, 1)
    assert SECRET not in texts(lake)
    assert "northropi" not in texts(lake)
    assert {name: manifest(lake, name)["parts"][1] for name in CHAIN} == before
    assert whole(lake)


def test_documents_reject_it_and_the_others_never_read_it(lake: Lake) -> None:
    rewrite(lake)
    counts = {name: manifest(lake, name)["counts"] for name in CHAIN}
    assert counts["documents"] == {"in": 4, "kept": 2, "filtered": {"redirect": 1, "forgotten": 1}, "failed": {}}
    assert counts["corpus"] == {"in": 2, "kept": 2, "filtered": {}, "failed": {}}
    part = manifest(lake)["parts"][0]
    rejects = pl.read_parquet(lake.version(PIPELINE, "documents", "a") / part["rejects_file"])
    assert rejects.select("doc_id", "origin", "stage", "kind", "reason", "detail", "n_chars").rows()[1] == (
        "w:2", "wiki.xml.bz2#page=2", "extract", "filtered", "forgotten", None, None,
    )  # fmt: skip


def test_the_manifest_records_ids_and_reason(lake: Lake) -> None:
    rewrite(lake)
    found = manifest(lake, "corpus")
    assert found["rewritten"] == [ENTRY]
    assert found["rows"] == 2
    assert "rewritten" not in manifest(lake, "duplicates")


def test_again_does_nothing(lake: Lake) -> None:
    rewrite(lake)
    before = {name: manifest(lake, name) for name in CHAIN}
    assert rewrite(lake) == dict.fromkeys(CHAIN, 0)
    assert {name: manifest(lake, name) for name in CHAIN} == before


def test_a_document_that_no_version_holds_changes_nothing(lake: Lake) -> None:
    before = manifest(lake)
    assert rewrite(lake, ("w:77",)) == dict.fromkeys(CHAIN, 0)
    assert manifest(lake) == before


def test_what_goes_later_is_told_with_what_went_before(lake: Lake) -> None:
    base = manifest(lake)["parts"][0]["key"]
    rewrite(lake)
    rewrite(lake, ("w:1",))
    part = manifest(lake)["parts"][0]
    assert part["facts"][FACT] == {"base": base, "ids": ["w:1", "w:2"]}
    assert part["key"] == fingerprint([base, "forgotten", ["w:1", "w:2"]])
    assert manifest(lake)["counts"]["filtered"]["forgotten"] == 2
    assert whole(lake)


def test_a_document_that_was_rejected_is_forgotten_instead(lake: Lake) -> None:
    assert rewrite_version(lake, manifest(lake), ["w:9"], ENTRY) == 1
    assert manifest(lake)["counts"] == {"in": 4, "kept": 3, "filtered": {"forgotten": 1}, "failed": {}}
    assert whole(lake)


def test_rejects_follow_their_stages(lake: Lake) -> None:
    source = manifest(lake)["parts"][0]
    folder = lake.version(PIPELINE, "documents", "a")
    from data.contracts import CONTRACTS
    from data.versions import Build

    target = Build(lake, PIPELINE, CONTRACTS["rejects"], "a")
    key = fingerprint(["documents", source["key"]])
    part = target.adopt(0, key, folder / source["rejects_file"], rows=1, sha256=source["rejects_sha256"])
    target.commit([part], {"inputs": [ref("documents", "a")], "validation": []})
    rewrite(lake)
    assert rewrite_rejects(lake, manifest(lake, "rejects"), ENTRY) == 1
    assert pl.read_parquet(lake.parts(PIPELINE, "rejects", "a"))["reason"].to_list() == ["redirect", "forgotten"]
    assert rewrite_rejects(lake, manifest(lake, "rejects"), ENTRY) == 0
    assert whole(lake)


def test_labelled_rows_are_named_by_source_and_row(lake: Lake) -> None:
    put(lake, "labelled_text", "a", [{"mine:aa": SECRET, "mine:bb": "fine"}])
    assert rewrite_version(lake, manifest(lake, "labelled_text"), ["other:aa"], ENTRY) == 0
    assert rewrite_version(lake, manifest(lake, "labelled_text"), ["mine:aa"], ENTRY) == 1
    assert manifest(lake, "labelled_text")["counts"]["filtered"] == {"forgotten": 1}


@pytest.mark.parametrize("at", ["parts", "manifest", "strays"])
def test_killed_anywhere_the_version_is_whole_and_the_same_call_finishes(
    lake: Lake, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    name = {"parts": "replace_manifest", "strays": "drop_strays"}.get(at)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(redaction, name, killed) if name else patch.setattr(files, "publish", _killing("_manifest.json"))
        rewrite_version(lake, manifest(lake), ["w:2"], ENTRY)
    assert whole(lake)
    rewrite(lake)
    lake.sweep(PIPELINE)
    assert SECRET not in texts(lake)
    assert whole(lake)


def _killing(name: str) -> Any:
    publish = files.publish

    def killing(staged: Path, path: Path) -> None:
        if path.name == name:
            raise KeyboardInterrupt
        publish(staged, path)

    return killing


def test_datasets_of_ids_alone_are_left() -> None:
    assert [name for name in ("corpus", "tokens", "labelled_spans", "sentiment") if not is_rewritten(name)] == []
    assert [name for name in ("rejects", "duplicates", "metrics") if is_rewritten(name)] == []


@settings(max_examples=15)
@given(gone=st.sets(st.sampled_from([f"w:{n}" for n in range(1, 9)])), cut=st.integers(1, 4))
def test_any_documents_may_go(gone: set[str], cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    every = [f"w:{n}" for n in range(1, 8)]
    put(lake, "documents", "a", [{one: one for one in every[n : n + cut]} for n in range(0, 7, cut)])
    rewrite_version(lake, manifest(lake), gone, ENTRY)
    assert whole(lake)
    left = [one for path in lake.parts(PIPELINE, "documents", "a") for one in pl.read_parquet(path)["doc_id"]]
    assert left == [one for one in every if one not in gone]
    assert manifest(lake)["counts"]["filtered"].get("forgotten", 0) == len(gone & set(every))
