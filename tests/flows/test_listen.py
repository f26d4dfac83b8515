"""Progress as lines and bars: counts of things, and size, rate and time left where bytes are counted."""

from __future__ import annotations

import io
import logging

import pytest
from rich.console import Console

from data.progress import Progress
from flows.bars import bars, short
from flows.listen import amount, lines, listening, span


def heard(unit: str, *moments: tuple[float, int, int]) -> list[str]:
    said: list[str] = []
    now = 0.0
    progress: Progress = lines(said.append, clock=lambda: now)("Download x", unit=unit)
    for now, done, total in moments:  # noqa: B007 - the clock reads it
        progress(done, total)
    return said


def test_lines_of_bytes_tell_rate_and_time_left() -> None:
    assert heard("B", (0, 1_000_000, 300_000_000), (5, 9_000_000, 300_000_000), (10, 41_000_000, 300_000_000)) == [
        "Download x: 1.0 of 300.0 MB",
        "Download x: 41.0 of 300.0 MB, 4.0 MB/s, 1:05 left",
    ]


def test_rate_does_not_count_what_an_earlier_run_brought() -> None:
    assert heard("B", (0, 200, 300), (10, 300, 300)) == ["Download x: 200 of 300 B", "Download x: 300 of 300 B, 10 B/s"]


def test_lines_of_things_tell_no_rate() -> None:
    assert heard("", (0, 1, 30), (11, 30, 30)) == ["Download x: 1 of 30", "Download x: 30 of 30"]


def test_end_is_said_once_and_a_size_that_is_not_known_is_left_out() -> None:
    assert heard("B", (0, 5, 0), (11, 2000, 0), (12, 2000, 2000), (13, 2000, 2000)) == [
        "Download x: 5 B",
        "Download x: 2.0 kB, 181 B/s",
        "Download x: 2.0 of 2.0 kB, 166 B/s",
    ]


@pytest.mark.parametrize(
    ("done", "total", "unit", "words"),
    [
        (0, 0, "B", "0 B"),
        (999, 0, "B", "999 B"),
        (1, 26_900_000_000, "B", "0.0 of 26.9 GB"),
        (1234, 0, "", "1,234"),
        (1, 1234, "", "1 of 1,234"),
    ],
)
def test_amount(done: int, total: int, unit: str, words: str) -> None:
    assert amount(done, total, unit) == words


@pytest.mark.parametrize(("seconds", "words"), [(0, "0:00"), (65.4, "1:05"), (3600, "1:00:00"), (90061, "25:01:01")])
def test_span(seconds: float, words: str) -> None:
    assert span(seconds) == words


@pytest.fixture(params=[80, 120])
def screen(request: pytest.FixtureRequest) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=request.param, color_system=None)


def drawn(screen: Console) -> str:
    now = [0.0]
    with bars(screen, get_time=lambda: now[0]) as listen:
        fetch, extract = listen("Download ukwiki", unit="B"), listen("Extract")
        for now[0], done in ((0.0, 100_000_000), (5.0, 150_000_000), (10.0, 200_000_000)):
            fetch(done, 300_000_000)
            extract(done // 1_000_000, 2000)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def test_long_name_of_a_stage_loses_its_middle() -> None:
    assert short("Extract ukwiki") == "Extract ukwiki"
    long = short("Extract viwiki-20230501-pages-articles-multistream.truncated")
    assert (long, len(long)) == ("Extract viwiki-202…istream.truncated", 36)


def test_bar_of_bytes_tells_rate_and_time_left(screen: Console) -> None:
    seen = drawn(screen)
    assert "200.0 of 300.0 MB 10.0 MB/s 0:10 left" in seen
    assert "200 of 2,000" in seen
    assert "…" not in seen


def test_warning_of_a_pipeline_is_a_line_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with listening():
        logging.getLogger("pipelines.download").warning("upstream is gone")
    logging.getLogger("pipelines.download").debug("not said")
    assert capsys.readouterr().err == "textmill: upstream is gone\n"
