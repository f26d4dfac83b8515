"""Promotion by evidence or by hand, and copies out of the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.errors import TextmillError
from data.lake import Lake
from flows import commands, family_commands, registry_commands
from models.registry import Registry, RegistryError


def registered(
    root: Path, value: float, *, half: float = 0.1, metric: str = "loss", data: str = "v1", **changed: Any
) -> str:
    registry, source = Registry(Lake(root).models), root / "source"
    source.mkdir(exist_ok=True)
    (source / "weights").write_bytes(str(value).encode())
    score: dict[str, Any] = {"metric": metric, "value": value, "ci_low": value - half, "ci_high": value + half}
    version = registry.register(
        "mood",
        source,
        kind="gpt",
        lineage={"tokens": data, **changed.get("lineage", {})},
        config={},
        training_key=f"{value}-{data}",
        created="",
        metrics=[{**score, "n": 9, "split": "validation"}, *changed.get("more", [])],
    )
    return version.version


def champion(root: Path) -> str | None:
    return Registry(Lake(root).models).alias("mood")


def promote(root: Path, which: str, because: str | None = None) -> None:
    registry_commands.promote(root, "mood", which, alias="champion", because=because)


@pytest.mark.parametrize(
    ("metric", "new"),
    [("loss", 1.5), ("perplexity", 1.5), ("masked_perplexity", 1.5), ("perplexity_bound", 1.5), ("f1", 2.5)],
)
def test_a_version_that_is_surely_better_is_promoted(tmp_path: Path, metric: str, new: float) -> None:
    promote(tmp_path, registered(tmp_path, 2.0, metric=metric), "the first")
    promote(tmp_path, registered(tmp_path, new, metric=metric))
    assert champion(tmp_path) == "v000002"
    move = Registry(Lake(tmp_path).models).log("mood")[-1]
    assert (move["evidence"]["against"], move["evidence"]["metric"]) == ("v000001", metric)


def test_what_a_training_began_with_does_not_hinder_a_comparison(tmp_path: Path) -> None:
    promote(tmp_path, registered(tmp_path, 2.0), "the first")
    promote(tmp_path, registered(tmp_path, 1.5, lineage={"start": "other:v000001"}))
    assert champion(tmp_path) == "v000002"


def test_the_first_score_that_both_have_is_compared(tmp_path: Path) -> None:
    loss = {"metric": "loss", "value": 1.0, "ci_low": 0.9, "ci_high": 1.1, "n": 9, "split": "validation"}
    promote(tmp_path, registered(tmp_path, 2.0), "the first")  # of before there was a perplexity
    promote(tmp_path, registered(tmp_path, 2.7, metric="perplexity", more=[loss]))
    assert Registry(Lake(tmp_path).models).log("mood")[-1]["evidence"]["metric"] == "loss"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": 1.95}, "not surely better than v000001: loss 1.95"),
        ({"value": 2.5}, "not surely better"),
        ({"value": 1.0, "data": "v2"}, "not scored on the same rows"),
        ({"value": 1.0, "metric": "bleu"}, "not scored on the same rows"),
    ],
)
def test_any_other_needs_a_reason(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    promote(tmp_path, registered(tmp_path, 2.0), "the first")
    version = registered(tmp_path, **change)
    with pytest.raises(TextmillError, match=said):
        promote(tmp_path, version)
    assert champion(tmp_path) == "v000001"
    promote(tmp_path, version, "it writes better")
    assert Registry(Lake(tmp_path).models).log("mood")[-1]["evidence"] == {"by_hand": "it writes better"}


def test_a_first_version_needs_a_reason(tmp_path: Path) -> None:
    with pytest.raises(TextmillError, match=r"no version to compare v000001 with; give your reason with --because"):
        promote(tmp_path, registered(tmp_path, 2.0))


def test_the_list_tells_champions_and_candidates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = registered(tmp_path, 2.0), registered(tmp_path, 1.5)
    promote(tmp_path, first, "the first")
    registry_commands.promote(tmp_path, "mood", second, alias="candidate", because="the newest")
    capsys.readouterr()
    commands.list_models(tmp_path, json=True)
    (row,) = json.loads(capsys.readouterr().out)
    expected = {"model": "mood", "champion": first, "candidate": second, "versions": f"{first}, {second}"}
    assert row == {**expected, "forgotten": {}}


def test_an_option_without_a_default_is_told_from_one_of_the_data() -> None:
    defaults = {option["option"]: option["default"] for option in family_commands.options_of("gpt")}
    assert (defaults["vocab_size"], defaults["norm_epsilon"], defaults["tied"]) == (None, "none", True)


def test_an_exported_version_is_whole(tmp_path: Path) -> None:
    registered(tmp_path, 2.0)
    registry_commands.export(tmp_path, "mood", "latest", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["model.json", "weights"]


def test_nothing_is_exported_over_other_files(tmp_path: Path) -> None:
    registered(tmp_path, 2.0)
    with pytest.raises(TextmillError, match="is not empty"):
        registry_commands.export(tmp_path, "mood", "latest", tmp_path / "source")


def test_a_damaged_version_is_not_exported(tmp_path: Path) -> None:
    version = registered(tmp_path, 2.0)
    (Lake(tmp_path).models / "mood" / version / "weights").write_bytes(b"other")
    with pytest.raises(RegistryError, match="weights is damaged"):
        registry_commands.export(tmp_path, "mood", "latest", tmp_path / "out")
