import json
import threading
from pathlib import Path

import pytest

from models.registry import CARD, Registry, RegistryError

WHEN = "2026-01-02T03:04:05Z"


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "models")


def register(registry: Registry, key: str, *, name: str = "tone", content: str | None = None):
    source = registry.root.parent / f"trained-{name}-{key}"
    (source / "deep").mkdir(parents=True, exist_ok=True)
    (source / "weights.bin").write_text(content or key)
    (source / "deep" / "meta.json").write_text("{}")
    return registry.register(
        name, source, kind="sentiment", lineage={"data": "d1"}, config={"l2": 1}, training_key=key, created=WHEN
    )


def test_a_version_holds_the_files_and_a_card(registry: Registry) -> None:
    model = register(registry, "k1")
    assert (model.name, model.version) == ("tone", "v000001")
    assert (model.path / "weights.bin").read_text() == "k1"
    assert sorted(model.card["files"]) == ["deep/meta.json", "weights.bin"]
    assert model.card["files"]["weights.bin"]["bytes"] == 2
    assert {name: model.card[name] for name in ("kind", "created", "lineage", "training_key")} == {
        "kind": "sentiment",
        "created": WHEN,
        "lineage": {"data": "d1"},
        "training_key": "k1",
    }


def test_a_finished_training_key_is_not_registered_again(registry: Registry) -> None:
    first = register(registry, "k1")
    assert register(registry, "k1", content="other") == first
    assert registry.versions("tone") == ["v000001"]
    assert registry.find("tone", "k1") == first
    assert registry.find("tone", "k2") is None


def test_names_versions_and_latest(registry: Registry) -> None:
    assert registry.names() == []
    register(registry, "k1")
    register(registry, "k2")
    register(registry, "k1", name="names")
    assert registry.names() == ["names", "tone"]
    assert registry.versions("tone") == ["v000001", "v000002"]
    assert registry.load("tone", "latest").version == "v000002"
    assert registry.load("tone", "v000001").card["training_key"] == "k1"


def test_promote_compares_and_sets(registry: Registry) -> None:
    register(registry, "k1")
    register(registry, "k2")
    assert registry.alias("tone") is None
    registry.promote("tone", "champion", "v000001", expected=None, evidence={"gain": 0.1}, when=WHEN)
    assert registry.load("tone").version == "v000001"
    with pytest.raises(RegistryError, match="is v000001, not None"):
        registry.promote("tone", "champion", "v000002", expected=None, evidence={}, when=WHEN)
    registry.promote("tone", "champion", "v000002", expected="v000001", evidence={}, when=WHEN)
    assert registry.load("tone", "champion").version == "v000002"
    assert [(move["from"], move["to"]) for move in registry.log("tone")] == [(None, "v000001"), ("v000001", "v000002")]
    assert registry.log("tone")[0]["evidence"] == {"gain": 0.1}


def test_promoting_the_champion_again_changes_nothing(registry: Registry) -> None:
    register(registry, "k1")
    registry.promote("tone", "champion", "v000001", expected=None, evidence={}, when=WHEN)
    registry.promote("tone", "champion", "v000001", expected="v000001", evidence={}, when=WHEN)
    assert len(registry.log("tone")) == 1


def test_rollback_goes_back_one_version_at_a_time(registry: Registry) -> None:
    before = None
    for key, version in (("k1", "v000001"), ("k2", "v000002"), ("k3", "v000003")):
        register(registry, key)
        registry.promote("tone", "champion", version, expected=before, evidence={}, when=WHEN)
        before = version
    assert registry.rollback("tone", "champion", WHEN) == "v000002"
    assert registry.rollback("tone", "champion", WHEN) == "v000001"
    assert registry.alias("tone") == "v000001"
    with pytest.raises(RegistryError, match="no version before it"):
        registry.rollback("tone", "champion", WHEN)
    assert len(registry.log("tone")) == 5
    with pytest.raises(RegistryError, match="mood has no champion; see `textmill models list`"):
        registry.rollback("mood", "champion", WHEN)


@pytest.mark.parametrize(
    ("name", "which", "message"),
    [
        ("tome", "latest", "there are: tone"),
        ("tone", "champion", "no alias 'champion'; there are: latest"),
        ("tone", "v000009", "no version v000009; there are: v000001"),
        ("../tone", "latest", "cannot be a model name"),
    ],
)
def test_an_error_names_what_exists(registry: Registry, name: str, which: str, message: str) -> None:
    register(registry, "k1")
    with pytest.raises(RegistryError, match=message):
        registry.load(name, which)


@pytest.mark.parametrize(("alias", "version"), [("latest", "v000001"), ("v000001", "v000001"), ("champion", "v000002")])
def test_promote_refuses(registry: Registry, alias: str, version: str) -> None:
    register(registry, "k1")
    with pytest.raises(RegistryError):
        registry.promote("tone", alias, version, expected=None, evidence={}, when=WHEN)
    assert registry.log("tone") == []


def test_a_damaged_file_is_not_loaded(registry: Registry) -> None:
    model = register(registry, "k1")
    (model.path / "weights.bin").write_text("k?")
    with pytest.raises(RegistryError, match=r"weights\.bin is damaged"):
        registry.load("tone", "latest")
    (model.path / "weights.bin").unlink()
    with pytest.raises(RegistryError, match=r"weights\.bin is missing"):
        registry.load("tone", "latest")


def test_what_a_killed_run_left_behind_is_invisible_and_goes(registry: Registry) -> None:
    half = registry.root / ".staging" / "tone" / "dead"
    half.mkdir(parents=True)
    (half / "weights.bin").write_text("half")
    unfinished = registry.root / "tone" / "v000007"
    unfinished.mkdir(parents=True)
    assert registry.names() == []
    assert registry.versions("tone") == []
    assert register(registry, "k1").version == "v000001"
    assert not half.exists()


def test_a_log_line_cut_off_by_a_kill_never_happened(registry: Registry) -> None:
    register(registry, "k1")
    register(registry, "k2")
    registry.promote("tone", "champion", "v000001", expected=None, evidence={"note": "a\u2028b"}, when=WHEN)
    with (registry.root / "tone" / "log.jsonl").open("a") as log:
        log.write('{"action": "promote", "alias": "champ')
    assert registry.alias("tone") == "v000001"
    registry.promote("tone", "champion", "v000002", expected="v000001", evidence={}, when=WHEN)
    assert registry.alias("tone") == "v000002"
    assert len(registry.log("tone")) == 2


def test_a_source_without_files_or_with_a_card_is_refused(registry: Registry, tmp_path: Path) -> None:
    options = {"kind": "k", "lineage": {}, "config": {}, "training_key": "k", "created": WHEN}
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryError, match="holds no files"):
        registry.register("tone", tmp_path / "empty", **options)
    (tmp_path / "empty" / CARD).write_text(json.dumps({}))
    with pytest.raises(RegistryError, match="which the registry writes"):
        registry.register("tone", tmp_path / "empty", **options)
    with pytest.raises(RegistryError, match="cannot copy"):
        registry.register("tone", tmp_path / "nowhere", **options)
    assert registry.names() == []


def test_concurrent_registrations_get_different_versions(registry: Registry) -> None:
    threads = [threading.Thread(target=register, args=(registry, f"k{i}")) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    versions = registry.versions("tone")
    assert versions == [f"v{i:06d}" for i in range(1, 9)]
    assert {registry.load("tone", version).card["training_key"] for version in versions} == {f"k{i}" for i in range(8)}
