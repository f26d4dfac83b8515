"""Names, paths and URLs become sources; what is none of them is told what would have been right."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import data.catalogue as module
from data.catalogue import Source, UnknownSourceError, catalogue, find
from data.lake import Lake


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_name_is_found_and_says_its_licence(name: str) -> None:
    source = find(name)
    assert source.name == name
    assert source.licence != "unknown"
    assert source.about
    assert source.kind in {"corpus", "labelled_text", "labelled_spans"}
    assert source.is_remote or source.path().is_file()


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
        ("https://example.org/", "source", "source"),
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
    assert message.startswith("'wikipedia-smaple' is neither a source nor a file; give a path, a URL or one of: ")
    assert all(name in message for name in catalogue())


def test_folder_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UnknownSourceError, match="is a folder, and a source is one file"):
        find(str(tmp_path))


def test_missing_package_is_named() -> None:
    with pytest.raises(UnknownSourceError, match="needs the package no_such_package_here"):
        Source(name="x", location="package:no_such_package_here:a.txt").path()
