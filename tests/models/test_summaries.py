from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embeddings.vectors import WordVectors
from models.tasks.summaries import SCHEMA, Summariser, SummaryConfig, SummaryConfigError, candidates

WORDS = ("the", "river", "water", "flows", "banks", "fish", "stone", "castle", "king")
VECTORS = WordVectors(
    words=WORDS,
    vectors=np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32),
    counts=np.arange(len(WORDS), 0, -1) * 10,
    common=np.zeros(6, dtype=np.float32),
)
RIVER = "The river carries water and fish past the castle. "
BANKS = "The water of the river flows between high stone banks. "
ASIDE = "Somebody once told me an unrelated story about trains. "
TEXT = RIVER + ASIDE + BANKS


def summariser(**options: float) -> Summariser:
    return Summariser(SummaryConfig(**{"max_sentences": 2, **options}), VECTORS)  # type: ignore[arg-type]


def summary_of(text: str, *, title: str | None = None, **options: float) -> dict[str, object]:
    return summariser(**options).summarise([title], [text], [None]).row(0, named=True)


def test_frame_has_the_columns_of_the_contract() -> None:
    assert summariser().summarise([None], [TEXT], [None]).schema == pl.Schema(SCHEMA)


def test_summary_is_made_of_sentences_in_the_order_of_the_text() -> None:
    found = summary_of(TEXT, position_weight=0.0)
    assert (found["summary"], found["n_sentences"]) == ((RIVER + BANKS).strip(), 2)


def test_sentence_that_repeats_another_is_passed_over() -> None:
    assert summary_of(RIVER + RIVER + BANKS, novelty=1.0)["summary"] == (RIVER + BANKS).strip()


def test_title_draws_sentences_about_it() -> None:
    options = {"max_sentences": 1, "position_weight": 0.0, "title_weight": 50.0, "section_weight": 0.0}
    king = "The king lived in a castle made of stone. "
    assert summary_of(TEXT + king, title="King castle", **options)["summary"] == king.strip()


def test_compression_is_characters_over_characters() -> None:
    found = summary_of(TEXT)
    assert found["compression"] == pytest.approx(len(str(found["summary"])) / len(TEXT))


def test_line_breaks_inside_a_sentence_become_blanks() -> None:
    assert "\n" not in str(summary_of("The river carries  water and\tfish past the castle.")["summary"])


def test_long_document_is_cut_to_the_ranked_sentences() -> None:
    found = summary_of(TEXT * 20, max_ranked=3, max_read=10)
    assert found["n_sentences"] == 2


def test_budget_of_characters_is_kept() -> None:
    assert len(str(summary_of(TEXT, max_sentences=3, max_chars=110)["summary"])) <= 110


@pytest.mark.parametrize("text", ["Hi", "River\n\nCastle", "- one\n- two", "...", " ", ""])
def test_document_without_sentences_gets_a_summary(text: str) -> None:
    found = summary_of(text)
    assert found["n_sentences"] == 1 or text.strip()
    assert int(str(found["n_sentences"])) >= 1


def test_words_without_vectors_do_no_harm() -> None:
    found = summary_of("Zxq vbn mlk poi uyt rew. Qwe rty uio pas dfg hjk.")
    assert found["n_sentences"] == 2


def test_documents_do_not_influence_each_other() -> None:
    together = summariser().summarise([None, None], [TEXT, BANKS + ASIDE], [None, None])
    assert together.row(1) == summariser().summarise([None], [BANKS + ASIDE], [None]).row(0)


def test_progress_counts_documents() -> None:
    seen: list[tuple[int, int]] = []
    summariser().summarise([None] * 2, [TEXT] * 2, [None] * 2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]


def test_headings_are_no_candidates() -> None:
    text = "The history of the river and castle.\n" + RIVER
    sections = [{"level": 1, "title": "The history of the river and castle.", "start": 0, "end": len(text)}]
    spans = candidates(text, sections, config=SummaryConfig()).spans
    assert [text[start:end].strip() for start, end in spans] == [RIVER.strip()]


def test_fragments_and_unfit_lengths_are_no_candidates_beside_sentences() -> None:
    text = f"- a list of things without an end\n\nToo short.\n\n{'word ' * 90}.\n\n{RIVER}"
    spans = candidates(text, [], config=SummaryConfig()).spans
    assert [text[start:end].strip() for start, end in spans] == [RIVER.strip()]


def test_first_sentence_of_each_section_is_marked() -> None:
    text = RIVER + ASIDE + "\n\nWater\n" + BANKS + ASIDE
    start = text.index("Water\n")
    sections = [
        {"level": 0, "title": "", "start": 0, "end": start},
        {"level": 1, "title": "Water", "start": start, "end": len(text)},
    ]
    assert candidates(text, sections, config=SummaryConfig()).begins == [True, False, True, False]


def test_saved_summariser_loads_and_says_the_same(tmp_path: Path) -> None:
    made = summariser(novelty=0.3)
    made.save(tmp_path)
    loaded = Summariser.load(tmp_path)
    assert loaded.config == made.config
    assert loaded.summarise([None], [TEXT], [None]).equals(made.summarise([None], [TEXT], [None]))


@given(st.lists(st.sampled_from([RIVER, BANKS, ASIDE, "Heading\n", "\n\n", "frag ment ", "1, 2. "]), max_size=12))
def test_every_summary_keeps_the_contract(pieces: list[str]) -> None:
    found = summary_of("".join(pieces) or "x")
    assert 1 <= int(str(found["n_sentences"])) <= 2
    assert 0 <= float(str(found["compression"])) <= 1
    assert 0 <= float(str(found["score"])) <= 1


@pytest.mark.parametrize(
    ("options", "name"),
    [({"max_sentences": 0}, "max_sentences"), ({"max_words": 2}, "max_words"), ({"damping": 2.0}, "damping"),
     ({"title_weight": -1.0}, "title_weight")],
)  # fmt: skip
def test_bad_option_is_named(options: dict[str, float], name: str) -> None:
    with pytest.raises(SummaryConfigError, match=name):
        SummaryConfig(**options)  # type: ignore[arg-type]
