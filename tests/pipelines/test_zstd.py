from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from data.progress import ignore
from pipelines.sources.jsonl import read
from pipelines.sources.records import SourceError
from pipelines.sources.streams import Gap, chunks, salvaged


def packed(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def test_frames_one_after_another_in_bounded_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.zst"
    path.write_bytes(packed(b"a" * 3_000_000) + packed(b"b"))
    heard: list[tuple[int, int]] = []
    found = list(chunks(path, progress=lambda done, total: heard.append((done, total))))
    assert b"".join(found) == b"a" * 3_000_000 + b"b"
    assert max(map(len, found)) <= 1 << 20
    assert heard[-1] == (path.stat().st_size,) * 2


def test_reader_tells_zstd_by_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(packed(b'{"text": "a"}'))
    assert [record.text for record in read(path, source="s")] == ["a"]


@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_damage_is_an_error(tmp_path: Path, damage: str) -> None:
    good = packed(bytes(range(256)) * 100)
    path = tmp_path / "a.zst"
    path.write_bytes(good[:-3] if damage == "truncated" else good[:9] + b"\xff" * 20)
    with pytest.raises(SourceError, match=damage) as caught:
        list(chunks(path, progress=ignore))
    assert caught.value.reason == f"{damage}_zstd"


def test_salvage_keeps_what_stands_before_the_damage(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(3 << 20)
    path = tmp_path / "a.zst"
    path.write_bytes(packed(data)[:-1000])
    *found, gap = salvaged(path, progress=ignore)
    kept = b"".join(piece for piece in found if isinstance(piece, bytes))
    assert len(kept) >= 2 << 20
    assert data.startswith(kept)
    assert isinstance(gap, Gap)
    assert gap.reason == "truncated_zstd"
