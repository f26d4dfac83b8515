from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import pytest

from data.contracts import CONTRACTS
from data.errors import ConfigError
from pipelines import extensions, sources
from pipelines.clean import CleanConfig, clean
from pipelines.quality.registry import RULES

pytestmark = pytest.mark.usefixtures("registries")
FORUM = Path(__file__).parents[2] / "examples" / "forum.py"
RULE = """
from pipelines.quality import Rule
def signal(batch): return batch.n_chars
RULES = (Rule(reason="{reason}", signal=signal, most={most}, cites="a test"),)
"""


def module(folder: Path, text: str, name: str = "mine") -> str:
    path = folder / f"{name}.py"
    path.write_text(text)
    return str(path)


def frame(*texts: str) -> pl.DataFrame:
    schema = pl.DataFrame(pl.from_arrow(CONTRACTS["documents"].schema.empty_table())).schema
    return pl.DataFrame([{"doc_id": f"s:{i}", "source": "s", "text": text} for i, text in enumerate(texts)], schema)


def test_example_brings_a_recipe_with_its_rules() -> None:
    loud = "THE RIVER IS COLD AND WIDE TODAY, people of the town."
    calm = "The river is cold and wide today.\n> the quoted line\nIt was so yesterday, they say."
    config = CleanConfig(recipe="forum", modules=(str(FORUM),))
    kept, rejects = clean(frame(loud, calm), config=config)
    assert rejects.select("doc_id", "reason").rows() == [("s:0", "too_shouty")]
    assert rejects["detail"][0].endswith("above 0.5")
    assert kept["text"].to_list() == ["The river is cold and wide today.\nIt was so yesterday, they say."]
    assert kept["dropped_lines"].to_list() == [[{"reason": "line_quoted", "count": 1}]]


def test_example_runs_in_a_worker_process() -> None:
    config = CleanConfig(recipe="forum", modules=(str(FORUM),))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        _, rejects = pool.submit(clean, frame("THE RIVER IS COLD AND WIDE."), config=config).result()
    assert rejects["reason"].to_list() == ["too_shouty"]


def test_example_brings_a_reader(tmp_path: Path) -> None:
    extensions.load([str(FORUM)])
    path = tmp_path / "posts.forum"
    path.write_text("One post.\n---\nAnother post.")
    assert sources.reader_for(path) == "forum"
    (tmp_path / "more.forum").write_text("A third.\n---\nA fourth.")
    wanted = [("posts.forum:1", "One post."), ("posts.forum:2", "Another post.")]
    for place, texts in (
        (path, wanted),
        (tmp_path, [("more.forum:1", "A third."), ("more.forum:2", "A fourth."), *wanted]),
    ):
        records = list(sources.READERS["forum"](place, source="s", limit=3))
        assert [(record.doc_id, record.text) for record in records] == [
            (f"s:{place}", text) for place, text in texts[:3]
        ]


def test_a_rule_is_named_by_its_module_too() -> None:
    extensions.load([str(FORUM)])
    config = CleanConfig(rules=("forum:TOO_SHOUTY",), thresholds={"too_shouty": 0.9})
    assert {rule.reason: rule.most for rule in config.chosen()[1]}["too_shouty"] == 0.9


def test_loading_twice_changes_nothing() -> None:
    extensions.load([str(FORUM)])
    before = dict(RULES)
    extensions.load([str(FORUM)])
    assert before == RULES


def test_code_is_the_declared_version_or_the_hash_of_the_file(tmp_path: Path) -> None:
    config = CleanConfig(recipe="forum", modules=(str(FORUM),))
    assert config.code() == {"line_quoted": "version 1", "too_shouty": "version 1"}
    assert CleanConfig(recipe="web").code() == {}
    codes = []
    for most in (10, 20):
        path = module(tmp_path, RULE.format(reason="too_long_for_me", most=most))
        codes.append(CleanConfig(rules=("too_long_for_me",), modules=(path,)).code()["too_long_for_me"])
        del sys.modules["mine"], RULES["too_long_for_me"]
    assert codes[0] != codes[1]


def test_code_of_a_reader(tmp_path: Path) -> None:
    extensions.load([str(FORUM)])
    assert sources.code(["forum", "wikipedia"]) == {"forum": "version 1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RULE.format(reason="too_few_words", most=1), "a quality rule 'too_few_words' already"),
        ("READERS = {'jsonl': print}", "a reader 'jsonl' already"),
        ("READERS = {'mine': print}\nENDINGS = {'mine': ('.jsonl',)}", "files ending in '.jsonl' are read by 'jsonl'"),
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("1 / 0", "ZeroDivisionError: division by zero; mend it"),
        ("def (", "SyntaxError"),
    ],
)
def test_module_that_does_not_fit_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        extensions.load([module(tmp_path, text)])


def test_missing_file_and_second_module_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        extensions.load([str(tmp_path / "other.py")])
    (tmp_path / "a").mkdir()
    extensions.load([module(tmp_path, "")])
    with pytest.raises(ConfigError, match="another module is called 'mine' already"):
        extensions.load([module(tmp_path / "a", "")])
