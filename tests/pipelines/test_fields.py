from __future__ import annotations

from typing import Any

import pytest

from data.errors import ConfigError
from pipelines.sources.fields import RecordMaker, Row, RowOptions, get, without
from pipelines.sources.ids import Occurrences
from pipelines.sources.records import Record, SourceError, failed


def record(values: dict[str, Any], **options: Any) -> Record:
    return RecordMaker(RowOptions(**options), source="s", max_chars=100).record(Row("o", values))


def test_aliases_stand_in_for_our_names() -> None:
    found = record({"content": "a", "doc_id": 1, "headline": "T", "link": "u", "language": "uk", "pub_date": "2020"})
    assert (found.doc_id, found.text, found.title, found.url, found.lang_declared) == ("s:1", "a", "T", "u", "uk")
    assert found.published_at is not None
    assert found.meta is None


def test_our_own_names_go_before_aliases() -> None:
    found = record({"content": "c", "text": "t", "uuid": "u", "id": 1})
    assert (found.text, found.doc_id, found.meta) == ("t", "s:1", '{"content":"c","uuid":"u"}')


def test_value_that_does_not_fit_its_field_stays_in_meta() -> None:
    found = record({"text": "a", "title": ["x"], "published_at": "next week", "url": True})
    assert (found.title, found.published_at, found.url) == (None, None, None)
    assert found.meta == '{"published_at":"next week","title":["x"],"url":true}'


def test_meta_by_name_or_not_at_all() -> None:
    values = {"text": "a", "x": 1, "y": {"z": 2}}
    assert record(values, meta="none").meta is None
    assert record(values, meta=["y.z", "gone"]).meta == '{"y.z":2}'


def test_text_as_bytes_is_decoded_strictly() -> None:
    assert record({"text": "ї".encode()}).text == "ї"
    reject = record({"text": b"a\xff", "id": 1}).reject
    assert reject is not None
    assert (reject.reason, reject.detail) == ("invalid_utf8", "byte 1 of `text`: invalid start byte")


def test_text_of_the_largest_size_is_kept_and_one_character_more_is_a_reject_without_it() -> None:
    kept, lost = record({"text": "x" * 100, "n": 1}), record({"text": "x" * 101, "n": 1})
    assert (kept.reject, len(kept.text), kept.meta) == (None, 100, '{"n":1}')
    assert lost.reject == failed("page_too_large", "101 characters, at most 100")
    assert (lost.text, lost.n_chars, lost.meta) == ("", 101, None)


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"fields": {"txt": "a"}}, "fields: there is no field 'txt'; there are text, id"),
    ({"fields": {"text": ""}}, "fields.text: the name of a column is wanted"),
    ({"fields": {"text": 3}}, "fields.text: the name of a column is wanted"),
    ({"meta": "some"}, "meta: 'some' is neither"),
    ({"markup": "xml"}, "markup: 'xml' is neither"),
]


@pytest.mark.parametrize(("options", "message"), BAD_OPTIONS, ids=str)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RowOptions(**options)


def test_columns_that_are_named_must_exist() -> None:
    RowOptions(fields={"text": "b"}).check(["a", "b"], "a.csv")
    for options in (RowOptions(fields={"text": "b", "id": "c"}), RowOptions(fields={"text": "b"}, meta=["c"])):
        with pytest.raises(SourceError, match=r"no column 'c'\. It has: a, b") as caught:
            options.check(["a", "b"], "a.csv")
        assert caught.value.reason == "no_column"
    with pytest.raises(SourceError, match=r"no column 'text' or 'content' or 'body'\. It has: a"):
        RowOptions().check(["a"], "a.csv")


def test_dotted_paths() -> None:
    row = {"a": {"b": {"c": 1}, "d": 2}, "a.b": 3}
    assert [get(row, path) for path in ("a.b", "a.b.c", "a.d", "a.x", "x.y", "a.d.e")] == [
        (True, 3),
        (True, 1),
        (True, 2),
        (False, None),
        (False, None),
        (False, None),
    ]
    assert without(row, ["a.d", "a.b"]) == {"a": {"b": {"c": 1}}}
    assert without({"a": {"b": 1}}, ["a.b"]) == {"a": None}
    assert without({"a": 5, "b": {"c": 1}}, ["a.b", "b"]) == {"a": 5}


def test_occurrences_survive_settling() -> None:
    occurrences = Occurrences(recent=4)
    texts = [f"text {i % 30}" for i in range(90)]
    numbers = [occurrences.id_of(text).partition("-")[2] for text in texts]
    assert numbers == ["1"] * 30 + ["2"] * 30 + ["3"] * 30
    assert len({Occurrences().id_of(text) for text in texts}) == 30
