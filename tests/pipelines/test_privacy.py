from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.privacy import EMAIL, mask


def masked(text: str) -> str:
    return mask([text])[0][0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail a.b+c@mail.example.co.uk now", "mail [EMAIL] now"),
        ("write to пошта@приклад.укр.", "write to [EMAIL]."),
        ("call +1 (212) 555-0123", "call [PHONE]"),
        ("call 212-555-0123 or (212) 555-0123", "call [PHONE] or [PHONE]"),
        ("+49 (0)30 1234567, +380 44 123 45 67", "[PHONE], [PHONE]"),
        ("Tel: 020 7946 0958", "Tel: [PHONE]"),
        ("host 192.168.0.1.", "host [IP]."),
        ("host 2001:db8::ff00:42:8329", "host [IP]"),
        ("card 4111 1111 1111 1111", "card [CARD]"),
        ("card 5500000000000004", "card [CARD]"),
    ],
)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "from 1984-1990, 2019-10-12, 1984–1990 and 10:30:45",
        "1,234,567,890 people, 12345678901 atoms and 3.14159265358979",
        "ISBN 978-0-306-40615-7 and ISBN 0-306-40615-2 and ISBN 9780306406157",
        "48.8566 N, +40.712776 -74.005974",
        "version 1.2.3.4, 999.1.1.1 and 1.2.3.4.5",
        "std::vector, a::b and 16:9",
        "4111 1111 1111 1112 fails the check digit",
        "user @ home, @handle and a@b",
        "pages 100-200-300 and 12/11/1999",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text


def test_occurrences_are_counted_by_type() -> None:
    _, counts = mask(["a@b.com, c@d.org and 10.0.0.1", "nothing"])
    assert counts == [[{"type": "email", "count": 2}, {"type": "ip", "count": 1}], []]


_PIECES = st.sampled_from(
    ["a@b.co", "x.y@z.org", "+4930123456", "212-555-0123", "10.0.0.1", "::1:2:3", "4111111111111111", "tel ", "@", ".",
     "-", " ", "1", "(", ")", "+", "fax: ", "é", "[EMAIL]"]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=12).map("".join) | st.text(max_size=40))
def test_masked_text_has_no_address_and_masking_again_changes_nothing(text: str) -> None:
    once = masked(text)
    assert EMAIL.search(once) is None
    assert masked(once) == once
