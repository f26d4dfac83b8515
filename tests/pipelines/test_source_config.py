from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import ConfigError
from flows.recipe import read_recipe
from pipelines.sources.config import SourceConfig


def test_options_that_are_set() -> None:
    assert SourceConfig().options() == {}
    config = SourceConfig(reader="csv", fields={"text": "body"}, meta=("a",), delimiter=";")
    assert config.options() == {"fields": {"text": "body"}, "meta": ("a",), "delimiter": ";"}


def test_fields_of_the_config_go_before_those_of_the_catalogue() -> None:
    config = SourceConfig(fields={"text": "mine"})
    assert config.options({"text": "theirs", "id": "key"}) == {"fields": {"text": "mine", "id": "key"}}


def test_config_file_says_how_a_source_is_read(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("sources:\n  web: {reader: parquet, fields: {text: html}, markup: html, meta: [score]}\n")
    assert read_recipe(path).sources == {
        "web": SourceConfig(reader="parquet", fields={"text": "html"}, markup="html", meta=("score",))
    }


BAD = {
    "{reader: docx}": "there is no reader 'docx'",
    "{reader: html, fields: {text: a}}": "fields: the html reader has no such option",
    "{reader: jsonl, split: line}": "split: the jsonl reader has no such option",
    "{fields: {txt: a}}": "fields: there is no field 'txt'",
    "{split: word}": "split",
    "{feilds: {text: a}}": "feilds",
}


@pytest.mark.parametrize("entry", BAD)
def test_bad_config_is_named(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(f"sources: {{web: {entry}}}\n")
    with pytest.raises(ConfigError, match=BAD[entry]) as caught:
        read_recipe(path)
    assert "sources.web" in str(caught.value)
