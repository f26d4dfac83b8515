"""Fingerprints are stable and tell values apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.hashing import DIGITS, ending, fingerprint, sha256_file

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=6,
)


def test_golden() -> None:
    assert fingerprint({"b": [1, "ї"], "a": None}) == "7add08a6951b2812"


@given(st.lists(JSON, min_size=1, max_size=3), st.lists(JSON, max_size=3))
def test_values_that_stand_behind_all_others_may_be_given_once(first: list[object], last: list[object]) -> None:
    assert ending(*last)(*first) == fingerprint([*first, *last])


@given(st.dictionaries(st.text("abc", max_size=3), JSON, max_size=5))
def test_order_of_keys_does_not_matter(value: dict[str, object]) -> None:
    assert fingerprint(dict(reversed(value.items()))) == fingerprint(value)


@given(JSON)
def test_sixteen_hexadecimal_digits(value: object) -> None:
    found = fingerprint(value)
    assert len(found) == DIGITS
    assert int(found, 16) >= 0


@pytest.mark.parametrize(("left", "right"), [(1, "1"), ([1, 2], [2, 1]), (None, "null"), ({"a": 1}, ["a", 1]), ("", 0)])
def test_different_values_differ(left: object, right: object) -> None:
    assert fingerprint(left) != fingerprint(right)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        fingerprint({"path": Path("x")})


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_file_hash_is_that_of_its_bytes(tmp_path: Path, size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sha256_file(path) == hashlib.sha256(content).hexdigest()
