from __future__ import annotations

from itertools import groupby

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from models.language.masking import IGNORED, MaskingConfig, mask

CONFIG = MaskingConfig(mask_id=99)


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), st.integers(0, 1000))
def test_words_are_hidden_whole_and_special_tokens_never(sizes: list[int], seed: int) -> None:
    words = torch.tensor([[-1, *(number for number, size in enumerate(sizes, 40) for _ in range(size)), -1]])
    masked = mask(torch.arange(words.shape[1])[None], words, CONFIG, vocab_size=90, generator=generator(seed))
    guessed = (masked.targets != IGNORED)[0].tolist()
    assert not guessed[0]
    assert not guessed[-1]
    for _, places in groupby(zip(words[0].tolist(), guessed, strict=True), key=lambda pair: pair[0]):
        assert len({hidden for _, hidden in places}) == 1
    assert any(guessed)


def test_a_row_without_words_hides_nothing() -> None:
    masked = mask(torch.arange(4)[None], torch.full((1, 4), -1), CONFIG, vocab_size=90)
    assert torch.equal(masked.tokens, torch.arange(4)[None])
    assert (masked.targets == IGNORED).all()


def test_targets_are_the_tokens_that_were_there() -> None:
    tokens = torch.arange(2000).view(20, 100) % 90
    masked = mask(tokens, torch.arange(100).expand(20, 100), CONFIG, vocab_size=90, generator=generator(0))
    guessed = masked.targets != IGNORED
    assert torch.equal(masked.targets[guessed], tokens[guessed])
    assert torch.equal(masked.tokens[~guessed], tokens[~guessed])


def test_shares_are_those_of_the_paper() -> None:
    tokens = torch.full((100, 500), 7)
    masked = mask(tokens, torch.arange(500).expand(100, 500), CONFIG, vocab_size=90, generator=generator(0))
    guessed = masked.targets != IGNORED
    seen = masked.tokens[guessed]
    assert guessed.float().mean().item() == pytest.approx(0.15, abs=0.005)
    assert (seen == 99).float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert (seen == 7).float().mean().item() == pytest.approx(0.1 + 0.1 / 90, abs=0.015)


def test_single_tokens_can_be_hidden() -> None:
    config = MaskingConfig(mask_id=99, rate=0.5, whole_words=False)
    guessed = mask(torch.zeros(1, 200, dtype=torch.long), torch.zeros(1, 200, dtype=torch.long), config, vocab_size=90)
    assert 0 < (guessed.targets != IGNORED).sum() < 200


def test_draws_follow_the_random_state_of_torch() -> None:
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(mask(torch.arange(80)[None], torch.arange(80)[None], CONFIG, vocab_size=90).tokens)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_bad_rate_is_named() -> None:
    with pytest.raises(ConfigError, match=r"rate is 0\.0; it must be above 0"):
        MaskingConfig(mask_id=1, rate=0.0)
