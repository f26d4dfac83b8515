"""Which columns of a file have dictionaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import layout
from data.writing import write_parquet


def dictionaries(path: Path) -> set[str]:
    """The columns of the first row group that are written with a dictionary."""
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    return {column.path_in_schema for column in columns if column.has_dictionary_page}


def test_values_that_repeat_have_dictionaries_and_texts_have_none(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [f"text {number}" for number in range(9)],
            "lang": ["en", "de", "en"] * 3,
            "sections": [[{"title": "Lead", "ids": [1]}]] * 9,
            "count": range(9),
        }
    )
    write_parquet(tmp_path / "t.parquet", table)
    found = {"lang", "sections.list.element.title", "sections.list.element.ids.list.element", "count"}
    assert dictionaries(tmp_path / "t.parquet") == found
    assert pq.read_table(tmp_path / "t.parquet").equals(table)


@pytest.mark.parametrize(
    ("values", "repeats"),
    [
        (["a", "b"], False),
        (["a", "a"], True),
        (["a", "a", "b", "c"], False),  # three of four
        (["a", "b", "a", "b"], True),
        ([None, None, None, "a"], False),  # of those that are there
        ([None], True),
        ([], True),
        (["same"] * 1_000 + [str(number) for number in range(5_000)], True),  # the first 1,000 tell
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_strings_repeat_if_no_more_than_half_of_them_differ(values: list[Any], repeats: bool, kind: Any) -> None:
    found = layout.options(pa.table({"a": pa.array(values, kind)}))["use_dictionary"]
    assert found == (["a"] if repeats else False)


@pytest.mark.parametrize("kind", [pa.list_(pa.int32()), pa.large_list(pa.int32()), pa.list_(pa.int32(), 2)])
def test_lists_of_every_kind_have_dictionaries(tmp_path: Path, kind: Any) -> None:
    write_parquet(tmp_path / "t.parquet", pa.table({"ids": pa.array([[1, 2]] * 9, kind)}))
    assert dictionaries(tmp_path / "t.parquet") == {"ids.list.element"}
