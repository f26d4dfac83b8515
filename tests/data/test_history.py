"""What a lake holds of each dataset, and what the words for a version mean."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lakes import PIPELINE, chain, put, release

from data import history
from data.errors import TextmillError
from data.lake import Lake, LakeError


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(tmp_path)
    chain(lake, "aa11", [{"w:1": "one"}])
    chain(lake, "aa22", [{"w:1": "ONE"}])
    release(lake, "aa11", when="2026-01-01T00:00:00+00:00")
    release(lake, "aa22", when="2026-01-02T00:00:00+00:00")
    return lake


def test_versions_tell_their_releases_and_when_they_were_replaced(lake: Lake) -> None:
    put(lake, "corpus", "bb33", [{"w:2": "two"}])
    found = {one.version: one for one in history.versions(lake, PIPELINE, "corpus")}
    assert [(name, one.releases, one.current) for name, one in sorted(found.items())] == [
        ("aa11", (1,), False), ("aa22", (2,), True), ("bb33", (), False),
    ]  # fmt: skip
    assert found["aa11"].replaced == datetime(2026, 1, 2, 0, 1, tzinfo=UTC)
    assert found["aa22"].replaced is None
    assert found["bb33"].rows == 1
    assert history.versions(lake, PIPELINE)[0].dataset == "documents"


@pytest.mark.parametrize(
    ("word", "dataset", "version"),
    [(None, "corpus", "aa22"), ("r1", "corpus", "aa11"), ("aa1", "corpus", "aa11"), ("aa22", "corpus", "aa22")],
)
def test_a_word_means_a_version(lake: Lake, word: str | None, dataset: str, version: str) -> None:
    assert history.find_version(lake, PIPELINE, word, dataset) == (dataset, version)


@pytest.mark.parametrize(
    ("word", "dataset", "message"),
    [
        ("aa", "corpus", "begins 2 versions"),
        ("ff", "corpus", "has no version ff"),
        ("r7", "corpus", "no release r7; there are r2, r1"),
        ("r1", None, "--dataset"),
        (None, "tokens", "publishes no 'tokens'"),
    ],
)
def test_a_word_that_means_none_or_several_is_refused(
    lake: Lake, word: str | None, dataset: str | None, message: str
) -> None:
    with pytest.raises(LakeError, match=message):
        history.find_version(lake, PIPELINE, word, dataset)


def test_a_version_finds_its_dataset(lake: Lake) -> None:
    put(lake, "sentiment", "cc44", [{"w:1": "x"}])
    assert history.find_version(lake, PIPELINE, "cc4") == ("sentiment", "cc44")


def test_the_only_pipeline_needs_no_name(lake: Lake) -> None:
    assert history.only_pipeline(lake, None) == PIPELINE
    with pytest.raises(TextmillError, match=f"has no pipeline 'other'; there are {PIPELINE}"):
        history.only_pipeline(lake, "other")


def test_of_several_pipelines_one_must_be_named_and_of_none_none_can(lake: Lake, tmp_path: Path) -> None:
    lake.publish("second", {"datasets": {}})
    with pytest.raises(TextmillError, match=f"name one with --pipeline: second, {PIPELINE}"):
        history.only_pipeline(lake, None)
    with pytest.raises(TextmillError, match=r"nothing is published in .*none; `textmill run`"):
        history.only_pipeline(Lake(tmp_path / "none"), "any")


@pytest.mark.parametrize(("word", "is_one"), [("r3", True), ("r", False), ("3", False), ("r3a", False), ("", False)])
def test_releases_are_called_r_and_a_number(word: str, is_one: bool) -> None:
    assert history.is_release(word) is is_one


def test_a_release_that_does_not_tell_its_time_has_none() -> None:
    assert history.published_at({}) is None
    assert history.published_at({"published": ""}) is None
