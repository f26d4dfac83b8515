from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.batching.blocks import Blocks, TooFewTokensError, pack


def counted(blocks: int, seed: int = 0) -> Blocks:
    return pack([range(1, blocks * 4 + 1)], separator=0, context=4, seed=seed)


def ids(blocks: Blocks, step: int, batch_size: int) -> np.ndarray:
    return blocks.batch(step, batch_size=batch_size)["ids"].numpy()


def test_separator_stands_before_each_document() -> None:
    assert pack([[1, 2], [3]], separator=0, context=4).rows([0])["ids"].tolist() == [[0, 1, 2, 0, 3]]


def test_documents_without_a_token_leave_their_separator() -> None:
    assert pack([[], [1], [], [2]], separator=9, context=5).rows([0])["ids"].tolist() == [[9, 9, 1, 9, 9, 2]]


def test_borders_tell_the_document_of_each_token() -> None:
    blocks = Blocks(pack([[1, 2], [3]], separator=0, context=4).store, 0, 4, borders=True)
    assert blocks.rows([0])["documents"].tolist() == [[0, 0, 0, 1, 1]]


def test_counts_are_those_of_the_stream() -> None:
    assert pack([[1, 2], [2]], separator=0, context=2).counts(4).tolist() == [2, 1, 2, 0]


def test_neighbouring_blocks_share_one_token() -> None:
    assert counted(2).rows([0, 1])["ids"].tolist() == [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]]


def test_incomplete_tail_is_no_block() -> None:
    assert len(pack([list(range(1, 12))], separator=0, context=4)) == 2


def test_batches_have_batch_size_rows() -> None:
    assert ids(counted(3), 5, 8).shape == (8, 5)


def test_orders_differ_between_epochs() -> None:
    assert not np.array_equal(ids(counted(50), 0, 50), ids(counted(50), 1, 50))


def test_orders_differ_between_seeds() -> None:
    assert not np.array_equal(ids(counted(50), 0, 50), ids(counted(50, seed=1), 0, 50))


def test_a_step_does_not_depend_on_the_steps_before() -> None:
    walked = counted(7)
    for step in range(9):
        walked.batch(step, batch_size=3)
    assert np.array_equal(ids(walked, 9, 3), ids(counted(7), 9, 3))


@given(documents=st.lists(st.lists(st.integers(1, 9), max_size=5), min_size=1, max_size=6), context=st.integers(1, 4))
def test_blocks_are_the_stream(documents: list[list[int]], context: int) -> None:
    stream = [token for document in documents for token in [0, *document]]
    if len(stream) <= context:
        return
    blocks = pack(documents, separator=0, context=context)
    rows = blocks.rows(range(len(blocks)))["ids"].tolist()
    assert rows == [stream[i * context : (i + 1) * context + 1] for i in range(len(blocks))]


@given(blocks=st.integers(1, 9), batch_size=st.integers(1, 7), epochs=st.integers(1, 3))
def test_no_token_is_predicted_twice_an_epoch(blocks: int, batch_size: int, epochs: int) -> None:
    data = counted(blocks)
    steps = -(-blocks * epochs // batch_size)
    seen = np.concatenate([ids(data, step, batch_size)[:, 1:] for step in range(steps)])
    for epoch in range(epochs):
        assert len(set(seen[epoch * blocks : (epoch + 1) * blocks].flatten())) == blocks * 4


def test_the_first_epoch_is_cut_at_the_beginning_and_later_ones_elsewhere() -> None:
    data = counted(9)
    begins = [{int(first) % 4 for first in ids(data, epoch, 9)[:, 0]} for epoch in range(9)]
    assert begins[0] == {0}
    assert len(set.union(*begins)) == 4


@given(context=st.integers(1, 6), step=st.integers(0, 9))
def test_blocks_are_pieces_of_a_ring(context: int, step: int) -> None:
    stream = [0, 1, 2, 0, 3, 4, 5]
    found = ids(pack([[1, 2], [3, 4, 5]], separator=0, context=context), step, 2)
    assert all(row.tolist() in [(stream * 2)[at : at + context + 1] for at in range(7)] for row in found)


def test_where_the_ring_closes_a_document_ends() -> None:
    blocks = Blocks(pack([[1, 2, 3]], separator=0, context=3).store, 0, 3, seed=1, borders=True)
    rows = [blocks.batch(step, batch_size=1) for step in range(9)]
    for row in rows:
        ids, documents = row["ids"][0].tolist(), row["documents"][0].tolist()
        assert documents == [int(at >= ids.index(0) > 0) for at in range(4)]


def test_fingerprint_tells_data_and_order_apart() -> None:
    found = {counted(3).fingerprint, counted(4).fingerprint, counted(3, seed=1).fingerprint}
    assert len(found) == 3


@pytest.mark.parametrize("documents", [[], [[1, 2]]])
def test_too_few_tokens_are_an_error(documents: list[list[int]]) -> None:
    with pytest.raises(TooFewTokensError, match="one block of 5"):
        pack(documents, separator=0, context=4)
