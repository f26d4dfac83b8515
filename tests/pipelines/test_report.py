"""The report: whole with data, a sentence without, escaped, and in need of no network."""

import re
from html.parser import HTMLParser

import pytest

from pipelines import pages
from pipelines.graph import Node
from pipelines.report import (
    Curve,
    DatasetRow,
    Decision,
    FunnelStage,
    Metric,
    ReportData,
    Sample,
    SourceFact,
    ValidationRow,
    render,
    tiles,
)

EMPTY = ReportData(pipeline="p", run_id="r1", started="then", finished="now")
FULL = ReportData(
    pipeline="wiki",
    run_id="r1",
    started="2026-11-24 06:00:00 UTC",
    finished="2026-11-24 06:03:00 UTC",
    sources=[SourceFact(file="dump.bz2", sha256="ab" * 32, licence="CC BY-SA", bytes=1_500_000, url="https://x.org/d")],
    funnel=[
        FunnelStage(stage="extract", n_in=206, n_kept=105, filtered={"redirect": 100}, failed={"too_deep": 1}),
        FunnelStage(stage="clean", n_in=105, n_kept=100, filtered={"too_few_words": 5}),
    ],
    datasets=[DatasetRow(name="corpus", version="abc", rows=100, bytes=2_000_000, path="lake/corpus/abc", reused=True)],
    n_words=[10, 200, 3000],
    quality={"symbol_ratio": [0.1, 0.2]},
    languages={"en": 99, "fr": 1},
    curves=[Curve(model="gpt", split="train", points=[(0, 2.0), (1, 1.0)])],
    metrics=[
        Metric(
            task="sentiment", model="tone", version="v000001", metric="f1", value=0.8, ci_low=0.7, ci_high=0.9, n=90
        ),
        Metric(
            task="sentiment",
            model="baseline:majority",
            metric="f1",
            value=0.2,
            ci_low=0.1,
            ci_high=0.3,
            n=90,
            baseline=True,
        ),
    ],
    decisions=[
        Decision(
            task="sentiment",
            model="tone",
            version="v000001",
            promoted=True,
            reason="beats it",
            gain=0.6,
            ci_low=0.5,
            ci_high=0.7,
        ),
        Decision(task="summaries", model="s", version="v000002", promoted=False, reason="may be chance"),
    ],
    samples=[
        Sample(
            title="A & B",
            url="javascript:alert(1)",
            summary="<script>alert(1)</script>",
            sentiment_label="positive",
            sentiment_score=0.75,
            probabilities={"positive": 0.75, "negative": 0.25},
            entities=[("Berlin", "LOC")],
            keyphrases=["green tea"],
        )
    ],
    nodes=[Node("d", "documents"), Node("c", "corpus")],
    edges=[("d", "c")],
    validation=[
        ValidationRow(dataset="corpus", n_expectations=9, n_failures=1, n_failed_rows=2, page="validation-corpus.html")
    ],
    notes=["A note."],
)
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Balance(HTMLParser):
    """Open tags, and the tags that were closed out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def page() -> str:
    return render(FULL)


@pytest.mark.parametrize("report", [EMPTY, FULL], ids=["empty", "full"])
def test_tags_are_balanced(report: ReportData) -> None:
    balance = Balance()
    balance.feed(render(report))
    assert (balance.open, balance.wrong) == ([], [])


def test_the_page_tells_everything_it_was_given(page: str) -> None:
    words = [
        "wiki",
        "dump.bz2",
        "CC BY-SA",
        "redirect",
        "too_deep",
        "lake/corpus/abc",
        "unchanged",
        "v000001",
        "+0.600",
    ]
    words += ["may be chance", "not promoted", "Berlin", "green tea", "75.0 %", "validation-corpus.html", "A note."]
    assert [word for word in words if word not in page] == []


def test_the_page_draws_every_chart(page: str) -> None:
    assert page.count("<figure") == 8
    assert 'class="empty"' not in page


def test_without_data_there_is_a_sentence_and_no_chart() -> None:
    page = render(EMPTY)
    assert "<figure" not in page
    assert page.count('class="empty"') == 12


def test_the_page_loads_nothing(page: str) -> None:
    assert re.findall(r"<(?:script|link|img|iframe|object)\b|@import|url\(\s*['\"]?(?!#)|\bsrc=", page) == []
    assert re.findall(r'https?://[^"\s]+', page) == ["https://x.org/d"]


def test_what_comes_from_the_data_is_escaped(page: str) -> None:
    assert "&lt;script&gt;alert(1)" in page
    assert "A &amp; B" in page


def test_an_address_that_is_not_of_the_web_is_no_link(page: str) -> None:
    assert "javascript:" not in page


def test_the_same_data_gives_the_same_page(page: str) -> None:
    assert render(FULL) == page


def test_the_first_figures_come_from_the_data() -> None:
    assert tiles(FULL) == [
        ("206", "records read"),
        ("100", "documents published"),
        ("1", "records failed"),
        ("3\u202f210", "words"),
        ("2.0 MB", "of Parquet"),
        ("1 of 2", "models promoted"),
    ]
    assert tiles(EMPTY) == []


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pages.number(None), "–"),
        (pages.number(1234567), "1\u202f234\u202f567"),
        (pages.number(0.12345), "0.123"),
        (pages.number(1130.25), "1\u202f130.2"),
        (pages.number(float("nan")), "nan"),
        (pages.size(999), "999 B"),
        (pages.size(1500), "1.5 kB"),
        (pages.size(2.5e12), "2.5 TB"),
        (pages.percent(0), "0 %"),
        (pages.percent(1), "100 %"),
        (pages.percent(0.9999), "> 99.9 %"),
        (pages.percent(0.0001), "< 0.1 %"),
        (pages.signed(-0.5), "\u22120.500"),
    ],
)
def test_figures_are_written_for_readers(found: str, said: str) -> None:
    assert found == said
