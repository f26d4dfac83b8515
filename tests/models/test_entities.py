from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import ConfigError
from models.tasks import entities, entity_features
from models.tasks.entities import EntityConfig, EntityModel

CONFIG = EntityConfig(buckets=2**14, iterations=60)


def marked(text: str) -> tuple[str, list[dict[str, object]]]:
    """`[PER Ada] slept` → the text and its spans."""
    plain, spans = "", []
    for piece in text.replace("]", "[").split("["):
        kind, _, surface = piece.partition(" ")
        is_span = kind in ("PER", "ORG", "LOC", "DATE")
        if is_span:
            spans.append({"start": len(plain), "end": len(plain) + len(surface), "type": kind})
        plain += surface if is_span else piece
    return plain, spans


EXAMPLES = [
    marked(text)
    for text in (
        "[PER Anna Smith] lives in [LOC Paris].",
        "[PER John Brown] was born in [LOC London] in [DATE May 1912].",
        "In [DATE June 1920] [PER Mary Jones] moved to [LOC Rome].",
        "[ORG Acme Inc.] hired [PER Peter White] in [DATE 1931].",
        "The [ORG University of Rome] is in [LOC Rome].",
        "Rain fell on the town all day.",
    )
]
TEXTS, SPANS = [text for text, _ in EXAMPLES], [spans for _, spans in EXAMPLES]


@pytest.fixture(scope="module")
def model() -> EntityModel:
    return entities.train(TEXTS, SPANS, config=CONFIG)


def test_it_learns_its_training_texts(model: EntityModel) -> None:
    found = [[] for _ in TEXTS]
    for row in model.predict(TEXTS).iter_rows(named=True):
        found[row["row"]].append({name: row[name] for name in ("start", "end", "type")})
    assert found == SPANS


def test_it_finds_names_it_has_not_seen(model: EntityModel) -> None:
    frame = model.predict(["", "🙂 He said so. Robert Green lives in Berlin."])
    assert frame.select("row", "surface", "type").rows() == [(1, "Robert Green", "PER"), (1, "Berlin", "LOC")]


@given(st.lists(st.text(st.sampled_from("Anna 1912.\n漢🙂é\u0301"), max_size=40), max_size=4))
@settings(max_examples=25, deadline=None)
def test_offsets_cut_the_surface_out_of_the_text(model: EntityModel, texts: list[str]) -> None:
    end_before = {}
    for row in model.predict(texts).iter_rows(named=True):
        assert texts[row["row"]][row["start"] : row["end"]] == row["surface"] != ""
        assert row["start"] >= end_before.get(row["row"], 0)
        assert 0 <= row["score"] <= 1
        assert row["type"] in model.types
        end_before[row["row"]] = row["end"]


def test_neighbours_in_a_batch_do_not_matter(model: EntityModel) -> None:
    together = model.predict(TEXTS)
    for row, text in enumerate(TEXTS):
        alone, among = (frame.drop("row").rows() for frame in (model.predict([text]), together.filter(row=row)))
        assert [cells[:-1] for cells in alone] == [cells[:-1] for cells in among]
        assert [cells[-1] for cells in alone] == pytest.approx([cells[-1] for cells in among])


def test_no_texts_give_no_rows(model: EntityModel) -> None:
    assert model.predict([]).schema == model.predict(["", " \n"]).schema == entities.SCHEMA
    assert model.predict([]).height == 0


def test_a_very_long_sentence_is_tagged_in_pieces(model: EntityModel) -> None:
    text = "and Anna Smith lives in Paris " * 200
    frame = model.predict([text])
    assert frame.filter(surface="Paris").height == 200


def test_equal_data_gives_equal_weights(model: EntityModel) -> None:
    assert np.array_equal(entities.train(TEXTS, SPANS, config=CONFIG).weights, model.weights)


def test_a_saved_model_predicts_the_same(model: EntityModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["entities.json", "entities.safetensors"]
    loaded = EntityModel.load(tmp_path)
    assert (loaded.types, loaded.config) == (model.types, model.config)
    assert loaded.predict(TEXTS).equals(model.predict(TEXTS))


def test_tags_and_runs_are_inverse() -> None:
    tokens = entity_features.tokenise(TEXTS)
    tags = entities.bio(tokens, SPANS)
    back = [[] for _ in TEXTS]
    for first, last, kind in entities.runs(tags, tokens.sentences):
        found = {"start": int(tokens.starts[first]), "end": int(tokens.ends[last - 1]), "type": kind}
        back[tokens.texts[first]].append(found)
    assert back == SPANS


def test_a_span_that_cuts_a_token_is_widened_to_it() -> None:
    tokens = entity_features.tokenise(["see Paris now"])
    assert entities.bio(tokens, [[{"start": 5, "end": 7, "type": "LOC"}]]) == ["O", "B-LOC", "O"]


def test_padding_groups_every_token_once() -> None:
    sentences = np.array([0, 3, 4, 9, 11])
    places = [
        row[:size].tolist() for rows, sizes in entities.padded(sentences) for row, size in zip(rows, sizes, strict=True)
    ]
    assert sorted(place for row in places for place in row) == list(range(11))
    assert sorted(map(len, places)) == [1, 2, 3, 5]


def test_cross_validation_predicts_every_text_unseen() -> None:
    done: list[tuple[int, int]] = []
    config = EntityConfig(buckets=2**12, iterations=20)
    options = {"folds": 3, "config": config, "seed": 1}
    predicted = entities.cross_validate(TEXTS, SPANS, **options, progress=lambda *at: done.append(at))
    assert len(predicted) == len(TEXTS)
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert predicted == entities.cross_validate(TEXTS, SPANS, **options)
    seen = entities.train(TEXTS[1:], SPANS[1:], config=config).predict(TEXTS[:1])
    held = entities.cross_validate(TEXTS, SPANS, folds=len(TEXTS), config=config)[0]
    assert [(span["start"], span["end"], span["type"]) for span in held] == seen.select("start", "end", "type").rows()


def test_the_baseline_tags_capitalised_runs() -> None:
    found = entities.baseline_predict(TEXTS, SPANS, ["Then Zoe Black left Rome."])
    assert found == [
        [{"start": 0, "end": 14, "type": "LOC"}, {"start": 20, "end": 24, "type": "LOC"}],
    ]
    assert entities.baseline_predict(TEXTS, SPANS, ["Rain fell."]) == [[]]
    assert len(entities.cross_validate_baseline(TEXTS, SPANS, folds=3)) == len(TEXTS)


def test_no_spans_unequal_rows_and_bad_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="no entity spans"):
        entities.train(["a"], [[]])
    with pytest.raises(ConfigError, match="found 1 texts and 0 lists"):
        entities.train(["a"], [])
    with pytest.raises(ConfigError, match="found 7 folds for 6 texts"):
        entities.cross_validate(TEXTS, SPANS, folds=7)
    with pytest.raises(ConfigError, match="no entity spans"):
        entities.baseline_predict(["a"], [[]], ["b"])
    with pytest.raises(ConfigError, match="above 0"):
        EntityConfig(l2=0)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("Paris", "Xxx"), ("NATO", "XX"), ("of", "xx"), ("1912", "d4"), ("1234567", "d5"), (",", ","), ("A", "X")],
)
def test_shapes(word: str, expected: str) -> None:
    assert entity_features.shape(word) == expected
