from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from data.conform import conform
from data.contracts import CONTRACTS
from data.errors import AccountingError, ConfigError
from pipelines import extract as module
from pipelines.extract import DOCUMENT_SCHEMA, REJECT_SCHEMA, ExtractConfig, extract
from pipelines.sources.records import Record, filtered


def record(native: str, text: str = "'''words'''", **changes: Any) -> Record:
    return Record(
        **(
            {"doc_id": f"w:{native}", "source": "w", "origin": f"f#page={native}", "markup": "wikitext"}
            | {"text": text}
            | changes
        )
    )


def test_documents_and_rejects_account_for_every_record() -> None:
    records = [
        record("10"),
        record("9", "{{only}}"),
        record("2", "lead\n== A ==\nbody"),
        record("1", "", reject=filtered("redirect", "to X"), n_chars=5),
    ]
    documents, rejects = extract(records)
    assert documents["doc_id"].to_list() == ["w:2", "w:10"]
    assert rejects.select("doc_id", "kind", "reason", "detail", "n_chars").rows() == [
        ("w:1", "filtered", "redirect", "to X", 5),
        ("w:9", "filtered", "empty_after_extraction", None, None),
    ]
    assert documents["sections"].to_list()[0] == [
        {"level": 0, "title": "", "start": 0, "end": 6},
        {"level": 2, "title": "A", "start": 6, "end": 13},
    ]


def test_frames_conform_to_their_contracts() -> None:
    when = datetime(2016, 1, 2, tzinfo=UTC)
    documents, rejects = extract([record("1", published_at=when), record("2", "")])
    assert (documents.schema, rejects.schema) == (DOCUMENT_SCHEMA, REJECT_SCHEMA)
    assert documents["published_at"].to_list() == [when]
    assert conform(documents, CONTRACTS["documents"]).num_rows == 1
    assert conform(rejects, CONTRACTS["rejects"]).num_rows == 1


def test_nothing_gives_empty_frames_with_the_schema() -> None:
    documents, rejects = extract([])
    assert (documents.schema, rejects.schema) == (DOCUMENT_SCHEMA, REJECT_SCHEMA)


def test_rows_are_sorted_by_number_then_by_name_then_by_place() -> None:
    records = [record("b"), record("10"), record("9"), record("x", doc_id=None), record("a")]
    documents, rejects = extract(records)
    assert documents["doc_id"].to_list() == ["w:9", "w:10", "w:a", "w:b"]
    assert rejects["reason"].to_list() == ["no_id"]


def test_a_crash_costs_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.to_text

    def crashing(text: str, **options: Any) -> Any:
        if text == "bad":
            raise ZeroDivisionError("boom")
        return real(text, **options)

    monkeypatch.setattr(module, "to_text", crashing)
    documents, rejects = extract([record("1", "bad"), record("2")])
    assert documents["text"].to_list() == ["words"]
    assert rejects.select("kind", "reason", "detail").rows() == [
        ("failed", "extraction_error", "ZeroDivisionError: boom")
    ]


def test_plain_text_is_one_lead_section() -> None:
    documents, _ = extract([record("1", " Cafe\u0301 [[x]]\r\n", markup="plain")])
    assert documents["text"].to_list() == ["Café [[x]]"]
    assert documents["sections"].to_list() == [[{"level": 0, "title": "", "start": 0, "end": 10}]]


def test_short_text_is_filtered_by_the_config() -> None:
    _, rejects = extract([record("1")], config=ExtractConfig(min_chars=6))
    assert rejects["reason"].to_list() == ["too_short_after_extraction"]


def test_options_of_wikitext_reach_the_text() -> None:
    text = "{{PAGENAME}} <math>\\alpha</math>\n{|\n| a || b\n|}"
    options = ExtractConfig(tables="lines", math="drop", infobox=False)
    documents, _ = extract([record("1", text, title="Page")], config=options)
    assert documents["text"].to_list() == ["Page\n\na | b"]


def test_the_infobox_is_kept_in_meta() -> None:
    box = "{{Infobox x\n| a = 1\n| b = 2\n| c = 3\n}}\nwords"
    documents, _ = extract([record("1", box), record("2")])
    expected = '{"infobox": {"name": "Infobox x", "pairs": {"a": "1", "b": "2", "c": "3"}}}'
    assert documents["meta"].to_list() == [expected, None]


@pytest.mark.parametrize("option", ["tables", "math"])
def test_a_bad_option_is_named(option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} is 'x'; it can be"):
        ExtractConfig(**{option: "x"})  # type: ignore[arg-type]


def test_a_lost_record_is_an_accounting_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "sorted", lambda records, key: list(records)[1:], raising=False)
    with pytest.raises(AccountingError, match="read 2 records, but kept 1 and rejected 0"):
        extract([record("1"), record("2")])


GOLDEN = """'''Tea''' ({{IPA|tiː}}{{listen|x}}) is a [[drink]] of {{convert|2000|ml|oz}}.<ref>x</ref>
== Kinds ==
* [[Green tea|green]]
* black<br>and white
== Notes ==
{{reflist}}"""


def test_golden_output_of_this_version() -> None:
    """When this fails because the output was meant to change, bump VERSION and write the new output here."""
    documents, _ = extract([record("1", GOLDEN)])
    expected = "Tea ([tiː]) is a drink of 2,000 ml.\n\nKinds\n\ngreen\nblack\nand white"
    assert (module.VERSION, documents["text"].item()) == (5, expected)
