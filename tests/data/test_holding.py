"""Where a document stands: only the parts whose ranges may hold it are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lakes import PIPELINE, put

from data import redaction, rows, tables
from data.lake import Lake
from data.parts import Part


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the parts that were read."""
    names: list[str] = []

    def noted(own: Callable[..., Any]) -> Callable[..., Any]:
        def seen(path: Path, *args: Any, **options: Any) -> Any:
            names.append(path.name[:10])
            return own(path, *args, **options)

        return seen

    monkeypatch.setattr(rows, "read", noted(tables.read))
    monkeypatch.setattr(redaction, "read_table", noted(tables.table))
    return names


def test_a_part_whose_numbers_exclude_an_id_is_not_read(tmp_path: Path, read: list[str]) -> None:
    lake = Lake(tmp_path)
    manifest = put(lake, "corpus", "a", [{"w:9": "nine", "w:11": "eleven"}, {"w:100": "more", "w:200": "most"}])
    found = list(rows.holding(lake, manifest, {"w:100", "w:300"}))
    assert [(part["index"], ids) for part, ids in found] == [(1, ["w:100"])]
    folder = lake.version(PIPELINE, "corpus", "a")
    assert [redaction.held(folder, Part(**part), "corpus", {"w:100"}) for part in manifest["parts"]] == [[], ["w:100"]]
    assert read == ["part-00001", "part-00001"]
