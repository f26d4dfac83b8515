"""The quick library for bz2: the same bytes as Python's module, which reads on where the library stops."""

from __future__ import annotations

import bz2
import io
import sys
from pathlib import Path
from random import Random

import pytest

from data.progress import ignore
from pipelines.sources import quick_bz2, streams
from pipelines.sources.records import SourceError
from pipelines.sources.streams import Span, chunks

TEXTS = [Random(number).randbytes(3000) * 50 for number in range(3)]
WHOLE = b"".join(map(bz2.compress, TEXTS))


class Library:
    """Stands for the library; gives `pieces` and then fails, or ends with so many bytes read."""

    def __init__(self, pieces: list[bytes], end: int | None) -> None:
        self.pieces, self.end = pieces, end

    def open(self, data: io.BytesIO, parallelization: int) -> Library:
        self.left = [*self.pieces]
        return self

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, size: int) -> bytes:
        if not self.left and self.end is None:
            raise RuntimeError("block mismatches")
        return self.left.pop(0) if self.left else b""

    def tell_compressed(self) -> int:
        return 8 * (self.end or 0)


def read(path: Path, content: bytes) -> bytes:
    path.write_bytes(content)
    return b"".join(chunks(path, progress=ignore, span=Span(0, len(content))))


def use(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    monkeypatch.setattr(quick_bz2, "installed", lambda: library)


def test_what_the_library_reads_to_the_end_is_not_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, Library(TEXTS, len(WHOLE)))
    monkeypatch.setattr(streams, "_chunks", None)
    assert read(tmp_path / "d.bz2", WHOLE) == b"".join(TEXTS)


@pytest.mark.parametrize("given", [[], TEXTS[:1], [TEXTS[0], TEXTS[1][:10]], TEXTS])
@pytest.mark.parametrize("end", [None, 7])
def test_pythons_module_reads_on_where_the_library_stops(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: list[bytes], end: int | None
) -> None:
    use(monkeypatch, Library(given, end))
    assert read(tmp_path / "d.bz2", WHOLE) == b"".join(TEXTS)


def test_without_the_library_nothing_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, None)
    assert read(tmp_path / "d.bz2", WHOLE) == b"".join(TEXTS)


def test_other_compressions_and_large_spans_are_not_for_the_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, Library([b"wrong"], 5))
    assert read(tmp_path / "d.xml", b"<mediawiki>") == b"<mediawiki>"
    monkeypatch.setattr(quick_bz2, "LARGEST", 10)
    assert read(tmp_path / "d.bz2", WHOLE) == b"".join(TEXTS)


@pytest.mark.parametrize(
    "content",
    [WHOLE[:-40], WHOLE[:-3], WHOLE + b"garbage", WHOLE[:3000] + b"x" + WHOLE[3001:], WHOLE[:11] + b"x" + WHOLE[12:]],
)
def test_damage_is_told_as_without_the_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("indexed_bzip2")
    with pytest.raises(SourceError) as quick:
        read(tmp_path / "d.bz2", content)
    use(monkeypatch, None)
    with pytest.raises(SourceError) as plain:
        read(tmp_path / "d.bz2", content)
    assert (str(quick.value), quick.value.reason) == (str(plain.value), plain.value.reason)


def test_the_real_library_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("indexed_bzip2")
    assert read(tmp_path / "d.bz2", WHOLE) == b"".join(TEXTS)


def test_what_was_read_is_let_go() -> None:
    """The library keeps what it reads from for ever; over a large dump that would be all of its bytes."""
    pytest.importorskip("indexed_bzip2")
    data = bz2.compress(Random(0).randbytes(10_000))
    before = sys.getrefcount(data)
    for _ in range(3):
        assert sum(map(len, quick_bz2.pieces(data, out_bytes=1 << 20))) == 10_000
    assert sys.getrefcount(data) == before
