from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data.contracts import CONTRACTS
from data.errors import TextmillError
from pipelines import labelled
from pipelines.labelled import archives
from pipelines.sources.records import failed


def tar_of(path: Path, entries: dict[str, bytes | tarfile.TarInfo]) -> Path:
    """A .tar.gz of files, or of other entries as they are given."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zip_of(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def read(reader: str, *paths: Path) -> list[tuple[str, Any]]:
    return [(each.text, each.value) for each in labelled.examples(reader, paths) if each.reject is None]


def test_reviews_of_imdb(tmp_path: Path) -> None:
    path = tar_of(
        tmp_path / "aclImdb_v1.tar.gz",
        {
            "aclImdb/README": b"about",
            "aclImdb/train/pos/0_9.txt": b"Good.<br /><br />Really good. ",
            "aclImdb/train/neg/1_2.txt": "Schlecht, na\u00efve.".encode(),
            "aclImdb/test/neg/7_1.txt": b"Bad.",
            "aclImdb/train/unsup/3_0.txt": b"Nobody says.",
            "aclImdb/train/urls_pos.txt": b"http://x",
        },
    )
    wanted = [("Good.\nReally good.", "positive"), ("Schlecht, naïve.", "negative"), ("Bad.", "negative")]
    assert read("imdb", path) == wanted


def test_phrases_of_sst2_without_its_test_set(tmp_path: Path) -> None:
    path = zip_of(
        tmp_path / "SST-2.zip",
        {
            "SST-2/train.tsv": b"sentence\tlabel\na fine film \t1\nno label\nnot fine\t0\n",
            "SST-2/dev.tsv": b"sentence\tlabel\nso so\t2\nin the end\t1",
            "SST-2/test.tsv": b"index\tsentence\n0\twho knows\n",
        },
    )
    assert read("sst2", path) == [("a fine film", "positive"), ("not fine", "negative"), ("in the end", "positive")]
    bad = [(each.origin, each.reject.reason) for each in labelled.examples("sst2", [path]) if each.reject]
    assert bad == [
        ("SST-2.zip/SST-2/train.tsv#line=3", "invalid_row"),
        ("SST-2.zip/SST-2/dev.tsv#line=2", "invalid_row"),
    ]


def test_tags_of_tokens_become_spans(tmp_path: Path) -> None:
    path = tmp_path / "emerging.dev.conll"
    path.write_text(
        "-DOCSTART- -X- O\n\nAnna\tB-person\nKoval I-person\nin\tO\n東京 B-location\n\n"
        "O2\tB-corporation\nEE\tB-corporation\n\nplain\tO\n\nodd\tX-person\n\nnone\n\nlate I-product\n",
        "utf-8",
    )
    assert read("conll", path) == [
        (
            "Anna Koval in 東京",
            [{"start": 0, "end": 10, "type": "PER"}, {"start": 14, "end": 16, "type": "LOC"}],
        ),
        ("O2 EE", [{"start": 0, "end": 2, "type": "ORG"}, {"start": 3, "end": 5, "type": "ORG"}]),
        ("plain", []),
        ("late", [{"start": 0, "end": 4, "type": "MISC"}]),
    ]
    bad = [(each.origin, each.reject.reason) for each in labelled.examples("conll", [path]) if each.reject]
    assert bad == [("emerging.dev.conll#line=13", "invalid_row"), ("emerging.dev.conll#line=15", "invalid_row")]


@pytest.mark.parametrize("row", ["odd\tX-person", "none", "O", "half\tB-", "half\tI", "much\tO-person"])
def test_tag_that_is_none_is_a_reject(tmp_path: Path, row: str) -> None:
    path = tmp_path / "train.conll"
    path.write_text(f"good\tO\nmore\tO\n\n{row}\n", "utf-8")
    good, bad = labelled.examples("conll", [path])
    assert (good.text, good.reject, bad.reject and bad.reject.reason) == ("good more", None, "invalid_row")


def test_sentence_is_told_by_its_first_line_and_blank_lines_make_none(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text("\n\none\tO\ntwo\tO\n\n\nthree\tO\n\n\n", "utf-8")
    origins = [(each.origin, each.text) for each in labelled.examples("conll", [path])]
    assert origins == [("train.conll#line=3", "one two"), ("train.conll#line=7", "three")]


def test_header_of_sst2_is_its_first_line_alone_and_a_label_needs_a_tab(tmp_path: Path) -> None:
    lines = b"fine\t1\nsentence\tlabel\n1\n\t0\nnot fine\t0\n"
    found = list(labelled.examples("sst2", [zip_of(tmp_path / "a.zip", {"SST-2/train.tsv": lines})]))
    assert [each.reject.reason if each.reject else each.text for each in found] == [
        "fine",
        "invalid_row",
        "invalid_row",
        "",
        "not fine",
    ]


def test_blank_lines_of_json_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n\n  \n{"text": "b", "label": "y"}\n', "utf-8")
    assert read("jsonl", path) == [("a", "x"), ("b", "y")]


def test_damaged_file_alone_is_named(tmp_path: Path) -> None:
    good, bad = zip_of(tmp_path / "good.zip", {"SST-2/train.tsv": b"fine\t1\n"}), tmp_path / "bad.zip"
    bad.write_bytes(b"no archive")
    with pytest.raises(TextmillError, match=r"^bad\.zip is damaged"):
        read("sst2", good, bad)


def test_stories_come_with_their_highlights(tmp_path: Path) -> None:
    story = b"(CNN) A ship came.\n\nIt left.\n\n@highlight\n\nA ship came\n\n@highlight\n\nIt left again\n"
    path = tar_of(tmp_path / "cnn_stories.tgz", {f"cnn/stories/{'a1' * 20}.story": story, "cnn/other.txt": b"x"})
    listed = tmp_path / "all_train.txt"
    listed.write_text("http://x\n")
    assert read("stories", path, listed) == [("(CNN) A ship came.\n\nIt left.", "A ship came\nIt left again")]


def test_parallel_lines_are_paired_whatever_the_order_of_files(tmp_path: Path) -> None:
    for name, text in (
        ("train.en", "one\ntwo\n"),
        ("train.de", "eins\n \n"),
        ("val.en", "three\n"),
        ("val.de", "drei\n"),
    ):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
    paths = sorted(tmp_path.iterdir())
    for order in (paths, paths[::-1]):
        assert read("parallel", *order) == [("one", "eins"), ("three", "drei")]
    reasons = [each.reject.reason for each in labelled.examples("parallel", paths) if each.reject]
    assert reasons == ["empty_text"]


@pytest.mark.parametrize(("first", "second"), [("a\nb\n", "x\n"), ("a\n", "x\ny\n")])
def test_parallel_files_of_different_length_are_refused(tmp_path: Path, first: str, second: str) -> None:
    for name, text in (("train.en.gz", first), ("train.de.gz", second)):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    with pytest.raises(TextmillError, match="have not as many lines"):
        read("parallel", *tmp_path.iterdir())
    with pytest.raises(TextmillError, match="has no partner"):
        read("parallel", tmp_path / "train.en.gz")


def test_links_folders_and_names_that_lead_elsewhere_are_passed_over(tmp_path: Path) -> None:
    link = tarfile.TarInfo("aclImdb/train/pos/1_9.txt")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("aclImdb/train/pos/2_9.txt")
    hard.type, hard.linkname = tarfile.LNKTYPE, "aclImdb/train/pos/4_9.txt"
    folder = tarfile.TarInfo("aclImdb/train/pos/3_9.txt")
    folder.type = tarfile.DIRTYPE
    path = tar_of(
        tmp_path / "a.tar.gz",
        {
            "../aclImdb/train/pos/5_9.txt": b"up",
            "/aclImdb/train/pos/6_9.txt": b"root",
            "aclImdb/train/pos/../pos/7_9.txt": b"around",
            "./aclImdb/train/pos/4_9.txt": b"good",
            "1": link,
            "2": hard,
            "3": folder,
        },
    )
    before = sorted(tmp_path.rglob("*"))
    assert read("imdb", path) == [("good", "positive")]
    assert sorted(tmp_path.rglob("*")) == before


def test_file_of_an_archive_that_is_too_large_or_no_text_is_a_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 10)
    names = [f"aclImdb/train/pos/{number}_9.txt" for number in range(3)]
    path = tar_of(tmp_path / "a.tar.gz", dict(zip(names, (b"0123456789", b"0123456789a", b"\xff"), strict=True)))
    found = [each.reject and each.reject.reason for each in labelled.examples("imdb", [path])]
    assert found == [None, "page_too_large", "invalid_utf8"]


@pytest.mark.parametrize(("name", "reader"), [("a.tar.gz", "imdb"), ("a.zip", "sst2"), ("train.conll.gz", "conll")])
@pytest.mark.parametrize("data", [b"no archive at all", b"", b"\x1f\x8b\x08\x00 cut"])
def test_damaged_archive_is_told(tmp_path: Path, name: str, reader: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    if (name, data) == ("train.conll.gz", b""):
        return  # an empty gzip file holds nothing, and says so
    with pytest.raises(TextmillError, match="is damaged"):
        read(reader, tmp_path / name)


def test_cut_archive_is_told_after_its_last_whole_file(tmp_path: Path) -> None:
    files = {f"aclImdb/train/pos/{i}_9.txt": json.dumps([i] * 3000).encode() for i in range(40)}
    whole = tar_of(tmp_path / "whole.tar.gz", files)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(TextmillError, match=r"cut\.tar\.gz is damaged"):
        read("imdb", cut)
    assert len(read("imdb", whole)) == 40


def test_unknown_reader_is_told() -> None:
    with pytest.raises(TextmillError, match="no reader 'imbd' of labelled sets; there are jsonl, imdb"):
        labelled.examples("imbd", [])


def test_rows_keep_each_text_once_and_account_for_the_rest() -> None:
    schema = pl.Schema(pl.DataFrame(CONTRACTS["labelled_text"].schema.empty_table()).schema)
    made = [("a", "x", "positive"), ("b", "x", "negative"), ("c", " ", "positive"), ("d", "y", "negative")]
    examples = [labelled.Example(origin, text, label) for origin, text, label in made]
    found = labelled.rows(examples, column="label", source="s", schema=schema)
    assert sorted(found.frame.select("text", "label").rows()) == [("x", "positive"), ("y", "negative")]
    assert found.frame["row_id"].is_sorted()
    assert found.rejects.select("origin", "stage", "kind", "reason", "detail").rows() == [
        ("b", "labels", "filtered", "duplicate_text", "the text of a"),
        ("c", "labels", "filtered", "empty_text", None),
    ]


def test_row_that_its_reader_rejected_is_rejected_for_that_even_with_text() -> None:
    schema = pl.Schema(pl.DataFrame(CONTRACTS["labelled_text"].schema.empty_table()).schema)
    found = labelled.rows(
        [labelled.Example("a", "some words", None, failed("invalid_row", "no label"))],
        column="label",
        source="s",
        schema=schema,
    )
    assert found.frame.height == 0
    assert found.rejects.select("origin", "stage", "kind", "reason", "detail", "n_chars").rows() == [
        ("a", "labels", "failed", "invalid_row", "no label", 10)
    ]


def test_a_line_ends_where_json_lines_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one\u2028two\x85", "label": "x"}\r\n', "utf-8", newline="")
    assert [each.text for each in labelled.jsonl([tmp_path / "a.jsonl"])] == ["one\u2028two\x85"]
