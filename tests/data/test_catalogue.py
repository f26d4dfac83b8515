"""Names, paths and URLs become sources; what is none of them is told what would have been right."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import data.catalogue as module
from data.catalogue import Source, SourceFile, UnknownSourceError, catalogue, find
from data.lake import Lake


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_name_is_found_and_says_its_licence(name: str) -> None:
    source = find(name)
    assert source.name == name
    assert source.licence != "unknown"
    assert source.about
    assert source.kind in {"corpus", "labelled_text", "labelled_spans", "summaries", "parallel_text"}
    assert source.is_remote or source.path().is_file()
    assert source.word() == name


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_checksum_has_its_length_and_every_address_is_secure(name: str) -> None:
    lengths = {"sha256": 64, "sha1": 40, "md5": 32}
    for file in catalogue()[name].listed:
        assert file.url is not None
        assert file.url.startswith("https://")
        assert {kind: len(value) for kind, value in file.checksums.items()} == {
            kind: lengths[kind] for kind in file.checksums
        }
        assert all(set(value) <= set("0123456789abcdef") for value in file.checksums.values())


def test_set_that_its_licence_keeps_from_being_fetched_is_by_hand() -> None:
    assert find("conll2003").scheme == "hand"
    assert "https://" in find("conll2003").by_hand


def test_sets_of_several_files_know_their_sizes_only_together() -> None:
    assert find("wnut17").listed[0].name == "wnut17train.conll"
    assert find("wnut17").bytes is None
    assert find("imdb").bytes == 84125825
    both = Source(name="x", location="", files=(SourceFile(name="a", size=1), SourceFile(name="b", size=2)))
    assert both.bytes == 3


def test_no_name_stands_twice() -> None:
    tree = yaml.compose(Path(module.__file__).with_suffix(".yaml").read_text("utf-8"))
    names = [key.value for key, _ in tree.value]
    assert len(names) == len(set(names))


def test_path(tmp_path: Path) -> None:
    path = tmp_path / "My dump (1).xml.bz2"
    path.write_bytes(b"")
    source = find(str(path))
    assert source == Source(name="My-dump-1", location=str(path.resolve()))
    assert source.path() == path.resolve()
    assert source.file_name == path.name
    assert not source.is_remote


def test_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    assert find("a.txt").location == str((tmp_path / "a.txt").resolve())


@pytest.mark.parametrize(
    ("file", "name"),
    [("news.jsonl.gz", "news"), ("a.b.TXT", "a.b"), ("дамп.xml", "source"), ("what?.txt", "what"), ("noend", "noend")],
)
def test_name_of_a_path_can_name_a_pipeline(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).write_bytes(b"")
    source = find(str(tmp_path / file))
    assert source.name == name
    assert source.file_name == file
    assert Lake(tmp_path).pipeline(source.name).name == name


@pytest.mark.parametrize(
    ("url", "name", "file"),
    [
        ("https://example.org/x/ukwiki.xml.bz2?version=2/3", "ukwiki", "ukwiki.xml.bz2"),
        ("http://example.org/data.jsonl", "data", "data.jsonl"),
        ("https://example.org/a%20b%2Fc.txt", "a-20b-2Fc", "a b_c.txt"),
        ("https://example.org/%2e%2e", "2e-2e", "2e-2e"),
    ],
)
def test_url(url: str, name: str, file: str) -> None:
    source = find(url)
    assert (source.name, source.file_name, source.location) == (name, file, url)
    assert source.is_remote


def test_unknown_name_lists_the_names() -> None:
    with pytest.raises(UnknownSourceError) as caught:
        find("wikipedia-smaple")
    message = str(caught.value)
    assert message.startswith(
        "'wikipedia-smaple' is neither a source nor a file; give a path, a folder, a glob, a URL, "
    )
    assert all(name in message for name in catalogue())


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("news/*.jsonl.gz", "news"), ("news/part-*.csv", "part"), ("**/*.txt", "source"), ("news/[ab].txt", "news")],
)
def test_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, name: str) -> None:
    folder = tmp_path / "news"
    folder.mkdir()
    for file in ("a.jsonl.gz", "part-1.csv", "a.txt"):
        (folder / file).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    source = find(pattern)
    assert source.location == f"{tmp_path}/{pattern}"
    assert source.name == (name if name != "source" else tmp_path.name)
    assert find(source.word()) == source


def test_glob_that_matches_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnknownSourceError, match="matches no file"):
        find(f"{tmp_path}/*.xml")


def test_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "what?[1].txt").write_bytes(b"")
    assert find(str(tmp_path / "what?[1].txt")).path().is_file()


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "My texts").mkdir()
    assert find(f"{tmp_path}/My texts/") == Source(name="My-texts", location=f"{tmp_path}/My texts")


def test_path_that_is_gone_is_a_source_where_the_lake_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "raw" / "news").mkdir(parents=True)
    assert find("/gone/news.txt", raw=tmp_path / "raw").location == "/gone/news.txt"
    with pytest.raises(UnknownSourceError, match="neither a source nor a file"):
        find("/gone/other.txt", raw=tmp_path / "raw")


@pytest.mark.parametrize(
    ("url", "name", "moves"),
    [
        ("s3://bucket/in/news.jsonl.gz", "news", False),
        ("gs://bucket/in/*.jsonl.gz", "in", True),
        ("memory://bucket/in/", "in", True),
    ],
)
def test_object_store(url: str, name: str, moves: bool) -> None:
    source = find(url)
    assert (source.name, source.location, source.is_remote, source.moves) == (name, url, True, moves)


def test_file_address(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    assert find(f"file://{tmp_path}/a.txt").path() == tmp_path / "a.txt"


def test_unknown_scheme_names_those_that_are_known() -> None:
    with pytest.raises(UnknownSourceError, match=r"ftp:// is not known; there are http://.*s3://.*wikipedia:<lang>"):
        find("ftp://example.org/a.txt")


@pytest.mark.parametrize(
    ("words", "name", "location", "language"),
    [
        ("wikipedia:uk", "ukwiki", "wikipedia:uk:latest", "uk"),
        ("wikipedia:UK:latest", "ukwiki", "wikipedia:uk:latest", "uk"),
        ("wikipedia:ukwiki:20261101", "ukwiki", "wikipedia:uk:20261101", "uk"),
        ("wikipedia:simple:2026-11-01", "simplewiki", "wikipedia:simple:20261101", "en"),
        ("wikipedia:yue", "zh_yuewiki", "wikipedia:yue:latest", "yue"),
        ("wikipedia:zh-yue", "zh_yuewiki", "wikipedia:zh-yue:latest", "yue"),
        ("wikipedia:zh-min-nan", "zh_min_nanwiki", "wikipedia:zh-min-nan:latest", "nan"),
    ],
)
def test_dump_of_wikipedia(words: str, name: str, location: str, language: str) -> None:
    source = find(words)
    assert (source.name, source.location, source.language) == (name, location, language)
    assert find(source.word()) == source
    assert source.moves == location.endswith("latest")
    assert Lake(Path()).pipeline(source.name)


@pytest.mark.parametrize("words", ["wikipedia:", "wikipedia::latest", "wikipedia:../x", "wikipedia:uk wiki"])
def test_dump_without_a_language(words: str) -> None:
    with pytest.raises(UnknownSourceError, match="names no language; write the code before"):
        find(words)


@pytest.mark.parametrize("date", ["newest", "202611", "2026110", "２０２６１１０１", "20261101:x"])
def test_dump_of_no_date(date: str) -> None:
    with pytest.raises(UnknownSourceError, match="is no date; write wikipedia:uk:YYYYMMDD"):
        find(f"wikipedia:uk:{date}")


def test_missing_package_is_named() -> None:
    with pytest.raises(UnknownSourceError, match="needs the package no_such_package_here"):
        Source(name="x", location="package:no_such_package_here:a.txt").path()
