"""Models in an object store: versions appear whole, numbers and aliases are moved by one at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from objectstore import Proxy

from data.storage import ObjectPath, place
from models.registry import CARD, ModelVersion, Registry, RegistryError

WHEN = "2026-01-02T03:04:05Z"


@pytest.fixture
def registry(cloud: Proxy) -> Registry:
    return Registry(place(cloud.lake) / "models")


def register(registry: Registry, folder: Path, key: str, content: str = "weights") -> ModelVersion:
    source = folder / f"trained-{key}-{content}"
    (source / "deep").mkdir(parents=True, exist_ok=True)
    (source / "weights.bin").write_text(content)
    (source / "deep" / "meta.json").write_text("{}")
    return registry.register(
        "tone", source, kind="sentiment", lineage={}, config={}, training_key=key, created=WHEN, code="1"
    )


def at_once(*acts: object) -> None:
    threads = [threading.Thread(target=act) for act in acts]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_register_find_load(registry: Registry, tmp_path: Path) -> None:
    made = register(registry, tmp_path, "k1")
    assert register(registry, tmp_path, "k1", "other") == made
    assert registry.find("tone", "k1") == made
    assert (registry.names(), registry.versions("tone")) == (["tone"], ["v000001"])
    loaded = registry.load("tone", "latest")
    assert not isinstance(loaded.path, ObjectPath)
    assert (loaded.path / "weights.bin").read_text() == "weights"
    assert (loaded.path / "deep" / "meta.json").read_text() == "{}"


def test_a_loaded_model_is_read_from_the_disk_and_verified(registry: Registry, tmp_path: Path, cloud: Proxy) -> None:
    register(registry, tmp_path, "k1")
    local = registry.load("tone", "v000001").path
    cloud.requests.clear()
    registry.load("tone", "v000001")
    assert not [one for one in cloud.requests if one.path.endswith("weights.bin")]
    (local / "weights.bin").write_text("spoiled")
    assert (registry.load("tone", "v000001").path / "weights.bin").read_text() == "weights"
    (registry.root / "tone" / "v000001" / "weights.bin").write_bytes(b"changed")
    (local / "weights.bin").write_text("spoiled")
    with pytest.raises(RegistryError, match=r"weights.bin is damaged; restore it from a copy or train again"):
        registry.load("tone", "v000001")


def test_equal_trainings_at_once_are_one_version(registry: Registry, tmp_path: Path) -> None:
    found: list[ModelVersion] = []
    at_once(*(lambda n=n: found.append(register(registry, tmp_path, "k1", f"{n}")) for n in range(3)))
    assert len({model.version for model in found}) == 1
    assert registry.versions("tone") == [found[0].version]
    registry.load("tone", found[0].version)


def test_other_trainings_at_once_have_numbers_of_their_own(registry: Registry, tmp_path: Path) -> None:
    at_once(*(lambda n=n: register(registry, tmp_path, f"k{n}") for n in range(3)))
    assert registry.versions("tone") == ["v000001", "v000002", "v000003"]


def test_writers_that_know_nothing_of_each_other(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_another_machine() -> None:
        monkeypatch.setenv("TEXTMILL_CACHE", str(tmp_path / "other-cache"))
        register(registry, tmp_path, "k1", "theirs")

    publish = registry._put

    def put(*arguments: object) -> str:
        if not registry.versions("tone"):
            with monkeypatch.context() as patch:
                patch.setattr(Registry, "_put", original)
                on_another_machine()
        return publish(*arguments)  # type: ignore[arg-type]

    original = Registry._put
    monkeypatch.setattr(Registry, "_put", lambda self, *arguments: put(*arguments))
    assert register(registry, tmp_path, "k1", "ours").version == "v000001"
    monkeypatch.setattr(Registry, "_put", original)
    assert registry.versions("tone") == ["v000001"]
    assert (registry.load("tone", "v000001").path / "weights.bin").read_text() == "theirs"


def test_promote_compares_and_rollback_goes_back(registry: Registry, tmp_path: Path) -> None:
    for key in ("k1", "k2"):
        register(registry, tmp_path, key)
    registry.promote("tone", "champion", "v000001", expected=None, evidence={}, when=WHEN)
    refused: list[str] = []

    def promote() -> None:
        try:
            registry.promote("tone", "champion", "v000002", expected="v000001", evidence={}, when=WHEN)
        except RegistryError as error:
            refused.append(str(error))

    at_once(promote, promote)
    assert refused == ["tone@champion is v000002, not v000001: it was moved meanwhile; evaluate again"]
    assert [move["to"] for move in registry.log("tone")] == ["v000001", "v000002"]
    assert registry.rollback("tone", "champion", WHEN) == "v000001"
    assert registry.alias("tone") == "v000001"


def test_what_a_killed_run_left_is_no_version(registry: Registry, tmp_path: Path) -> None:
    (registry.root / "tone" / "v000007" / "weights.bin").write_bytes(b"half")
    assert (registry.names(), registry.versions("tone")) == ([], [])
    assert register(registry, tmp_path, "k1").version == "v000008"
    assert (registry.root / "tone" / "v000008" / CARD).is_file()
