"""A source that cannot be used ends a run with one clear error and leaves what is published as it was."""

from __future__ import annotations

import bz2
import hashlib
from pathlib import Path

import pytest
from dumps import HEAD, TAIL, article, articles, page, write, write_config

from data.errors import TextmillError
from data.lake import Lake

pytestmark = [pytest.mark.usefixtures("prefect"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

BOMB = '<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><mediawiki>&b;</mediawiki>'
GOOD = (HEAD + articles(4) + TAIL).encode("utf-8")
BAD = {
    "truncated bz2": (bz2.compress(GOOD)[:-40], "truncated"),
    "corrupt bz2": (bz2.compress(GOOD)[:60] + b"\x00\x01\x02\x03" * 9 + bz2.compress(GOOD)[96:], "corrupt|damaged"),
    "no bz2": (b"BZh9 this is no archive", "corrupt|damaged|truncated"),
    "invalid UTF-8": (bz2.compress(GOOD.replace(b"cathedral", b"cath\xff\xfedral")), "UTF-8"),
    "other XML": (bz2.compress(b"<rss><channel/></rss>"), "MediaWiki"),
    "entity bomb": (bz2.compress(BOMB.encode()), "DOCTYPE"),
    "truncated XML": (bz2.compress(GOOD[: len(GOOD) // 2]), "end|truncated|middle"),
    "empty file": (b"", "empty"),
    "empty dump": (bz2.compress((HEAD + TAIL).encode()), "no page"),
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, prefect: None) -> Lake:
    """A lake with a published corpus."""
    from flows.nightly import corpus_build

    root = tmp_path_factory.mktemp("bad")
    config = write_config(root / "small.yaml")
    dump = write(root / "wiki.xml.bz2", articles(4))
    corpus_build(sources=[str(dump)], pipeline="wiki", lake=str(root / "lake"), config=str(config))
    return Lake(root / "lake")


def published(lake: Lake) -> dict[str, str]:
    files = (path for path in (lake.root / "datasets").rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("name", BAD)
def test_unusable_file_is_one_clear_error(name: str, lake: Lake, tmp_path: Path) -> None:
    from flows.nightly import corpus_build

    content, message = BAD[name]
    path = tmp_path / "wiki.xml.bz2"
    path.write_bytes(content)
    before = published(lake)
    with pytest.raises(TextmillError, match=f"(?i){message}") as caught:
        corpus_build(sources=[str(path)], pipeline="wiki", lake=str(lake.root))
    assert len(str(caught.value).splitlines()) <= 2
    assert "wiki.xml.bz2" in str(caught.value)
    assert published(lake) == before


def test_page_without_text_and_huge_page_are_rejects_with_a_reason(lake: Lake, tmp_path: Path) -> None:
    import polars as pl

    from flows.nightly import corpus_build

    pages = [page(i, article(i)) for i in range(1, 41)]
    config = write_config(tmp_path / "c.yaml")
    config.write_text(f"{config.read_text('utf-8')}\npage_chars: 100000\n", "utf-8")
    huge = "word " * 20_001
    dump = write(tmp_path / "odd.xml.bz2", "".join([*pages, page(77, ""), page(78, huge)]))
    corpus_build(sources=[str(dump)], pipeline="odd", lake=str(lake.root), config=str(config))
    release = lake.release("odd")
    assert release is not None
    rejects = pl.read_parquet(lake.parts("odd", "rejects", release["datasets"]["rejects"]))
    reasons = dict(rejects.select("doc_id", "reason").iter_rows())
    assert reasons["enwiki:77"] == "no_text"
    assert reasons["enwiki:78"] == "page_too_large"


def test_too_many_failed_records_end_the_run_before_anything_is_published(lake: Lake, tmp_path: Path) -> None:
    from flows.build import ErrorBudgetError
    from flows.nightly import corpus_build

    config = tmp_path / "c.yaml"
    config.write_text("page_chars: 100\n")
    dump = write(tmp_path / "wiki.xml.bz2", articles(4))
    before = published(lake)
    with pytest.raises(ErrorBudgetError, match="page_too_large"):
        corpus_build(sources=[str(dump)], pipeline="wiki", lake=str(lake.root), config=str(config))
    assert published(lake) == before


def test_dataset_that_breaks_its_contract_is_not_published_and_leaves_a_page(lake: Lake, tmp_path: Path) -> None:
    from flows.nightly import corpus_build
    from pipelines.validate import ValidationError

    dump = write(tmp_path / "wiki.xml.bz2", page(1, article(1)) + page(1, article(2)))
    before = published(lake)
    with pytest.raises(ValidationError, match="documents breaks expect_column_values_to_be_unique:doc_id") as caught:
        corpus_build(sources=[str(dump)], pipeline="wiki", lake=str(lake.root))
    assert published(lake) == before
    page_path = str(caught.value).rsplit("See ", maxsplit=1)[-1].strip()
    assert "doc_id" in Path(page_path).read_text("utf-8")
