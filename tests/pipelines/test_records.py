from __future__ import annotations

import dataclasses

import pytest

from data.errors import TextmillError
from pipelines.sources.records import Record, Reject, SourceError, digest, failed, filtered


def test_record_is_frozen() -> None:
    record = Record(doc_id="s:1", source="s", origin="f#line=1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.text = "x"  # type: ignore[misc]


def test_rejects_of_reading_belong_to_the_extract_stage() -> None:
    assert filtered("redirect") == Reject("extract", "filtered", "redirect")
    assert failed("no_text", "why") == Reject("extract", "failed", "no_text", "why")


def test_source_error_carries_its_reason() -> None:
    error = SourceError("message", reason="missing")
    assert isinstance(error, TextmillError)
    assert (str(error), error.reason) == ("message", "missing")


def test_digest_is_of_every_field() -> None:
    record = Record(doc_id="s:1", source="s", origin="f#line=1", text="a")
    changes = ({"text": "b"}, {"meta": "{}"}, {"origin": "f#line=2"}, {"reject": failed("no_text")}, {"markup": "html"})
    others = [digest([dataclasses.replace(record, **change)]) for change in changes]  # type: ignore[arg-type]
    assert digest([record]) == digest([dataclasses.replace(record)])
    assert len({digest([record]), digest([record, record]), *others}) == 7
