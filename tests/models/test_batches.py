from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.language.batches import Blocks, TooFewTokensError, pack


def counted(blocks: int, seed: int = 0) -> Blocks:
    return Blocks(stream=np.arange(blocks * 4 + 1, dtype=np.int32), context=4, seed=seed)


def test_separator_stands_before_each_document() -> None:
    assert pack([[1, 2], [3]], separator=0, context=2).stream.tolist() == [0, 1, 2, 0, 3]


def test_neighbouring_blocks_share_one_token() -> None:
    assert counted(2).rows([0, 1]).tolist() == [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]]


def test_incomplete_tail_is_no_block() -> None:
    assert len(pack([list(range(1, 12))], separator=0, context=4)) == 2


def test_batches_have_batch_size_rows() -> None:
    assert counted(3).batch(5, batch_size=8).shape == (8, 5)


def test_orders_differ_between_epochs() -> None:
    blocks = counted(50)
    assert not np.array_equal(blocks.batch(0, batch_size=50), blocks.batch(1, batch_size=50))


def test_orders_differ_between_seeds() -> None:
    assert not np.array_equal(counted(50).batch(0, batch_size=50), counted(50, seed=1).batch(0, batch_size=50))


def test_a_step_does_not_depend_on_the_steps_before() -> None:
    walked = counted(7)
    for step in range(9):
        walked.batch(step, batch_size=3)
    assert np.array_equal(walked.batch(9, batch_size=3), counted(7).batch(9, batch_size=3))


@given(blocks=st.integers(1, 9), batch_size=st.integers(1, 7), epochs=st.integers(1, 3))
def test_every_block_is_seen_once_an_epoch(blocks: int, batch_size: int, epochs: int) -> None:
    data = counted(blocks)
    steps = -(-blocks * epochs // batch_size)
    seen = np.concatenate([data.batch(step, batch_size=batch_size)[:, 0] for step in range(steps)])
    for epoch in range(epochs):
        assert sorted(seen[epoch * blocks : (epoch + 1) * blocks] // 4) == list(range(blocks))


@pytest.mark.parametrize("documents", [[], [[1, 2]]])
def test_too_few_tokens_are_an_error(documents: list[list[int]]) -> None:
    with pytest.raises(TooFewTokensError, match="one block of 5"):
        pack(documents, separator=0, context=4)
