"""Tombstones: what they keep out of which pipeline, and that a damaged file of them stops the work."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from objectstore import Proxy

from data import files
from data import forgotten as module
from data.forgotten import ASKED, DONE, FORGOTTEN, Tombstone, add, forgotten, learnt, of_sources, tombstones
from data.lake import Lake, LakeError
from data.sealing import seal

STONE = Tombstone(ids=("w:1", "w:2"), reason="asked", when="t1")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_nothing_is_forgotten_at_first(lake: Lake) -> None:
    assert tombstones(lake) == []
    assert forgotten(lake, "wiki") == ()


def test_ids_stay_out_of_every_pipeline_or_of_one(lake: Lake) -> None:
    add(lake, STONE)
    add(lake, Tombstone(ids=("x:9",), reason="asked", when="t2", pipeline="other"))
    assert forgotten(lake, "wiki") == ("w:1", "w:2")
    assert forgotten(lake, "other") == ("w:1", "w:2", "x:9")


def test_what_is_written_reads_back(lake: Lake) -> None:
    found = add(lake, replace(STONE, found={"models": [{"model": "m", "version": "v1"}]}))
    assert tombstones(lake) == [found]


def test_the_same_ids_again_are_one_tombstone_and_keep_what_was_found(lake: Lake) -> None:
    add(lake, replace(STONE, found={"models": [{"model": "a"}]}))
    add(lake, replace(STONE, rewriting=ASKED, when="t2", found={"models": [{"model": "b"}], "raw": []}))
    (found,) = tombstones(lake)
    assert (found.when, found.rewriting) == ("t1", ASKED)
    assert found.found == {"models": [{"model": "a"}, {"model": "b"}], "raw": []}
    add(lake, replace(found, rewriting=DONE))
    assert [one.rewriting for one in tombstones(lake)] == [DONE]
    add(lake, STONE)
    assert [one.rewriting for one in tombstones(lake)] == [DONE]


@pytest.mark.parametrize("damage", ["cut", "edited"])
def test_a_damaged_file_is_not_taken_for_an_empty_one(lake: Lake, damage: str) -> None:
    add(lake, STONE)
    path = lake.root / FORGOTTEN
    path.write_text("{" if damage == "cut" else path.read_text().replace("w:1", "w:7"))
    with pytest.raises(LakeError, match="restore it from a copy"):
        forgotten(lake, "wiki")


def test_a_file_of_a_later_format_is_refused(lake: Lake) -> None:
    files.write_json(lake.root / FORGOTTEN, seal({"format": 2, "tombstones": []}))
    with pytest.raises(LakeError, match="has format 2"):
        tombstones(lake)


def test_ids_of_other_sources_do_not_concern_a_job() -> None:
    assert of_sources(["enwiki:1", "en:2", "ukwiki:1"], {"enwiki", "en"}) == ("enwiki:1", "en:2")
    assert of_sources(["enwiki:1"], None) == ("enwiki:1",)
    assert of_sources(["enwiki:1"], set()) == ()


def test_of_two_machines_that_forget_at_once_both_are_kept(cloud: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share no lock, so the second may come between the reading and the writing of the first."""
    lake = Lake(Path(cloud.lake))
    add(lake, STONE)
    monkeypatch.setattr(Lake, "lock", lambda *_, **__: nullcontext())
    other = [Tombstone(ids=("w:4",), reason="asked", when="t3")]
    sealed = module.seal

    def meanwhile(content: Mapping[str, Any]) -> dict[str, Any]:
        if other:
            add(lake, other.pop())
        return sealed(content)

    monkeypatch.setattr(module, "seal", meanwhile)
    add(lake, Tombstone(ids=("w:3",), reason="asked", when="t2"))
    assert forgotten(lake, "wiki") == ("w:1", "w:2", "w:3", "w:4")


def test_models_that_learnt_what_was_forgotten_are_known_by_all_tombstones(lake: Lake) -> None:
    for doc_id in ("w:2", "w:1"):
        found = {"models": [{"model": "wiki-gpt", "version": "v000001", "ids": [doc_id]}]}
        add(lake, Tombstone(ids=(doc_id,), reason="asked", when="now", found=found))
    assert learnt(lake) == {("wiki-gpt", "v000001"): ["w:1", "w:2"]}
