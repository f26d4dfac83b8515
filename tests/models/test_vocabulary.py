from __future__ import annotations

from functools import cache

import pytest
import tiny_text

from models.vocabulary import END_OF_TEXT, Vocabulary, VocabularyError
from pipelines.tokenise import TokeniserConfig, train_tokenizer


@cache
def bytes_of(kind: str = "bpe", size: int = 300) -> Vocabulary:
    texts = ["low lower lowest new newer newest"] * 3
    return Vocabulary(train_tokenizer(texts, config=TokeniserConfig(kind=kind, vocab_size=size)), ("pad", "mask"))


def test_marks_come_after_the_tokens() -> None:
    found = tiny_text.vocabulary()
    assert (found.tokens, found.size, found.mark("pad"), found.mark("begin")) == (10, 12, 10, 11)
    assert found.end == 0


def test_a_tokenizer_without_an_end_of_text_is_an_error() -> None:
    text = tiny_text.vocabulary().tokenizer.replace(END_OF_TEXT, "<|other|>")
    with pytest.raises(VocabularyError, match=r"no token <\|endoftext\|>"):
        _ = Vocabulary(text).end


def test_text_that_spells_a_special_token_is_text() -> None:
    ids = bytes_of().encode(f"low{END_OF_TEXT}")
    assert bytes_of().end not in ids
    assert bytes_of().decode(ids) == f"low{END_OF_TEXT}"


def test_marks_and_ends_are_not_written() -> None:
    vocabulary = bytes_of()
    ids = [vocabulary.mark("pad"), *vocabulary.encode("newer low"), vocabulary.end, vocabulary.mark("mask")]
    assert vocabulary.decode(ids) == "newer low"


def test_single_tokens_are_shown_with_marks_by_name_and_a_dot_for_what_has_no_text() -> None:
    found = tiny_text.vocabulary()
    assert [found.token(number) for number in (2, 9, 10, 11, 0)] == ["the", "small", "<pad>", "<begin>", "·"]


@pytest.mark.parametrize(("kind", "size"), [("bpe", 264), ("wordpiece", 20)])
def test_pieces_inside_a_word_do_not_begin_one(kind: str, size: int) -> None:
    vocabulary = bytes_of(kind, size)
    ids = vocabulary.encode(" lower newest")
    assert len(ids) > 3
    assert vocabulary.word_starts[ids].tolist() == [vocabulary.token(number)[-2:] in {"lo", "ne"} for number in ids]


def test_every_token_of_words_begins_one() -> None:
    assert tiny_text.vocabulary().word_starts.all()


def test_another_tokenizer_has_another_fingerprint() -> None:
    assert bytes_of().fingerprint != tiny_text.vocabulary().fingerprint
    assert bytes_of().fingerprint == Vocabulary(bytes_of().tokenizer).fingerprint
