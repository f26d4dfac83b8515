from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from models.evaluation.perplexity import (
    PerplexityConfig,
    Surprise,
    byte_lengths,
    surprise,
    unigram_surprise,
    windows,
)
from models.language.gpt import GPT, GPTConfig

BYTES = np.array([0] + [2] * 11, dtype=np.int64)


def model() -> GPT:
    made = GPT(GPTConfig(vocab_size=12, context=8, layers=1, heads=2, width=16))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.3)
    return made.eval()


def test_short_document_is_scored_as_in_one_pass() -> None:
    made, ids = model(), [3, 1, 4, 1, 5]
    expected = made.loss(torch.tensor([[0, *ids]])).item() * 5
    assert surprise(made, [ids], separator=0, token_bytes=BYTES).nats[0] == pytest.approx(expected, rel=1e-5)


def test_batching_with_padding_changes_nothing() -> None:
    documents = [[3, 1, 4], [1, 5, 9, 2, 6, 5, 3, 5, 8, 9], [7]]
    results = [
        surprise(model(), documents, separator=0, token_bytes=BYTES, config=PerplexityConfig(batch_size=size)).nats
        for size in (1, 16)
    ]
    assert np.allclose(results[0], results[1], rtol=1e-5)


def test_tokens_and_bytes_are_those_scored() -> None:
    config = PerplexityConfig(max_tokens=4)
    result = surprise(model(), [[1, 2, 3, 4, 5, 6]], separator=0, token_bytes=BYTES, config=config)
    assert (result.tokens[0], result.bytes[0]) == (4, 8)


def test_progress_ends_at_the_number_of_windows() -> None:
    seen: list[tuple[int, int]] = []
    surprise(
        model(), [[1] * 20], separator=0, token_bytes=BYTES, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (4, 4)


@given(lengths=st.lists(st.integers(1, 40), max_size=4), context=st.integers(1, 12), data=st.data())
def test_every_token_is_scored_once(lengths: list[int], context: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, context))
    documents = [np.arange(1, length + 1) for length in lengths]
    found: dict[int, list[int]] = {number: [] for number in range(len(documents))}
    for window in windows(documents, separator=0, context=context, stride=stride):
        assert len(window.ids) <= context + 1
        found[window.document] += window.ids[1:][window.first :].tolist()
    assert [found[number] for number in found] == [document.tolist() for document in documents]


@given(length=st.integers(1, 40), stride=st.integers(1, 8))
def test_tokens_after_the_first_window_see_enough_context(length: int, stride: int) -> None:
    for number, window in enumerate(windows([np.arange(length)], separator=0, context=8, stride=stride)):
        assert number == 0 or window.first >= 8 - stride


def test_stride_longer_than_the_context_is_an_error() -> None:
    with pytest.raises(ValueError, match="stride is 9"):
        list(windows([np.arange(3)], separator=0, context=8, stride=9))


def test_unigram_counts_every_token_once_more_than_seen() -> None:
    result = unigram_surprise(np.array([1, 3, 0]), [[1, 2]], token_bytes=np.array([0, 1, 1]))
    assert result.nats[0] == pytest.approx(-math.log(4 / 7) - math.log(1 / 7))


def test_unigram_scores_the_same_part_as_the_model() -> None:
    config = PerplexityConfig(max_tokens=1)
    result = unigram_surprise(np.array([0, 1, 0]), [[1, 2]], token_bytes=np.array([0, 3, 1]), config=config)
    assert (result.tokens[0], result.bytes[0]) == (1, 3)


def test_perplexities_of_a_fair_coin() -> None:
    coin = Surprise(np.array([8 * math.log(2)]), np.array([8]), np.array([16]))
    assert coin.perplexity_per_token() == pytest.approx(2.0)
    assert coin.perplexity_per_byte() == pytest.approx(math.sqrt(2))
    assert coin.bits_per_byte() == pytest.approx(0.5)


def test_rows_choose_documents() -> None:
    two = Surprise(np.array([1.0, 8.0]), np.array([1, 2]), np.array([1, 2]))
    assert two.perplexity_per_token(np.array([1, 1])) == pytest.approx(math.exp(4))


def test_bits_per_byte_of_each_document() -> None:
    two = Surprise(np.array([1.0, 2.0]) * math.log(2), np.array([1, 1]), np.array([4, 1]))
    assert two.bits_per_byte_of_each.tolist() == pytest.approx([0.25, 2.0])


def test_byte_lengths_add_up_to_the_text() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(["the cat and the hat"] * 5, trainer)
    lengths = byte_lengths(tokenizer)
    text = "the cat — і кіт 🐈"
    assert lengths[tokenizer.encode(text).ids].sum() == len(text.encode("utf-8"))
    assert lengths[tokenizer.token_to_id("<|endoftext|>")] == 0
