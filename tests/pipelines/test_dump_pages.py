"""Dumps of every make: old schemas, UTF-16, ranges of streams, and what is kept of damaged ones."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources import dump_pages, streams
from pipelines.sources.dump_pages import DumpPages
from pipelines.sources.records import Record, SourceError
from pipelines.sources.wikipedia import dump_of, read, records, source_among, span_pages, spans_of

HEAD = """<mediawiki version="0.10" xml:lang="en"><siteinfo><dbname>tinywiki</dbname>
<base>https://tiny.example/wiki/Main_Page</base><namespaces><namespace key="0" />
<namespace key="1">Talk</namespace><namespace key="14">Category</namespace></namespaces></siteinfo>
"""
TAIL = "</mediawiki>\n"


def page(number: int, text: str = "words", *, title: str | None = None, ns: str = "<ns>0</ns>") -> str:
    return (
        f"<page><title>{title or f'Page {number}'}</title>{ns}<id>{number}</id><revision><id>9</id>"
        f"<timestamp>2016-01-02T03:04:05Z</timestamp><contributor><ip>127.0.0.1</ip></contributor>"
        f'<text xml:space="preserve">{text}</text></revision></page>\n'
    )


def plain(path: Path, xml: str | bytes) -> Path:
    path.write_bytes(xml.encode() if isinstance(xml, str) else xml)
    return path


def outline(found: list[Record]) -> list[str]:
    """The id or the reason of each record."""
    return [record.reject.reason if record.reject else str(record.doc_id) for record in found]


def salvage(path: Path, **options: str) -> list[Record]:
    return list(read(path, salvage=True, **options))  # type: ignore[arg-type]


def multi(path: Path, streams: list[str]) -> Path:
    path.write_bytes(b"".join(bz2.compress(stream.encode()) for stream in streams))
    return path


STREAMS = [HEAD, page(1) + page(2), page(3) + page(4, "#", title="Talk:A"), page(5), TAIL]


def in_spans(path: Path, *, salvage: bool = False) -> list[Record]:
    """The records of each span apart, as workers read them."""
    spans = spans_of(path, streams=1, size=10)
    first = DumpPages(path, max_chars=100, salvage=salvage, span=spans[0])
    next(iter(first), None)
    dump = dump_of(first, "mine", max_chars=100, salvage=salvage)
    return [record for span in spans for record in records(span_pages(dump, span), dump)]


@pytest.mark.parametrize("version", ["0.3", "0.4", "0.5"])
def test_without_ns_the_names_of_the_dump_decide(tmp_path: Path, version: str) -> None:
    head = HEAD.replace("0.10", version)
    titles = ["Talk:A", "Star Trek: First Contact", "Category:B", "Nonsense:C"]
    xml = head + "".join(page(i, title=title, ns="") for i, title in enumerate(titles, start=1)) + TAIL
    found = outline(list(read(plain(tmp_path / "d.xml", xml))))
    assert found == ["other_namespace", "tinywiki:2", "other_namespace", "tinywiki:4"]


@pytest.mark.parametrize("version", ["0.6", "0.10", "0.11"])
def test_with_ns_the_title_decides_nothing(tmp_path: Path, version: str) -> None:
    xml = HEAD.replace("0.10", version) + page(1, title="Talk:A") + page(2, title="A", ns="<ns>1</ns>") + TAIL
    assert outline(list(read(plain(tmp_path / "d.xml", xml)))) == ["tinywiki:1", "other_namespace"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_utf16_with_a_mark_is_read(tmp_path: Path, encoding: str) -> None:
    xml = '<?xml version="1.0" encoding="UTF-16"?>\n' + HEAD + page(1, "é𝄞 ж") + TAIL
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    (record,) = read(plain(tmp_path / "d.xml", mark + xml.encode(encoding)))
    assert (record.doc_id, record.text) == ("tinywiki:1", "é𝄞 ж")


def test_utf16_is_decoded_across_the_pieces_in_which_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "READ_BYTES", 33)  # in the middle of a letter
    xml = HEAD + "".join(page(number, f"é𝄞 {number}") for number in range(1, 4)) + TAIL
    found = read(plain(tmp_path / "d.xml", xml.encode("utf-16")))
    assert [record.text for record in found] == ["é𝄞 1", "é𝄞 2", "é𝄞 3"]


def test_broken_utf16_is_one_clear_error(tmp_path: Path) -> None:
    xml = (HEAD + page(1) + TAIL).encode("utf-16") + b"\x00"
    with pytest.raises(SourceError, match="not valid UTF-16") as error:
        list(read(plain(tmp_path / "d.xml", xml)))
    assert error.value.reason == "invalid_utf16"


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress, lzma.compress])
def test_every_packing_is_read(tmp_path: Path, pack: type[bytes]) -> None:
    xml = b"\xef\xbb\xbf" + ('<?xml version="1.0"?>\n' + HEAD + page(1) + page(2) + TAIL).encode()
    assert outline(list(read(plain(tmp_path / "d.xml", pack(xml))))) == ["tinywiki:1", "tinywiki:2"]


def test_index_of_a_multistream_dump_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = plain(tmp_path / "index.txt.bz2", bz2.compress(b"600:12:Anarchism\n600:25:Autism\n"))
    with pytest.raises(SourceError, match=r"index of a multistream dump.*Give the dump itself") as error:
        list(read(path))
    assert error.value.reason == "multistream_index"


def test_spans_give_the_records_of_the_whole(tmp_path: Path) -> None:
    path = multi(tmp_path / "m.xml.bz2", STREAMS)
    assert len(spans_of(path, streams=1, size=10)) == 5
    assert in_spans(path) == list(read(path))
    assert outline(in_spans(path)) == [f"tinywiki:{i}" for i in (1, 2, 3, 4, 5)]


def test_streams_that_cut_pages_are_not_read_apart(tmp_path: Path) -> None:
    xml = HEAD + "".join(map(page, range(1, 9))) + TAIL
    path = multi(tmp_path / "m.xml.bz2", [xml[:700], xml[700:1100], xml[1100:]])
    assert spans_of(path, streams=1, size=10) == []
    assert len(list(read(path))) == 8


def test_a_later_stream_that_cuts_a_page_is_told(tmp_path: Path) -> None:
    path = multi(tmp_path / "m.xml.bz2", [HEAD, page(1), page(2)[:50], page(2)[50:] + TAIL])
    with pytest.raises(SourceError) as error:
        in_spans(path)
    assert error.value.reason == "unaligned_streams"


def test_one_stream_or_none_has_no_spans(tmp_path: Path) -> None:
    assert spans_of(multi(tmp_path / "d.bz2", ["".join(STREAMS)]), streams=1, size=1) == []
    assert spans_of(plain(tmp_path / "d.xml", "".join(STREAMS)), streams=1, size=1) == []


def damaged(streams: list[str], which: int) -> bytes:
    packed = [bz2.compress(stream.encode()) for stream in streams]
    packed[which] = packed[which][:30] + bytes(20) + packed[which][50:]
    return b"".join(packed)


@pytest.mark.parametrize("way", [in_spans, lambda path, salvage: list(read(path, salvage=salvage))])
def test_a_corrupt_stream_costs_its_pages_alone(tmp_path: Path, way) -> None:  # type: ignore[no-untyped-def]
    path = plain(tmp_path / "m.xml.bz2", damaged(STREAMS, 2))
    found = way(path, salvage=True)
    assert outline(found) == ["tinywiki:1", "tinywiki:2", "corrupt_bz2", "tinywiki:5"]
    with pytest.raises(SourceError, match="corrupt bz2"):
        way(path, salvage=False)


def test_a_corrupt_head_costs_what_it_tells_and_no_page(tmp_path: Path) -> None:
    path = plain(tmp_path / "m.xml.bz2", damaged(STREAMS, 0))
    wanted = ["corrupt_bz2", *(f"mine:{i}" for i in (1, 2, 3, 4, 5))]
    assert outline(salvage(path, source="mine")) == wanted
    assert outline(in_spans(path, salvage=True)) == wanted
    with pytest.raises(SourceError, match="corrupt bz2"):
        in_spans(path)


def test_a_corrupt_file_of_one_stream_is_no_use(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="corrupt bz2"):
        salvage(plain(tmp_path / "d.xml.bz2", damaged(["".join(STREAMS)], 0)), source="mine")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("ukwiki-20230501-pages-articles-multistream.xml.bz2", "ukwiki"),
        ("old/be_x_oldwiki-latest-pages-articles1.xml", "be_x_oldwiki"),
        ("a.xml", "dumps-a"),
        ("b/a.xml.bz2", "dumps-b-a"),
        ("export-2024-01-31.xml", "dumps-export"),
        ("export 20240131 (2).xml", "dumps-export-2"),
        ("20240131.xml", "dumps"),
        ("Ελλάδα-20240131.xml", "dumps-e6f7401e"),
    ],
)
def test_files_of_one_source_have_names_without_dates(file: str, source: str) -> None:
    assert source_among(file, "dumps") == source


def test_salvage_keeps_what_comes_before_an_early_end(tmp_path: Path) -> None:
    xml = (HEAD + page(1) + page(2) + page(3)).encode()
    for name, content, reason in (
        ("cut.xml", xml[:-70], "truncated_xml"),
        ("between.xml", xml, "truncated_xml"),
        ("cut.bz2", bz2.compress(xml + TAIL.encode())[:-10], "truncated_bz2"),
    ):
        *kept, lost = salvage(plain(tmp_path / name, content), source="mine")
        assert lost.reject is not None
        assert (lost.doc_id, lost.reject.kind, lost.reject.reason) == (None, "failed", reason)
        assert set(outline(kept)) <= {f"tinywiki:{i}" for i in (1, 2, 3)}


def test_a_lost_tail_names_its_byte(tmp_path: Path) -> None:
    xml = (HEAD + page(1) + page(2)).encode()
    start = xml.index(b"<page><title>Page 2") - 1
    *_, lost = salvage(plain(tmp_path / "d.xml", xml[:-40]))
    assert lost.origin == f"d.xml#byte={start}"
    assert lost.reject is not None
    assert lost.reject.detail is not None
    assert f"from byte {start}" in lost.reject.detail
    assert "d.xml is truncated" in lost.reject.detail
    assert str(tmp_path) not in lost.reject.detail


@pytest.mark.parametrize(
    ("bad", "reason"), [(b"<b>", "malformed_xml"), (b"\xff", "invalid_utf8"), (b"&bomb;", "malformed_xml")]
)
def test_salvage_loses_one_broken_page(tmp_path: Path, bad: bytes, reason: str) -> None:
    xml = (HEAD + page(1) + page(2, "BAD") + page(3) + TAIL).encode().replace(b"BAD", bad)
    path = plain(tmp_path / "d.xml", xml)
    assert outline(salvage(path)) == ["tinywiki:1", reason, "tinywiki:3"]
    with pytest.raises(SourceError) as error:
        list(read(path))
    assert error.value.reason == reason


def test_salvage_reads_pages_without_a_root(tmp_path: Path) -> None:
    path = plain(tmp_path / "d.xml", "  " + page(1) + page(2))
    assert outline(salvage(path, source="mine")) == ["mine:1", "mine:2"]
    assert outline(salvage(plain(tmp_path / "e.xml", page(1) + TAIL), source="mine")) == ["mine:1"]
    with pytest.raises(SourceError, match="root element <page>"):
        list(read(path, source="mine"))


@pytest.mark.parametrize("content", [b"<rss/>", b"no xml", b"<!DOCTYPE m><mediawiki/>", (HEAD + TAIL).encode()])
def test_salvage_excuses_no_file_that_is_no_dump(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SourceError):
        salvage(plain(tmp_path / "d.xml", content), source="mine")


@pytest.mark.parametrize("before", ["", "<!-- <page> -->"])
def test_comments_and_sections_of_characters_are_left_to_the_parser(tmp_path: Path, before: str) -> None:
    inside = page(2, "<![CDATA[</page><page>]]>x")
    xml = before + HEAD + page(1) + inside + "<!-- </page> -->" + page(3) + TAIL
    found = list(read(plain(tmp_path / "d.xml", xml)))
    assert [(record.doc_id, record.text) for record in found] == [
        ("tinywiki:1", "words"),
        ("tinywiki:2", "</page><page>x"),
        ("tinywiki:3", "words"),
    ]


def test_errors_name_the_line_also_where_the_parser_did_not_read_all_before(tmp_path: Path) -> None:
    xml = HEAD + page(1) + page(2) + page(3).replace("</revision>", "</revision")
    bad_line = 1 + xml[: xml.index("</revision<")].count("\n")
    with pytest.raises(SourceError, match=f"at line {bad_line}:"):
        list(read(plain(tmp_path / "d.xml", xml + TAIL)))


def test_an_early_end_names_its_line(tmp_path: Path) -> None:
    xml = HEAD + page(1) + page(2) + page(3)[:-40]
    with pytest.raises(SourceError, match=f"ends at line {1 + xml.count(chr(10))} without"):
        list(read(plain(tmp_path / "d.xml", xml)))


def by_expat(path: Path, **options: bool) -> Iterator[Record]:
    """The records where the splitter is never used."""
    with mock.patch.object(dump_pages, "_is_plain", lambda head: False):
        yield from read(path, **options)  # type: ignore[arg-type]


def outcome(found: Iterator[Record]) -> tuple[list[Record], str | None]:
    kept: list[Record] = []
    try:
        kept.extend(found)
    except SourceError as error:
        return kept, error.reason
    return kept, None


SNIPPETS = (
    *(b"<", b"&", b"&lt;", b"<!-- ", b"-->", b"<![CDATA[", b"]]>", b"</page>", b"<page>", b"\xff", b"\r"),
    *(b"<?a ?>", b"</mediawiki>"),
)


@settings(max_examples=300, deadline=None)
@given(st.floats(0, 1), st.sampled_from(SNIPPETS), st.integers(0, 40), st.booleans())
def test_a_damaged_dump_ends_as_it_does_with_the_parser_alone(
    tmp_path_factory: pytest.TempPathFactory, where: float, snippet: bytes, cut: int, end: bool
) -> None:
    xml = (HEAD + page(1) + page(2, "a &amp; b") + page(3) + TAIL).encode()
    at = int(len(xml) * where)
    path = plain(tmp_path_factory.getbasetemp() / "d.xml", xml[:at] + snippet + (b"" if end else xml[at + cut :]))
    (found, reason), (wanted, wanted_reason) = outcome(read(path)), outcome(by_expat(path))
    assert (reason is None) == (wanted_reason is None)
    if reason is None:
        assert found == wanted


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1), st.sampled_from(SNIPPETS), st.integers(0, 40))
def test_salvage_never_raises_once_the_dump_has_begun(
    tmp_path_factory: pytest.TempPathFactory, where: float, snippet: bytes, cut: int
) -> None:
    xml = (HEAD + page(1) + "".join(map(page, range(2, 6))) + TAIL).encode()
    begin = len((HEAD + page(1)).encode())
    at = begin + int((len(xml) - begin) * where)
    path = plain(tmp_path_factory.getbasetemp() / "s.xml", xml[:at] + snippet + xml[at + cut :])
    assert outline(list(read(path, salvage=True)))[0] == "tinywiki:1"
