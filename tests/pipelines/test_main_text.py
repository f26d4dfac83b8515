from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import quality
from pipelines.clean import CleanConfig, clean
from pipelines.extract import extract
from pipelines.main_text import main_text, with_main_text
from pipelines.sources import read
from pipelines.sources.records import Record, Reject

SENTENCE = "The hedgehog sleeps all winter under the leaves of the old garden, and nobody wakes it. "
PAGE = f"""<!DOCTYPE html><html lang="en-GB"><head><title>Hedgehogs in winter | Garden Weekly</title>
<link rel="canonical" href="https://garden.example/hedgehogs"><meta property="og:title" content="Hedgehogs in winter">
<meta property="article:published_time" content="2021-03-04T05:06:07Z"><meta name="author" content="Olena Koval"></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop our tools</a></li></ul></nav>
<article><h1>Hedgehogs in winter</h1><p>{SENTENCE * 3}</p><p>In spring it wakes up. {SENTENCE * 3}</p></article>
<aside><a href="/x">Ten tools you must buy</a></aside><footer>Cookies and imprint</footer></body></html>"""
RECORD = Record(doc_id="s:a", source="s", origin="a", text=PAGE, markup="html", n_chars=len(PAGE))


def test_main_text_and_what_the_page_says_of_itself() -> None:
    page = main_text(PAGE)
    assert "In spring it wakes up." in page.text
    assert not any(words in page.text for words in ("Shop our tools", "Cookies", "Ten tools", "<"))
    assert (page.title, page.url, page.lang) == ("Hedgehogs in winter", "https://garden.example/hedgehogs", "en-GB")
    assert page.published_at == datetime(2021, 3, 4, tzinfo=UTC)
    assert page.about is not None
    assert '"author":"Olena Koval"' in page.about


def test_what_the_source_told_goes_before_what_the_page_says() -> None:
    when = datetime(2020, 1, 1, tzinfo=UTC)
    told = replace(
        RECORD, title="T", url="https://u.example/", lang_declared="uk", published_at=when, meta='{"author":"A"}'
    )
    found = with_main_text(told)
    assert (found.title, found.url, found.lang_declared, found.published_at) == ("T", "https://u.example/", "uk", when)
    assert found.meta is not None
    assert '"author":"A"' in found.meta
    assert found.n_chars == len(PAGE)


@pytest.mark.parametrize(
    "html",
    [
        "<html></html>",
        "<html><body><script>var a = 1;</script></body></html>",
        "<!-- x -->",
        " ",
        "<html><img src=a.png>",
    ],
)
def test_page_without_main_text_is_left_out_on_purpose(html: str) -> None:
    assert with_main_text(replace(RECORD, text=html)).reject == Reject("extract", "filtered", "no_main_text")


def test_other_records_and_rejects_are_left_alone() -> None:
    plain = replace(RECORD, markup="plain")
    rejected = replace(RECORD, reject=Reject("extract", "failed", "invalid_encoding"))
    assert with_main_text(plain) is plain
    assert with_main_text(rejected) is rejected


def test_broken_markup_is_read() -> None:
    assert main_text("<html lang=en><p>one <b>two <i>three</b> four</i><p>five").text == "one two three four\nfive"


def test_fragment_is_a_page_too() -> None:
    assert main_text("<p>One.</p><p>Two.</p>").text == "One.\nTwo."


def test_deep_nesting_is_read_or_is_a_reject_but_never_cut_off() -> None:
    deep = f"<html><body>{'<div>' * 1000}<p>{SENTENCE}</p></body></html>"
    assert main_text(deep).text == SENTENCE.strip()
    deeper = f"<html><body>{'<div>' * 100_000}<p>{SENTENCE}</p></body></html>"
    reject = with_main_text(replace(RECORD, text=deeper)).reject
    assert reject is not None
    assert (reject.kind, reject.reason) == ("failed", "extraction_error")
    assert "Excessive depth" in (reject.detail or "")


def test_pages_become_documents(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE, "utf-8")
    (tmp_path / "b.html").write_text("<html><body></body></html>", "utf-8")
    documents, rejects = extract(list(read(tmp_path, source="s")))
    assert documents.select("doc_id", "title", "lang_declared").rows() == [("s:a.html", "Hedgehogs in winter", "en-GB")]
    assert rejects.select("doc_id", "kind", "reason").rows() == [("s:b.html", "filtered", "no_main_text")]


def test_column_of_pages_in_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('html,id,note\n"<p>One, two.</p>",7,x\n')
    records = list(read(tmp_path / "a.csv", source="s", options={"fields": {"text": "html"}, "markup": "html"}))
    documents, _ = extract(records)
    assert documents.select("doc_id", "text", "meta").rows() == [("s:7", "One, two.", '{"note":"x"}')]


def documents(html: str) -> pl.DataFrame:
    return extract([replace(RECORD, text=html)])[0]


def held(frame: pl.DataFrame) -> list[tuple[int, str, str]]:
    """Level, title and text of each section."""
    text = frame["text"][0]
    return [(each["level"], each["title"], text[each["start"] : each["end"]].strip()) for each in frame["sections"][0]]


def test_headings_become_sections() -> None:
    html = f"""<html><body><article><p>{SENTENCE}</p><h2>Food &amp; <em>drink</em></h2><p>{SENTENCE}</p>
    <h3><span>Worms</span><br>and more</h3><p>Food and drink</p><ul><li>one<li>two</ul><h2> </h2>
    <h2>Food &amp; drink</h2>
    <p>The end. {SENTENCE}</p><table><tr><td><h4>In a table</h4></td><td>cell</td></tr></table></article>"""
    lead, food, worms, again = held(documents(html))
    assert lead == (0, "", SENTENCE.strip())
    assert food == (2, "Food & drink", f"Food & drink\n{SENTENCE.strip()}")
    assert worms == (3, "Worms and more", "Worms\nand more\nFood and drink\n- one\n- two")
    assert again[:2] == (2, "Food & drink")
    assert again[2].startswith("Food & drink\nThe end.")


def test_page_that_begins_with_its_heading_has_no_lead_and_one_without_is_all_lead() -> None:
    assert [each[:2] for each in held(documents(PAGE))] == [(1, "Hedgehogs in winter")]
    assert [each[:2] for each in held(documents(PAGE.replace("h1>", "p>")))] == [(0, "")]


def test_headings_of_menus_are_no_sections() -> None:
    menu = "<nav><h3>Menu</h3><a href=/>Home</a></nav><article>"
    assert "Menu" not in {each[1] for each in held(documents(PAGE.replace("<article>", menu)))}


WORDS = st.text(st.sampled_from("abč é𝒳\u0301ğ川. &<"), min_size=1, max_size=12).filter(
    lambda text: any(map(str.isalpha, text))
)
PARTS = st.lists(st.tuples(st.integers(1, 6), WORDS), min_size=1, max_size=5)


@settings(max_examples=20, deadline=None)
@given(PARTS)
def test_sections_tile_the_text_and_begin_with_their_titles_also_after_cleaning(parts: list[tuple[int, str]]) -> None:
    body = "".join(
        f"<h{level}>{escape(words)}</h{level}><p>{i} {SENTENCE}</p>" for i, (level, words) in enumerate(parts)
    )
    found = documents(f"<html><body><article><p>{SENTENCE}</p>{body}</article></body></html>")
    cleaned, rejects = clean(found, config=CleanConfig(recipe="web", thresholds=dict.fromkeys(OFF, False)))
    assert rejects.height == 0
    for frame in (found, cleaned):
        sections = frame["sections"][0].to_list()
        assert [each["level"] for each in sections] == [0, *(level for level, _ in parts)]
        assert sections[0]["start"] == 0
        assert sections[-1]["end"] == len(frame["text"][0])
        assert [each["end"] for each in sections[:-1]] == [each["start"] for each in sections[1:]]
        for number, (_, title, text) in enumerate(held(frame)[1:]):
            assert "".join(text.split()).startswith("".join(title.split()))
            assert f"{number} {SENTENCE.strip()}" in text


OFF = [rule.reason for rule in quality.chosen("web")[1]]
