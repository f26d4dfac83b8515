from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.quality import c4
from pipelines.quality.lines import drop_lines

SECTIONS = pl.List(pl.Struct({"level": pl.Int8, "title": pl.String, "start": pl.Int32, "end": pl.Int32}))
KEPT = "This line is a sentence."
GONE = "no sentence here"


def dropped(text: str, *, lang: str = "en", sections: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    schema = {"text": pl.String, "lang": pl.String, "sections": SECTIONS}
    frame = pl.DataFrame([{"text": text, "lang": lang, "sections": sections}], schema=schema)
    return drop_lines(frame, c4.LINE_RULES).row(0, named=True)


LINES: list[tuple[str, str, str | None]] = [
    (KEPT, "en", None),
    ('He said "yes and no"', "en", None),
    (GONE, "en", "line_without_terminal_mark"),
    ("and so it goes...", "en", "line_without_terminal_mark"),
    ("Too short.", "en", "line_of_too_few_words"),
    ("Please turn JavaScript on.", "en", "line_with_javascript"),
    ("Read our Privacy Policy now.", "en", "line_about_policy"),
    (f"A word of {'x' * 1001} letters.", "en", "line_with_too_long_word"),
    ("What a river is this!", "en", None),
    ("This is a line; and so on;", "en", "line_without_terminal_mark"),
    ("Το ποτάμι και το κάστρο", "el", None),
    ("Ποτάμι.", "el", None),
    ("Река течёт мимо города…", "ru", None),
    ("A word that is long, and a policy.", "en", None),
    (f"Слово из {'я' * 1001} букв.", "ru", "line_with_too_long_word"),
    (f"{'川' * 1001}。", "ja", None),
    ("Bitte JavaScript einschalten.", "de", "line_with_javascript"),
    ("Read our Privacy Policy now.", "de", None),
    ("川は流れる", "ja", None),
    ("JavaScript を有効に", "ja", "line_with_javascript"),
]


@pytest.mark.parametrize(("line", "lang", "reason"), LINES)
def test_line_is_dropped_for_its_reason(line: str, lang: str, reason: str | None) -> None:
    row = dropped(f"{KEPT}\n{line}" if lang == "en" else line, lang=lang)
    assert [(item["reason"], item["count"]) for item in row["dropped_lines"]] == ([(reason, 1)] if reason else [])


def test_every_line_rule_has_a_line_that_it_drops() -> None:
    assert {reason for *_, reason in LINES if reason} == {rule.reason for rule in c4.LINE_RULES}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{GONE}\n{KEPT}", KEPT),
        (f"{KEPT}\n{GONE}", KEPT),
        (f"{KEPT}\n\n{GONE}\n\n{KEPT}", f"{KEPT}\n\n{KEPT}"),
        (f"{KEPT}\n{GONE}\n{KEPT}", f"{KEPT}\n{KEPT}"),
        (f"{GONE}\n\n{GONE}", ""),
        (f"{KEPT}\n\n{KEPT}", f"{KEPT}\n\n{KEPT}"),
    ],
)
def test_blank_lines_part_what_stays(text: str, left: str) -> None:
    assert dropped(text)["text"] == left


def test_counts_go_by_reason() -> None:
    row = dropped(f"{GONE}\n{KEPT}\n{GONE}\nNot enough.")
    assert row["dropped_lines"] == [
        {"reason": "line_of_too_few_words", "count": 1},
        {"reason": "line_without_terminal_mark", "count": 2},
    ]


def test_no_rules_drop_nothing() -> None:
    frame = pl.DataFrame({"text": [GONE], "lang": ["en"], "sections": [None]}, schema_overrides={"sections": SECTIONS})
    assert drop_lines(frame, ())["dropped_lines"].to_list() == [[]]
    assert drop_lines(frame, ())["text"].to_list() == [GONE]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from([KEPT, GONE, "", "Another line is kept here."]), max_size=4), max_size=4))
def test_sections_hold_the_lines_that_they_held(parts: list[list[str]]) -> None:
    text, made = "", []
    for lines in parts:
        body = "".join(f"{line}\n" for line in lines)
        made.append({"level": 1, "title": "t", "start": len(text), "end": len(text + body)})
        text += body
    row = dropped(text, sections=made)
    held = [row["text"][part["start"] : part["end"]].split("\n") for part in row["sections"]]
    kept = [[line for line in lines if line not in (GONE, "")] for lines in parts]
    assert [[line for line in lines if line] for lines in held] == kept
    assert all(0 <= part["start"] <= part["end"] <= len(row["text"]) for part in row["sections"])


def test_section_may_begin_inside_a_line() -> None:
    text = f"{GONE}\n{KEPT}\n{GONE}"
    made = [{"level": 1, "title": "t", "start": text.index("line is"), "end": len(text)}]
    row = dropped(text, sections=made)
    assert row["text"][row["sections"][0]["start"] : row["sections"][0]["end"]] == "line is a sentence."


def test_heading_of_a_section_stays_where_lines_below_it_do() -> None:
    parts = [
        (0, "", f"{GONE}\n"),
        (2, "Food", f"Food\n{KEPT}\n"),
        (2, "Links", f"Links\n{GONE}\n"),
        (2, "Life", "Life\n"),
    ]
    parts += [(3, "Winter", f"Winter\n{GONE}\n{KEPT}\n"), (3, "Summer", "Summer\n")]
    text, sections = "", []
    for level, title, body in parts:
        sections.append({"level": level, "title": title, "start": len(text), "end": len(text + body)})
        text += body
    row = dropped(text, sections=sections)
    assert row["text"] == f"Food\n{KEPT}\nLife\nWinter\n{KEPT}"
    held = {part["title"]: row["text"][part["start"] : part["end"]].strip() for part in row["sections"]}
    assert held == {
        "": "",
        "Food": f"Food\n{KEPT}",
        "Links": "",
        "Life": "Life",
        "Winter": f"Winter\n{KEPT}",
        "Summer": "",
    }
    assert row["dropped_lines"] == [{"reason": "line_without_terminal_mark", "count": 5}]


def test_line_that_only_reads_like_a_heading_is_dropped() -> None:
    text = f"Food\n{KEPT}\nFood\n{KEPT}"
    row = dropped(text, sections=[{"level": 2, "title": "Food", "start": 0, "end": len(text)}])
    assert row["text"] == f"Food\n{KEPT}\n{KEPT}"
