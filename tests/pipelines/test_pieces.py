"""Pieces of bytes as a file."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.lines import Pieces


@given(st.lists(st.binary(max_size=9)), st.integers(1, 8))
def test_pieces_are_read_as_one_file_whatever_their_sizes(pieces: list[bytes], size: int) -> None:
    file = io.BufferedReader(Pieces(iter(pieces)), size)
    assert b"".join(iter(lambda: file.read(size), b"")) == b"".join(pieces)
