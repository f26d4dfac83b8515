from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.values import id_of, is_missing, string_of, time_of

DAY = datetime(2020, 1, 2, tzinfo=UTC)
MOMENT = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
TIMES: list[tuple[object, datetime | None]] = [
    ("2020-01-02", DAY),
    ("20200102", DAY),
    (20200102, DAY),
    ("2020/1/2", DAY),
    ("2020.01.02", DAY),
    ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
    (2020, datetime(2020, 1, 1, tzinfo=UTC)),
    ("2020-05", datetime(2020, 5, 1, tzinfo=UTC)),
    ("2020-01-02T03:04:05Z", MOMENT),
    ("2020-01-02 03:04:05", MOMENT),
    ("2020-01-02 03:04:05 UTC", MOMENT),
    ("2020-01-02 05:04:05 +0200", MOMENT),
    ("2020-01-02T05:04:05+02:00", MOMENT),
    ("2020-01-02T03:04:05.123456789Z", MOMENT.replace(microsecond=123456)),
    ("20200102030405", MOMENT),
    ("99990102030405", datetime(5138, 7, 24, 20, 20, 30, 405000, tzinfo=UTC)),
    ("Thu, 02 Jan 2020 03:04:05 GMT", MOMENT),
    ("Thu, 02 Jan 2020 05:04:05 +0200", MOMENT),
    ("2 January 2020", DAY),
    ("January 2nd, 2020", DAY),
    ("Jan 2, 2020 03:04:05", MOMENT),
    (1577934245, MOMENT),
    ("1577934245", MOMENT),
    (1577934245.5, MOMENT.replace(microsecond=500000)),
    ("1577934245.5", MOMENT.replace(microsecond=500000)),
    (1577934245000, MOMENT),
    (1577934245000000, MOMENT),
    (1577934245000000000, MOMENT),
    (1577934245.0, MOMENT),
    (datetime(2020, 1, 2, 3, 4, 5), MOMENT),
    (datetime(2020, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))), MOMENT),
    (date(2020, 1, 2), DAY),
    ("02/03/2020", None),
    ("2020-13-01", None),
    ("yesterday", None),
    ("Foo 2, 2020", None),
    ("", None),
    (12, None),
    (-1577934245, None),
    (True, None),
    (float("nan"), None),
    (float("inf"), None),
    (["2020-01-02"], None),
    ("9" * 100, None),
    ("0001-01-01T00:00:00+10:00", None),
]


@pytest.mark.parametrize(("value", "expected"), TIMES, ids=lambda value: str(value)[:40])
def test_time(value: object, expected: datetime | None) -> None:
    assert time_of(value) == expected


@given(st.one_of(st.text(max_size=70), st.integers(), st.floats(), st.dates().map(str), st.none(), st.binary()))
def test_any_value_is_a_time_in_utc_or_none(value: object) -> None:
    when = time_of(value)
    assert when is None or when.utcoffset() == timedelta(0)


@given(st.datetimes(min_value=datetime(1974, 1, 1), max_value=datetime(2200, 1, 1)))
def test_unix_times_of_every_unit_agree(when: datetime) -> None:
    when = when.replace(microsecond=0, tzinfo=UTC)
    seconds = int(when.timestamp())
    assert {time_of(seconds * unit) for unit in (1, 10**3, 10**6, 10**9)} == {when}


IDS: list[tuple[object, str | None]] = [
    ("x", "x"),
    (" x ", "x"),
    (7, "7"),
    (7.0, "7"),
    (Decimal(7), "7"),
    (Decimal(2**60), str(2**60)),
    (2.0**53, str(2**53)),
    ("x" * 1000, "x" * 1000),
    (-1, "-1"),
    (b"raw", "raw"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("", None),
    (" ", None),
    (None, None),
    (float("nan"), None),
]


@pytest.mark.parametrize(("value", "expected"), IDS, ids=str)
def test_id(value: object, expected: str | None) -> None:
    assert id_of(value) == expected


@pytest.mark.parametrize(
    "value", [True, 1.5, float("inf"), 2.0**60, 10**400, [], {}, "\ud800", b"\xff", "x" * 1001], ids=str
)
def test_what_cannot_be_an_id(value: object) -> None:
    with pytest.raises(ValueError, match="neither a whole number"):
        id_of(value)


def test_strings_of_titles_and_the_like() -> None:
    assert [string_of(value) for value in (" a ", 1984, 1984.0, 2.5, b"a")] == ["a", "1984", "1984", "2.5", "a"]
    assert [string_of(value) for value in ("", " ", None, True, [], {}, "\ud800", b"\xff")] == [None] * 8


def test_missing_values() -> None:
    assert all(map(is_missing, (None, "", " \n", float("nan"))))
    assert not any(map(is_missing, (0, False, "a", [])))
