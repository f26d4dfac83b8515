"""A registry with a model that learned for some steps, and what an MLflow store holds of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

from data.lake import Lake
from flows.mirroring.store import FILE, opened
from models.registry import Registry

WHEN = "2026-01-01T00:00:00+00:00"
STARTED = 1_767_225_600_000


def registered(lake: Lake, *, name: str = "mood", seed: int = 0, steps: int = 3, **changed: Any) -> str:
    """Register a version; each seed is another training. Returns its number."""
    source = lake.root.parent / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    losses = [3.0 - step / steps for step in range(steps)]
    record = {
        "train_loss": losses, "train_parts": {"kl": [0.5] * steps}, "validation_steps": [2, steps],
        "validation": {"loss": [2.5, 2.0]}, "kept_step": steps, "units": 90,
        "timing": {"seconds": 6.0, "joules": 7.0, "counted_units": 3.0, "energy_from": "an estimate"},
    }  # fmt: skip
    (source / "history.json").write_text(json.dumps(record))
    (source / "config.json").write_text(json.dumps({"width": 16, "vocab_size": 99}))
    (source / "card.md").write_text(f"# {name}\n\nIt knows moods.\n\n## Options\n\n{{}}\n")
    (source / "report.html").write_text("<p>curves</p>")
    (source / "model.safetensors").write_bytes(bytes([seed]))
    card: dict[str, Any] = {
        "kind": "gpt",
        "lineage": {"tokens": "v1", "tokenizer": "abc"},
        "config": {"model": {"width": 8}, "training": {"steps": steps, "precision": None}, "seed": seed},
        "metrics": [{"metric": "loss", "value": 2.0, "ci_low": 1.5, "ci_high": 2.5, "n": 9, "split": "validation"}],
        "code": "1.2",
    }
    registry = Registry(lake.models)
    return registry.register(name, source, training_key=f"key-{seed}", created=WHEN, **{**card, **changed}).version


def promoted(lake: Lake, version: str, *, name: str = "mood", alias: str = "champion", **evidence: Any) -> None:
    """Point an alias to a version."""
    registry = Registry(lake.models)
    before = registry.alias(name, alias)
    registry.promote(name, alias, version, expected=before, evidence=evidence, when=WHEN)


def run_of(store: str, label: str = "v000001", *, name: str = "mood") -> Any:
    """The run of a version in MLflow."""
    client = opened(store).client
    found = [one for one in client.search_model_versions(f"name = '{name}'") if one.tags["textmill.version"] == label]
    return client.get_run(found[0].run_id)


def aliases(store: str, name: str = "mood") -> dict[str, str]:
    """Where the aliases of a model point to in MLflow, by our numbers."""
    client = opened(store).client
    found = client.get_registered_model(name).aliases
    return {one: client.get_model_version(name, str(number)).tags["textmill.version"] for one, number in found.items()}


def history(store: str, run: Any, name: str) -> list[tuple[int, float, int]]:
    """A curve in MLflow: (step, value, milliseconds after the beginning)."""
    found = opened(store).client.get_metric_history(run.info.run_id, name)
    return [(one.step, one.value, one.timestamp - run.info.start_time) for one in found]


def content(store: str) -> dict[str, list[Any]]:
    """Everything in the database of a store."""
    with sqlite3.connect(store.removeprefix(FILE)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        found = {name: sorted(database.execute(f"select * from {name}").fetchall(), key=repr) for name in tables}
    database.close()
    return found


def artifacts(run: Any) -> dict[str, bytes]:
    """Files of a run in a store on the disk."""
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
