from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import ConfigError
from pipelines.tokenise import (
    END_OF_TEXT,
    EmptyCorpusError,
    TokeniserConfig,
    encode,
    fingerprint,
    load,
    train_tokenizer,
)

TEXTS = ["The river carries water past the castle.", "The castle stands by the river and the water."] * 3
SMALL = TokeniserConfig(vocab_size=280)
TRAINED = train_tokenizer(TEXTS, config=SMALL)
TOKENIZER = load(TRAINED)


def test_training_twice_makes_the_same_tokenizer() -> None:
    assert train_tokenizer(iter(TEXTS), config=SMALL) == TRAINED
    assert fingerprint(TRAINED) == fingerprint(train_tokenizer(TEXTS, config=SMALL))
    assert len(fingerprint(TRAINED)) == 16


def test_vocabulary_has_every_byte_and_the_size_asked_for() -> None:
    assert TOKENIZER.get_vocab_size() == 280
    assert TOKENIZER.token_to_id(END_OF_TEXT) == 0


def test_frequent_words_become_few_tokens() -> None:
    assert len(TOKENIZER.encode("The river").ids) < len("The river") / 2


@given(st.text(max_size=40))
def test_decoding_gives_the_text_back(text: str) -> None:
    tokens = encode(pl.DataFrame({"doc_id": ["s:1"], "text": [text]}), TOKENIZER)
    assert TOKENIZER.decode(tokens["input_ids"][0].to_list()) == text


def test_text_cannot_spell_a_special_token() -> None:
    tokens = encode(pl.DataFrame({"doc_id": ["s:1"], "text": [f"a{END_OF_TEXT}b"]}), TOKENIZER)
    assert 0 not in tokens["input_ids"][0].to_list()
    assert TOKENIZER.decode(tokens["input_ids"][0].to_list()) == f"a{END_OF_TEXT}b"


def test_tokens_keep_the_contract_and_the_order() -> None:
    corpus = pl.DataFrame({"doc_id": ["s:2", "s:1"], "text": TEXTS[:2]})
    table = conform(encode(corpus, TOKENIZER), CONTRACTS["tokens"])
    assert table["doc_id"].to_pylist() == ["s:2", "s:1"]
    assert table["n_tokens"].to_pylist() == [len(ids) for ids in table["input_ids"].to_pylist()]


@pytest.mark.parametrize("texts", [[], ["", ""]])
def test_empty_corpus_is_an_error(texts: list[str]) -> None:
    with pytest.raises(EmptyCorpusError, match="no text"):
        train_tokenizer(texts)


def test_progress_counts_texts() -> None:
    seen: list[tuple[int, int]] = []
    train_tokenizer(TEXTS[:2], config=SMALL, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 1), (2, 2)]


def test_vocabulary_smaller_than_the_bytes_is_refused() -> None:
    with pytest.raises(ConfigError, match="vocab_size"):
        TokeniserConfig(vocab_size=256)
