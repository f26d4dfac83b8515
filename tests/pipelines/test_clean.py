from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import AccountingError, ConfigError
from pipelines.clean import CleanConfig, clean
from pipelines.decontaminate import DecontaminationConfig
from pipelines.privacy import PrivacyConfig
from pipelines.sections import Pieces, moved, rejoin

RIVER = "The river carries water past the castle, and it has done so for a thousand years."
TOWN = "The people of the town know this and they build their houses on the hills above it."
GERMAN = "Der Fluss führt das Wasser an der Burg vorbei, und die Leute in der Stadt wissen das seit vielen Jahren."
OFF = {"too_few_words": False, **{f"too_many_duplicate_{n}grams": False for n in range(5, 11)}}
SCHEMA = pl.from_arrow(CONTRACTS["documents"].schema.empty_table())


def documents(*texts: str, sections: list[list[dict[str, Any]]] | None = None) -> pl.DataFrame:
    rows = [{"doc_id": f"s:{i}", "source": "s", "text": text} for i, text in enumerate(texts)]
    for i, row in enumerate(rows):
        row["sections"] = (sections or [[]] * len(rows))[i]  # type: ignore[assignment]
    assert isinstance(SCHEMA, pl.DataFrame)
    return pl.DataFrame(rows, schema=SCHEMA.schema)


def section(level: int, title: str, start: int, end: int) -> dict[str, Any]:
    return {"level": level, "title": title, "start": start, "end": end}


def test_good_text_becomes_a_candidate_with_its_figures() -> None:
    candidates, rejects = clean(documents(f"{RIVER} {TOWN}"))
    row = candidates.row(0, named=True)
    assert rejects.height == 0
    assert (row["lang"], row["n_sentences"], row["n_chars"]) == ("en", 2, len(row["text"]))
    assert row["n_words"] == 16 + 17
    assert row["text_sha256"] == hashlib.sha256(row["text"].encode()).hexdigest()
    assert len(row["minhash"]) == 112


def test_results_keep_their_contracts() -> None:
    for frame in (documents(RIVER, "junk"), documents()):
        candidates, rejects = clean(frame)
        conform(candidates, CONTRACTS["candidates"])
        conform(rejects, CONTRACTS["rejects"])
        assert candidates.columns == CONTRACTS["candidates"].schema.names


def test_rejects_carry_reason_figure_and_origin() -> None:
    _, rejects = clean(documents("too short", " \u200b ", RIVER))
    assert rejects.select("doc_id", "origin", "stage", "kind", "reason", "detail", "n_chars").rows() == [
        ("s:0", "documents/s:0", "clean", "filtered", "too_few_words", "n_words is 2, below 10", 9),
        ("s:1", "documents/s:1", "clean", "filtered", "text_empty", None, 0),
    ]


def test_other_languages_are_rejected_where_languages_are_named() -> None:
    candidates, rejects = clean(documents(RIVER, GERMAN), config=CleanConfig(languages=("en",)))
    assert candidates["doc_id"].to_list() == ["s:0"]
    assert rejects["reason"].to_list() == ["language_not_wanted"]
    assert rejects["detail"][0] == "lang is de, lang_score 0.99; wanted: en"


def test_personal_data_is_masked_and_counted() -> None:
    text = f"{RIVER} Write to a@b.com."
    row = clean(documents(text))[0].row(0, named=True)
    assert row["text"].endswith("Write to [EMAIL].")
    assert row["pii"] == [{"type": "email", "count": 1}]
    kept = clean(documents(text), config=CleanConfig(privacy=PrivacyConfig(kinds=())))[0].row(0, named=True)
    assert (kept["text"], kept["pii"]) == (text, [])


def test_sections_move_with_their_text() -> None:
    lead, body = f" {RIVER}  Mail  a@b.com \n\n\n", f"Town\n{TOWN}\n[edit]\n"
    made = [section(0, "", 0, len(lead)), section(1, "Town", len(lead), len(lead + body))]
    row = clean(documents(lead + body, sections=[made]))[0].row(0, named=True)
    first, second = (row["text"][part["start"] : part["end"]] for part in row["sections"])
    assert first == f"{RIVER} Mail [EMAIL]\n\n"
    assert second == f"Town\n{TOWN}"
    assert [part["title"] for part in row["sections"]] == ["", "Town"]


def test_recipe_of_articles_keeps_headings_that_a_web_recipe_drops() -> None:
    text = "\n".join(["The river", f"{RIVER} {TOWN}", "The town", f"{TOWN} {RIVER}", "See also"])
    kept, _ = clean(documents(text), config=CleanConfig(recipe="wikipedia"))
    assert kept["text"].to_list() == [text]
    assert kept["dropped_lines"].to_list() == [[]]
    web = CleanConfig(recipe="web", thresholds={"too_few_sentences": 4, **OFF})
    shortened, _ = clean(documents(text), config=web)
    assert shortened["text"].to_list() == [f"{RIVER} {TOWN}\n{TOWN} {RIVER}"]
    assert shortened["dropped_lines"].to_list() == [[{"reason": "line_without_terminal_mark", "count": 3}]]


def test_web_recipe_takes_out_marks_of_notes_and_tells_of_dropped_lines() -> None:
    text = f"{RIVER[:-1]}.[12]\nno sentence\nnone either"
    _, rejects = clean(documents(text, "no sentence\nnone either"), config=CleanConfig(recipe="web"))
    assert rejects.select("reason", "detail", "n_chars").rows() == [
        (
            "too_few_sentences",
            "n_sentences is 1, below 5; lines dropped before: 2 line_without_terminal_mark",
            len(RIVER),
        ),
        ("no_line_left", "lines dropped before: 2 line_without_terminal_mark", 0),
    ]


def test_quality_holds_what_the_rules_looked_at() -> None:
    row = clean(documents(RIVER))[0].row(0, named=True)
    assert row["quality"]["n_words"] == 16
    assert row["quality"]["top_3gram_ratio"] is None


def test_rules_are_added_and_thresholds_set_by_name() -> None:
    text = f"{RIVER} {{"
    kept, rejects = clean(documents(text), config=CleanConfig(rules=("curly_bracket_found",)))
    assert rejects["reason"].to_list() == ["curly_bracket_found"]
    kept, rejects = clean(documents(text), config=CleanConfig(thresholds={"too_few_words": 17}))
    assert rejects["detail"].to_list() == ["n_words is 16, below 17"]
    kept, _ = clean(documents("It is the river."), config=CleanConfig(thresholds={"too_few_words": False}))
    assert kept.height == 1
    _, rejects = clean(documents(RIVER), config=CleanConfig(bad_words=("castle",)))
    assert rejects["reason"].to_list() == ["bad_word_found"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "wbe"}, "no recipe 'wbe'"),
        ({"rules": ("no_such_rule",)}, "no quality rule 'no_such_rule'"),
        ({"rules": ("no_such_module:rule",)}, "module 'no_such_module' cannot be imported"),
        ({"rules": ("pipelines.clean:clean",)}, "is no Rule or LineRule but a function"),
        ({"rules": ("pipelines.clean:nothing",)}, "module pipelines.clean has no 'nothing'"),
        ({"thresholds": {"no_such_rule": 1.0}}, "no quality rule 'no_such_rule'"),
        ({"recipe": "plain", "thresholds": {"too_few_sentences": 1.0}}, "recipe 'plain' has no rule"),
    ],
)
def test_wrong_option_is_refused_with_what_would_be_right(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        CleanConfig(**options)


def test_input_is_not_changed() -> None:
    frame = documents(f"{RIVER}  ")
    before = frame.clone()
    clean(frame)
    assert frame.equals(before)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([RIVER, GERMAN, "junk", "", "12 34 " * 9, RIVER * 3]), max_size=6))
def test_every_document_is_kept_or_rejected(texts: list[str]) -> None:
    candidates, rejects = clean(documents(*texts))
    assert sorted([*candidates["doc_id"], *rejects["doc_id"]]) == [f"s:{i}" for i in range(len(texts))]


MIXED = [
    RIVER,
    f"{RIVER} {TOWN}",
    GERMAN,
    "junk",
    "",
    "12 34 " * 9,
    f"{TOWN}\u00a0 Write to a@b.com.",
    f"{RIVER}\n\nTown\n{TOWN}",
    f"Menu\n{RIVER}[3]\nhome\n{TOWN}",
    "川は城のそばを千年のあいだ流れてきた。春になると山の雪がとける。",
    "read now " * 40,
]


@pytest.mark.parametrize("recipe", ["wikipedia", "web", "plain"])
@settings(max_examples=5, deadline=None)
@given(texts=st.lists(st.sampled_from(MIXED), min_size=2, max_size=7), at=st.integers(0, 7))
def test_a_document_is_cleaned_alike_whatever_stands_beside_it(recipe: str, texts: list[str], at: int) -> None:
    config = CleanConfig(recipe=recipe, thresholds={"too_few_words": 3})
    made = [[section(1, "", 0, len(text) // 2), section(1, "", len(text) // 2, len(text))] for text in texts]
    frame = documents(*texts, sections=made)
    whole, halves = clean(frame, config=config), [clean(half, config=config) for half in (frame[:at], frame[at:])]
    for together, apart in zip(whole, zip(*halves, strict=True), strict=True):
        assert together.equals(pl.concat(apart))


def test_documents_without_sections_keep_none() -> None:
    frame = documents(RIVER, TOWN, sections=[[section(1, "", 0, 4)], None])  # type: ignore[list-item]
    assert clean(frame)[0]["sections"].to_list() == [[section(1, "", 0, 4)], None]


def test_languages_of_the_config_are_codes_that_texts_are_given() -> None:
    with pytest.raises(ConfigError, match="'no' is no code here; Norwegian is told apart as nb"):
        CleanConfig(languages=("no",))


@pytest.mark.parametrize(
    ("parts", "joined"),
    [
        (["a\n", "b"], "a\nb"),
        (["a\n\n\n", "\nb"], "a\n\nb"),
        (["a ", "b"], "a b"),
        (["a", "b"], "ab"),
        (["a\n", " ", "\nb"], "a\n\nb"),
        (["a\n\n\u200b", "b"], "a\n\nb"),
        (["a\r\n", "b"], "a\nb"),
        (["e", "\u0301"], "e\n\u0301"),
        (["", "a"], "a"),
    ],
)
def test_pieces_keep_the_breaks_between_them(parts: list[str], joined: str) -> None:
    cuts = [len("".join(parts[:i])) for i in range(len(parts) + 1)]
    pieces = Pieces(tuple(cuts), tuple(parts))
    assert rejoin(pieces, [part.strip(" \r\n\u200b") for part in parts])[0] == joined


@given(st.lists(st.text(alphabet="ab \n", max_size=6), max_size=5))
def test_moved_sections_hold_what_they_held(parts: list[str]) -> None:
    text, made = "", []
    for part in parts:
        made.append(section(1, "", len(text), len(text + part)))
        text += part
    pieces = Pieces.of(text, made)
    joined, offsets = rejoin(pieces, [piece.strip() for piece in pieces.texts])
    found = moved(made, offsets, len(text)) or []
    assert [joined[part["start"] : part["end"]].strip() for part in found] == [part.strip() for part in parts]


@pytest.mark.parametrize(("mode", "kept"), [("reject", 1), ("tag", 2), ("mask", 2)])
def test_personal_data_can_refuse_a_document_or_be_told_alone(mode: str, kept: int) -> None:
    texts = (RIVER, f"{TOWN} Write to a@b.com, not to c@d.org.")
    candidates, rejects = clean(documents(*texts), config=CleanConfig(privacy=PrivacyConfig(mode=mode)))
    assert candidates.height == kept
    assert rejects.select("reason", "detail").rows() == [("personal_data_found", "email")] * (2 - kept)
    if mode == "tag":
        assert candidates["text"][1] == texts[1]
        assert candidates["pii"][1].to_list() == [{"type": "email", "count": 2}]


def test_a_document_with_a_piece_of_an_evaluation_set_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "quiz.txt").write_text("Which of these towns has a market on the second day of the week?\n", "utf-8")
    sets = DecontaminationConfig(sets={"quiz": str(tmp_path / "quiz.txt")}, n=5)
    taken = f"{TOWN} Which of these towns has a market is asked."
    candidates, rejects = clean(documents(RIVER, taken), config=CleanConfig(decontamination=sets))
    assert candidates["doc_id"].to_list() == ["s:0"]
    assert rejects.select("reason", "detail").rows() == [("overlaps_evaluation_set", "quiz: which of these towns has")]


def test_a_rule_comes_before_personal_data(tmp_path: Path) -> None:
    _, rejects = clean(documents("a@b.com"), config=CleanConfig(privacy=PrivacyConfig(mode="reject")))
    assert rejects["reason"].to_list() == ["too_few_words"]


def test_document_that_is_neither_kept_nor_rejected_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["pipelines.clean"]
    rejects = module._rejects
    monkeypatch.setattr(module, "_rejects", lambda judged: rejects(judged).head(0))
    with pytest.raises(AccountingError, match="2 documents in, 1 kept and 0 rejected"):
        clean(documents(f"{RIVER} {TOWN}", ""))
