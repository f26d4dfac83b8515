from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embeddings.vectors import WordVectors
from models.tasks.keyphrases import (
    SCHEMA,
    KeyphraseConfig,
    KeyphraseConfigError,
    KeyphraseModel,
    frequent_words,
    title_recall,
)

VECTORS = WordVectors(
    words=("solar", "panel", "energy", "city"),
    vectors=np.eye(4, dtype=np.float32),
    counts=np.array([4, 3, 2, 1], dtype=np.int64),
    common=np.zeros(4, dtype=np.float32),
)
CORPUS = ["The city has a park.", "The city has a river.", "The city has a hall.", "A park in a city."]
TEXT = "A solar panel turns light into energy. The city bought a solar panel. Each solar panel works."


def model(**options: float) -> KeyphraseModel:
    return KeyphraseModel.fit(CORPUS, VECTORS, KeyphraseConfig(**options))  # type: ignore[arg-type]


def phrases(text: str, *, title: str | None = None, **options: float) -> list[str]:
    return model(**options).extract([title], [text])["phrase"].to_list()


def test_frequent_phrase_comes_first() -> None:
    assert phrases(TEXT)[0] == "solar panel"


def test_part_of_a_chosen_phrase_is_not_repeated() -> None:
    assert not {"solar", "panel"} & set(phrases(TEXT))


def test_other_ending_of_a_chosen_phrase_is_not_repeated() -> None:
    assert phrases("Turbines. Turbine. Turbines.") == ["Turbines"]


def test_word_of_every_document_ranks_below_a_rare_one() -> None:
    found = phrases("Glaciers. City. Glaciers. City.", position_weight=0.0)
    assert found.index("Glaciers") < found.index("City")


def test_words_of_most_documents_become_function_words_in_a_large_corpus() -> None:
    assert "City" in phrases("City. Glaciers.")
    assert "City" not in phrases("City. Glaciers.", min_documents=4, common_share=0.5)


def test_phrase_of_the_title_rises() -> None:
    assert phrases("Glaciers. Deserts.", title="The deserts of Asia", title_weight=9.0)[0] == "Deserts"


def test_at_most_top_phrases() -> None:
    assert len(phrases(TEXT, top=2)) == 2


def test_frame_has_rows_ranks_and_falling_scores() -> None:
    frame = model().extract([None, None], [TEXT, "Glaciers."])
    assert frame.schema == pl.Schema(SCHEMA)
    assert frame.filter(pl.col("row") == 0)["rank"].to_list() == list(range(1, frame.height))
    assert frame.filter(pl.col("row") == 0)["score"].is_sorted(descending=True)
    assert frame["row"].to_list()[-1] == 1


def test_text_without_phrases_gives_no_rows() -> None:
    assert model().extract([None], ["the of and"]).height == 0


def test_rare_words_are_not_kept() -> None:
    assert model().words == ("a", "city", "has", "the", "park")


def test_progress_of_fit_counts_texts() -> None:
    seen: list[int] = []
    KeyphraseModel.fit(CORPUS, VECTORS, progress=lambda done, _: seen.append(done))
    assert seen == [1, 2, 3, 4]


def test_saved_model_loads_and_says_the_same(tmp_path: Path) -> None:
    made = model(top=3)
    made.save(tmp_path)
    loaded = KeyphraseModel.load(tmp_path)
    assert loaded.config == made.config
    assert loaded.extract(["x"], [TEXT]).equals(made.extract(["x"], [TEXT]))


def test_saved_files_are_safetensors_and_json(tmp_path: Path) -> None:
    model().save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


def test_baseline_takes_the_most_frequent_content_words() -> None:
    assert frequent_words("The sea, the sea and the ship.", k=2) == ["sea", "ship"]


def test_title_is_recalled_whatever_its_case_and_brackets() -> None:
    assert title_recall(["Mercury (planet)", "Venus"], [["orbit", "mercury"], ["mars"]]).tolist() == [1.0, 0.0]


def test_title_beyond_the_first_k_is_not_recalled() -> None:
    assert title_recall(["Venus"], [["mars", "venus"]], k=1).tolist() == [0.0]


@given(st.lists(st.sampled_from(["solar ", "Panel ", "the ", "City's ", ". ", ", ", "x-", "\n"]), max_size=25))
def test_scores_lie_between_zero_and_one_and_phrases_are_distinct(pieces: list[str]) -> None:
    frame = model().extract([None], ["".join(pieces)])
    assert frame["score"].is_between(0, 1).all()
    assert frame["phrase"].str.to_lowercase().is_unique().all()


@pytest.mark.parametrize(
    ("options", "name"),
    [({"top": 0}, "top"), ({"common_share": 0.0}, "common_share"), ({"name_weight": -1.0}, "name_")],
)
def test_bad_option_is_named(options: dict[str, float], name: str) -> None:
    with pytest.raises(KeyphraseConfigError, match=name):
        KeyphraseConfig(**options)  # type: ignore[arg-type]
