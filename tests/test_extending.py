"""What docs/extending.md shows is what examples/forum.py does, and every configuration in it is one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from flows.recipe import read_recipe
from pipelines.quality.registry import RECIPES

pytestmark = pytest.mark.usefixtures("registries")
ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "python"])
def test_code_of_the_page_is_that_of_the_example(block: str) -> None:
    assert block in (ROOT / "examples" / "forum.py").read_text("utf-8")


@pytest.mark.parametrize("block", [text for kind, text in BLOCKS if kind == "yaml"])
def test_configurations_of_the_page_are_read(block: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples" / "forum.py", tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(block)
    assert read_recipe(path).clean.recipe == yaml.safe_load(block)["clean"]["recipe"]


def test_recipes_of_the_page_are_those_there_are() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == set(RECIPES)
