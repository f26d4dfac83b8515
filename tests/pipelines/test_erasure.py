"""Texts are taken out of raw files of every format, and what is left reads as before."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dumps import HEAD, TAIL, article, page
from hypothesis import given
from hypothesis import strategies as st

from pipelines import sources
from pipelines.sources import erasure, wikipedia
from pipelines.sources.erasure import WHOLE, erase, erase_lines, erase_pages, locate
from pipelines.sources.folders import Entry
from pipelines.sources.records import SourceError

SECRET = "quetzalcoatlus northropi"
PAGES = [page(1, article(1)), page(2, f"{SECRET} {article(2)}"), page(20, article(20)), page(3, article(3))]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".bz2": bz2.compress,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, codec="zstd", asbytes=True),
}
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".bz2": bz2.decompress,
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
}


def dump(path: Path, *streams: str) -> Path:
    path.write_bytes(b"".join(bz2.compress(one.encode()) for one in streams))
    return path


def read(path: Path) -> list[tuple[str | None, str, str | None]]:
    return [(one.doc_id, one.text, one.reject.reason if one.reject else None) for one in wikipedia.read(path)]


@pytest.mark.parametrize("ending", ["", ".bz2", ".gz", ".xz"])
def test_a_page_of_a_dump_goes_and_the_others_stay(tmp_path: Path, ending: str) -> None:
    path, target = tmp_path / f"d.xml{ending}", tmp_path / "out"
    path.write_bytes(PACK[ending]((HEAD + "".join(PAGES) + TAIL).encode()))
    before = read(path)
    assert erase_pages(path, target, {"2"}) == 1
    after = read(target)
    assert SECRET.encode() not in UNPACK[ending](target.read_bytes())
    assert after[1] == ("enwiki:2", "", "no_text")
    assert [after[0], *after[2:]] == [before[0], *before[2:]]


def test_only_the_stream_that_holds_the_page_is_compressed_again(tmp_path: Path) -> None:
    path, target = dump(tmp_path / "d.xml.bz2", HEAD, PAGES[0], PAGES[1] + PAGES[2], PAGES[3], TAIL), tmp_path / "out"
    spans = wikipedia.spans_of(path, streams=1, size=1)
    assert erase_pages(path, target, {"2"}) == 1
    old, new = path.read_bytes(), target.read_bytes()
    assert new.startswith(old[: spans[1].stop])
    assert new.endswith(old[spans[3].start :])
    assert [one[0] for one in read(target)] == [one[0] for one in read(path)]
    assert len(wikipedia.spans_of(target, streams=1, size=1)) == len(spans)


def test_streams_that_pages_cross_are_read_as_one(tmp_path: Path) -> None:
    text = HEAD + "".join(PAGES) + TAIL
    cut = text.index(SECRET) + 5
    path, target = dump(tmp_path / "d.xml.bz2", text[:cut], text[cut:]), tmp_path / "out"
    assert erase_pages(path, target, {"2"}) == 1
    assert SECRET.encode() not in bz2.decompress(target.read_bytes())


def test_a_page_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    path, target = dump(tmp_path / "d.xml.bz2", HEAD, *PAGES, TAIL), tmp_path / "out"
    assert erase_pages(path, target, {"7"}) == 0
    assert target.read_bytes() == path.read_bytes()


def test_a_revision_with_the_number_of_the_page_is_another_thing(tmp_path: Path) -> None:
    other = page(5, "kept").replace("<revision><id>5</id>", "<revision><id>2</id>")
    path, target = dump(tmp_path / "d.xml.bz2", HEAD + other + TAIL), tmp_path / "out"
    assert erase_pages(path, target, {"2"}) == 0
    assert read(target) == read(path)


def test_what_an_editor_said_of_it_goes_too(tmp_path: Path) -> None:
    said = page(2, "text").replace("<text", f"<comment>Created with '{SECRET}'</comment><text")
    path, target = dump(tmp_path / "d.xml.bz2", HEAD + said + TAIL), tmp_path / "out"
    assert erase_pages(path, target, {"2"}) == 1
    assert SECRET.encode() not in bz2.decompress(target.read_bytes())


def erased(path: Path, ids: set[str], **options: object) -> tuple[int, list[tuple[str | None, str]]]:
    """How many records went, and what is read of the rest."""
    reading = {"reader": None, "options": options}
    found = locate([Entry(path.name, path)], ids, source="s", reading=reading, max_chars=1000)
    target = path.with_name(f"new-{path.name}")
    gone = erase(path, target, found.get(path.name, []))
    left = sources.read(target, source="s", **reading)  # type: ignore[arg-type]
    return gone, [(one.doc_id, one.text) for one in left]


@pytest.mark.parametrize("ending", ["", ".bz2", ".gz", ".zst"])
def test_a_line_of_json_goes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    lines = ['{"id": 1, "text": "one"}', f'{{"id": 2, "text": "{SECRET}"}}', "", '{"id": 3, "text": "three"}']
    path.write_bytes(PACK[ending]("\n".join(lines).encode()))
    assert erased(path, {"s:2"}) == (1, [("s:1", "one"), ("s:3", "three")])


def test_lines_keep_their_numbers(tmp_path: Path) -> None:
    path, target = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    path.write_bytes(b"a\nb\r\nc")
    assert erase_lines(path, target, [2, 3]) == 2
    assert target.read_bytes() == b"a\n\n"


def test_a_row_of_csv_goes_with_all_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f'id,text\r\n1,one\r\n2,"{SECRET}\r\nand ""more"",\r\n\r\nlast"\r\n3,three\r\n'.encode())
    assert erased(path, {"s:2"}) == (1, [("s:1", "one"), ("s:3", "three")])
    assert SECRET.encode() not in (tmp_path / "new-a.csv").read_bytes()


def test_the_last_row_of_csv_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f'id,text\n1,one\n2,"{SECRET}\nx"'.encode())
    assert erased(path, {"s:2"}) == (1, [("s:1", "one")])


def test_columns_of_another_name_are_found_by_the_options(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(f"key\tbody\nk1\tone\nk2\t{SECRET}\n".encode())
    assert erased(path, {"s:k2"}, fields={"id": "key", "text": "body"}) == (1, [("s:k1", "one")])


def test_a_row_of_parquet_goes_from_its_row_group(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table(
        {"id": range(1, 8), "text": [SECRET if n == 5 else f"text {n}" for n in range(1, 8)], "x": [None] * 7}
    )
    pq.write_table(table, path, row_group_size=3, compression="gzip")
    gone, left = erased(path, {"s:5"})
    assert (gone, [doc_id for doc_id, _ in left]) == (1, [f"s:{n}" for n in (1, 2, 3, 4, 6, 7)])
    with pq.ParquetFile(tmp_path / "new-a.parquet") as file:
        assert file.schema_arrow == table.schema
        assert file.metadata.row_group(0).column(0).compression == "GZIP"
    assert SECRET.encode() not in (tmp_path / "new-a.parquet").read_bytes()


@pytest.mark.parametrize("split", ["line", "paragraph"])
def test_a_text_without_an_id_is_found_by_its_hash(tmp_path: Path, split: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"one\n\n{SECRET}\n\nthree".encode())
    ids = {
        text: doc_id
        for doc_id, text in ((r.doc_id, r.text) for r in sources.read(path, source="s", options={"split": split}))
    }
    assert [text for _, text in erased(path, {str(ids[SECRET])}, split=split)[1]] == ["one", "three"]


def test_a_text_file_is_emptied(tmp_path: Path) -> None:
    path, target = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_bytes(SECRET.encode())
    entries = [Entry("a.txt", path)]
    found = locate(entries, {"s:a.txt"}, source="s", reading={"reader": "text", "options": {}}, max_chars=99)
    assert found == {"a.txt": [WHOLE]}
    assert erase(path, target, found["a.txt"]) == 1
    assert target.read_bytes() == b""


def test_utf16_is_left_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n1,one\n".encode("utf-16"))
    with pytest.raises(SourceError, match="by hand"):
        erase(path, tmp_path / "b.csv", [(2, 3)])


@given(gone=st.sets(st.integers(1, 6)), blank=st.sets(st.integers(0, 6)))
def test_any_lines_may_go(gone: set[int], blank: set[int], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("raw") / "a.jsonl"
    lines = [f'{{"id": {n}, "text": "text {n}"}}' for n in range(1, 8)]
    path.write_text("".join(("\n" if n in blank else "") + line + "\n" for n, line in enumerate(lines)))
    _, left = erased(path, {f"s:{n}" for n in gone})
    assert left == [(f"s:{n}", f"text {n}") for n in range(1, 8) if n not in gone]


def test_a_large_stream_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, target = dump(tmp_path / "d.xml.bz2", HEAD, *PAGES, TAIL), tmp_path / "out"
    monkeypatch.setattr(erasure, "_STREAM", 10)
    assert erase_pages(path, target, {"2"}) == 1
    assert SECRET.encode() not in bz2.decompress(target.read_bytes())
