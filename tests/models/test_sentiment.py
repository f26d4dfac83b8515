from pathlib import Path

import numpy as np
import pytest

from data.errors import ConfigError
from models.tasks import sentiment, tone_features
from models.tasks.sentiment import SentimentConfig, SentimentModel
from models.tasks.tone_features import ToneConfig

CONFIG = SentimentConfig(features=ToneConfig(buckets=2**12), iterations=50)
TEXTS = [
    "A wonderful film, I loved it.",
    "Great food and friendly people.",
    "Not bad at all, we enjoyed it.",
    "I loved the music.",
    "A terrible film, I hated it.",
    "Awful food and rude people.",
    "Not good, we were bored.",
    "I hated the noise.",
    "The film is two hours long.",
    "The restaurant opens at nine.",
    "We sat at a table.",
    "The music starts at ten.",
]
LABELS = ["positive"] * 4 + ["negative"] * 4 + ["neutral"] * 4


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return sentiment.train(TEXTS, LABELS, config=CONFIG)


def test_it_learns_its_training_texts(model: SentimentModel) -> None:
    assert model.labels == ("negative", "neutral", "positive")
    assert model.predict(TEXTS)["label"].to_list() == LABELS


def test_it_reads_words_it_has_seen_in_new_texts(model: SentimentModel) -> None:
    frame = model.predict(["We loved the wonderful people.", "Rude people, terrible noise."])
    assert frame["label"].to_list() == ["positive", "negative"]


def test_probabilities_sum_to_one_and_the_score_is_the_best_of_them(model: SentimentModel) -> None:
    frame = model.predict([*TEXTS, "", "漢字 🙂", "\ud800"])
    for row in frame.iter_rows(named=True):
        shares = {share["label"]: share["p"] for share in row["probabilities"]}
        assert tuple(shares) == model.labels
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert row["score"] == max(shares.values()) == shares[row["label"]]
    assert frame.schema == sentiment.SCHEMA


def test_no_texts_give_no_rows(model: SentimentModel) -> None:
    frame = model.predict([])
    assert frame.height == 0
    assert frame.schema == sentiment.SCHEMA


def test_a_long_text_is_the_mean_of_its_sentences(model: SentimentModel) -> None:
    sentences = ["I loved it.", "We sat at a table.", "The film is long."] * 4
    expected = model.logits(sentences).mean(axis=0)
    assert model.logits([" ".join(sentences)])[0] == pytest.approx(expected)


def test_only_the_first_sentences_of_a_very_long_text_count() -> None:
    config = SentimentConfig(features=CONFIG.features, whole_sentences=1, max_sentences=2)
    model = sentiment.train(TEXTS, LABELS, config=config)
    first, more = model.logits(["I loved it. We sat.", "I loved it. We sat. I hated it."])
    assert first == pytest.approx(more)


def test_equal_data_gives_equal_weights_and_order_of_texts_does_not_change_predictions(model: SentimentModel) -> None:
    again = sentiment.train(TEXTS, LABELS, config=CONFIG)
    assert np.array_equal(again.weights, model.weights)
    assert model.logits(TEXTS[::-1])[::-1] == pytest.approx(model.logits(TEXTS))


def test_a_saved_model_predicts_the_same(model: SentimentModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sentiment.json", "sentiment.safetensors"]
    loaded = SentimentModel.load(tmp_path)
    assert (loaded.labels, loaded.temperature, loaded.config) == (model.labels, model.temperature, model.config)
    assert loaded.predict(TEXTS).equals(model.predict(TEXTS))


def test_validation_rows_set_the_temperature(model: SentimentModel) -> None:
    wrong = (["A wonderful film.", "A terrible film."], ["negative", "positive"])
    right = (TEXTS, LABELS)
    unsure = sentiment.train(TEXTS, LABELS, config=CONFIG, validation=wrong)
    sure = sentiment.train(TEXTS, LABELS, config=CONFIG, validation=right)
    unknown = sentiment.train(TEXTS, LABELS, config=CONFIG, validation=(["text"], ["sarcastic"]))
    assert sure.temperature < 1 < unsure.temperature
    assert unknown.temperature == model.temperature == 1
    assert unsure.predict(TEXTS)["label"].to_list() == model.predict(TEXTS)["label"].to_list()


def test_any_two_labels_will_do() -> None:
    model = sentiment.train(["spam spam", "dear friend"], ["1", "0"], config=CONFIG)
    assert model.predict(["spam", "friend"])["label"].to_list() == ["1", "0"]


def test_progress_is_told(model: SentimentModel) -> None:
    seen: list[tuple[int, int]] = []
    model.predict(TEXTS * 6, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(64, 72), (72, 72)]


def test_one_class_unequal_rows_and_bad_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2 classes"):
        sentiment.train(["a", "b"], ["x", "x"])
    with pytest.raises(ConfigError, match="found 1 texts and 2 labels"):
        sentiment.train(["a"], ["x", "y"])
    with pytest.raises(ConfigError, match="l2 must be above 0"):
        SentimentConfig(l2=0)


def test_negation_reaches_to_the_next_punctuation() -> None:
    config = ToneConfig(piece_weight=0.0, opinion_weight=0.0)
    columns = [
        set(tone_features.extract([text], config).columns.tolist())
        for text in ("good", "not x good", "not x, good", "isn't good")
    ]
    plain = columns[0] & columns[2]
    assert plain
    assert not plain & columns[1]
    assert columns[1] & columns[3]


def test_words_after_a_contrast_weigh_more() -> None:
    config = ToneConfig(contrast_weight=3.0)
    matrix = tone_features.extract(["good but bad", "good and bad"], config)
    assert matrix.values[: matrix.starts[1]].max() == 3.0 * config.opinion_weight
    assert matrix.values[matrix.starts[1] :].max() == config.opinion_weight
