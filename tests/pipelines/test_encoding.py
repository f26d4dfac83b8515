from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import ConfigError
from pipelines.sources.encoding import to_utf8
from pipelines.sources.lines import lines


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.integers(1, 7),
)
def test_marks_tell_the_encoding_wherever_the_pieces_end(text: str, encoding: str, size: int) -> None:
    assert b"".join(to_utf8(iter(pieces(text.encode(encoding), size)))) == text.encode()


def test_declared_encoding_is_used_without_a_mark() -> None:
    assert b"".join(to_utf8(iter([b"caf\xe9"]), encoding="windows-1252")) == "café".encode()
    assert b"".join(to_utf8(iter(["ї".encode("utf-8-sig")]), encoding="windows-1252")) == "ї".encode()


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(b"a\xff", None), (b"a\x81", "windows-1252"), (b"\xff\xfea\0\x00\xd8b\0", None), (b"\xff\xfea\0b", None)],
    ids=str,
)
def test_invalid_input_stays_invalid(data: bytes, encoding: str | None) -> None:
    with pytest.raises(UnicodeDecodeError):
        b"".join(to_utf8(iter([data]), encoding=encoding)).decode()


@pytest.mark.parametrize("name", ["no-such", "rot13", "base64"])
def test_unknown_encoding_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"encoding: '{name}' is no encoding"):
        list(to_utf8(iter([b"a"]), encoding=name))


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"bcd"])), st.integers(1, 5))
def test_lines_are_those_of_split(parts: list[bytes], size: int) -> None:
    data = b"".join(parts)
    expected = data.removesuffix(b"\n").split(b"\n") if data else []
    assert list(lines(pieces(data, size), longest=100)) == list(enumerate(expected, 1))


def test_line_too_long_is_not_held() -> None:
    found = list(lines([b"ab", b"cde", b"f\nxy\nlong", b"er line"], longest=4))
    assert found == [(1, None), (2, b"xy"), (3, None)]
