from __future__ import annotations

from pathlib import Path

import pytest
from dumps import page, write

from data.errors import ConfigError
from pipelines.sources import _ENDINGS, READERS, Entry, SourceError, options_of, read, reader_for

NAMES = {
    "d-pages-articles.xml.bz2": "wikipedia",
    "d.xml": "wikipedia",
    "d.bz2": "wikipedia",
    "a.jsonl": "jsonl",
    "a.JSONL.gz": "jsonl",
    "a.ndjson.zst": "jsonl",
    "a.jsonl.bz2": "jsonl",
    "a.csv": "csv",
    "a.tsv.gz": "csv",
    "a.parquet": "parquet",
    "a.txt": "text",
    "a.txt.zst": "text",
    "a.html": "html",
    "a.htm.gz": "html",
}


@pytest.mark.parametrize("name", NAMES)
def test_reader_is_found_by_the_ending(name: str) -> None:
    assert reader_for(name) == NAMES[name]
    assert set(READERS) == set(NAMES.values())


HINTS = {
    "d.xml.7z": "Take the .bz2",
    "a.zip": "Unpack it",
    "a.tar.gz": "Unpack it",
    "a.docx": "pandoc",
    "a.PDF": "pdftotext",
    "a.json": "jq -c",
    "a.xlsx": "CSV",
    "a.warc.gz": "WARC",
    "elwiki-20230501-pages-articles-multistream-index.txt.bz2": "the index of a multistream dump. Give the dump itself",
    "elwiki-20230501-pages-articles-multistream-index3.txt-p1p9.bz2": "the index of a multistream dump",
    "a.xyz": r"wikipedia: \.xml.*jsonl: \.jsonl.*html: \.html",
    "noending": "Known endings",
}


@pytest.mark.parametrize("name", HINTS)
def test_format_that_is_not_read_tells_what_to_do(name: str) -> None:
    with pytest.raises(SourceError, match=HINTS[name]) as caught:
        reader_for(name)
    assert caught.value.reason == "unknown_format"


def test_folder_is_read_by_what_most_of_it_is(tmp_path: Path) -> None:
    for name in ("a.html", "b.html", "c.txt", "d.7z"):
        (tmp_path / name).touch()
    assert reader_for(tmp_path) == "html"
    (tmp_path / "nameless").mkdir()
    (tmp_path / "nameless" / "49960").touch()
    assert reader_for(tmp_path / "nameless") == "text"


def test_options_reach_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n")
    assert [record.text for record in read(path, source="s", options={"split": "line", "encoding": None})] == [
        "one",
        "two",
    ]
    (record,) = read(path, source="s", reader="csv", options={"fields": {"text": "one"}}, limit=1)
    assert record.text == "two"


def test_unknown_readers_and_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no reader 'docx'; there are wikipedia"):
        read(tmp_path / "a.txt", source="s", reader="docx")
    with pytest.raises(ConfigError, match="fields: the wikipedia reader has no such option"):
        read(tmp_path / "a.xml", source="s", options={"fields": {"text": "a"}})
    with pytest.raises(ConfigError, match="delimiter: the jsonl reader has no such option; it has: encoding, fields"):
        read(tmp_path / "a.jsonl", source="s", options={"delimiter": ";"})
    assert "split" in options_of("text")


def test_files_of_a_source_share_ids_and_limit(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).write_text('{"text": "same"}\n{"text": "other"}\n')
    files = [Entry("x.jsonl", tmp_path / "x"), Entry("sub/y.jsonl", tmp_path / "y")]
    records = list(read(files, source="s", limit=3))
    assert [record.origin for record in records] == ["x.jsonl#line=1", "x.jsonl#line=2", "sub/y.jsonl#line=1"]
    assert [record.doc_id and record.doc_id[-2:] for record in records] == ["-1", "-1", "-2"]


def test_several_dumps_are_read_one_after_another(tmp_path: Path) -> None:
    pages = [page(1, "Words.", title="A"), page(2, "Words.", title="B")]
    files = [Entry(f"{n}.xml", write(tmp_path / f"{n}.xml", text)) for n, text in enumerate(pages)]
    heard: list[tuple[int, int]] = []
    records = list(read(files, source="s", progress=lambda done, total: heard.append((done, total))))
    assert [record.title for record in records] == ["A", "B"]
    assert heard[-1][0] == heard[-1][1]
    assert len(list(read(files, source="s", limit=1))) == 1


def test_file_among_dumps_that_is_none_is_left_out_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path / "a-multistream.xml.bz2", page(1, "Words.", title="A"))
    for name in ("a-multistream-index.txt.bz2", "LICENSE", "rows.parquet"):
        (tmp_path / name).write_text("562:10:Title")
    records = list(read(tmp_path, source="s"))
    assert [(record.origin, record.reject and record.reject.reason) for record in records] == [
        ("LICENSE", "other_format"),
        ("a-multistream-index.txt.bz2", "other_format"),
        ("a-multistream.xml.bz2#page=1", None),
        ("rows.parquet", "other_format"),
    ]


def test_guide_lists_every_reader_with_its_endings_and_options() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in guide.splitlines() if line.startswith("| ")]
    told = {row[0]: (row[1], row[3]) for row in rows if row[0] in READERS}
    for reader in READERS:
        endings, options = told[reader]
        assert options == ", ".join(sorted(options_of(reader)))
        assert all(f".{ending.split('.')[1]}" in endings for ending in _ENDINGS[reader])
