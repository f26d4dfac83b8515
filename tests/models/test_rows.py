from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from data.token_store import TokenStore
from models.batching.order import Bucketed
from models.batching.rows import NoRowsError, Rows, TooLongError

PAIRS = {"source": [[1, 2], [3], [4, 5, 6]], "target": [[7], [8, 9], [1]]}


def rows(pairs: dict[str, list[list[int]]] | None = None, **options: object) -> Rows:
    columns = {name: TokenStore.of(values) for name, values in (pairs or PAIRS).items()}
    return Rows(columns, **{"pad": 0, "longest": 10, **options})  # type: ignore[arg-type]


def test_columns_are_padded_on_the_right() -> None:
    batch = rows().rows(np.array([0, 1]))
    assert batch["source"].tolist() == [[1, 2], [3, 0]]
    assert batch["target"].tolist() == [[7, 0], [8, 9]]
    assert batch["target_lengths"].tolist() == [1, 2]


def test_numbers_stand_beside_their_rows() -> None:
    batch = rows(numbers={"labels": np.array([5, 6, 7])}).rows(np.array([2, 0]))
    assert batch["labels"].tolist() == [7, 5]


def test_long_rows_are_cut_and_counted() -> None:
    data = rows(longest=2)
    assert data.rows(np.array([2]))["source"].tolist() == [[4, 5]]
    assert data.about == {"rows": 3, "longer_than_context": 1, "policy": "truncate"}


def test_long_rows_are_dropped() -> None:
    data = rows(longest=2, too_long="drop")
    seen = {row[0] for step in range(9) for row in data.batch(step, batch_size=1)["source"].tolist()}
    assert seen == {1, 3}


def test_long_rows_are_refused() -> None:
    with pytest.raises(TooLongError, match="1 rows have more than 2 tokens"):
        rows(longest=2, too_long="fail")


def test_rows_without_a_token_in_a_column_are_left_out() -> None:
    kept = rows({"source": [[1], [2]], "target": [[3], []]})
    assert len(kept) == 1
    assert kept.about["without_tokens"] == 1


def test_no_rows_are_an_error() -> None:
    with pytest.raises(NoRowsError, match="is left of 1"):
        rows({"source": [[]], "target": [[]]})


def test_unknown_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match="too_long is cut"):
        rows(too_long="cut")


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=40), size=st.integers(1, 6), seed=st.integers(0, 9))
def test_an_epoch_sees_rows_once_except_the_rest(lengths: list[int], size: int, seed: int) -> None:
    order = Bucketed(np.array(lengths), seed)
    per_epoch = max(1, len(lengths) // size)
    seen = np.concatenate([order.of_step(step, size) for step in range(per_epoch)])
    assert len(seen) == per_epoch * size
    if len(lengths) >= size:
        assert len(set(seen.tolist())) == len(seen)


def test_rows_of_a_batch_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 100, 640)
    order = Bucketed(lengths, seed=0)
    spread = [np.ptp(lengths[order.of_step(step, 8)]) for step in range(80)]
    assert np.mean(spread) < 5


def test_a_step_is_the_same_whatever_was_asked_before() -> None:
    walked, fresh = Bucketed(np.arange(50), 3), Bucketed(np.arange(50), 3)
    for step in range(30):
        walked.of_step(step, 4)
    assert walked.of_step(7, 4).tolist() == fresh.of_step(7, 4).tolist()


def test_fingerprint_tells_labels_apart() -> None:
    one, two = (rows(numbers={"labels": np.array([0, 0, n])}).fingerprint for n in (0, 1))
    assert one != two
