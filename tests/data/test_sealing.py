"""A sealed file of the lake tells when it was changed."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from data.sealing import DIGEST, is_intact, seal

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(content=st.dictionaries(st.text(), JSON, max_size=5))
def test_what_was_sealed_is_intact_also_after_it_was_written(content: dict[str, object]) -> None:
    assert is_intact(seal(content))
    assert is_intact(json.loads(json.dumps(seal(content), sort_keys=True)))
    assert seal(seal(content)) == seal(content)


def test_a_changed_value_is_not_intact() -> None:
    assert not is_intact({**seal({"rows": 3, "parts": [{"sha256": "ab"}]}), "rows": 4})


def test_a_seal_whose_name_is_damaged_is_still_one() -> None:
    sealed = seal({"rows": 3})
    assert not is_intact({"digesu": sealed[DIGEST], "rows": 3})


def test_a_file_without_a_seal_is_taken_at_its_word() -> None:
    assert is_intact({"rows": 3})
    assert DIGEST not in {"rows": 3}


def test_numbers_as_keys_read_back_as_text() -> None:
    assert is_intact(json.loads(json.dumps(seal({"a": {1: "x", 10: "y", 2: "z"}}))))
