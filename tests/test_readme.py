"""What the README says is so: its commands exist, its files are there, its figures are those of the code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [
    text for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE) if not kind
]
COMMANDS = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]


def textmill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *words], capture_output=True, text=True, check=False, cwd=ROOT
    )


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("make ")])
def test_make_target_exists_and_sets_up_what_it_needs(command: str) -> None:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run([make, "-n", *command.split()[1:]], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert ".venv/bin/" in done.stdout


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("textmill train ")])
def test_training_of_the_readme_is_understood(command: str, tmp_path: Path) -> None:
    """There is nothing to train on, and that is all that is wrong."""
    done = textmill(*command.split()[1:], "--lake", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert re.search(r"nothing is published|there is no file|`textmill sources get", done.stderr), done.stderr


@pytest.mark.parametrize("command", [line for line in COMMANDS if re.match("textmill (?!train )", line)])
def test_command_of_the_readme_is_understood(command: str, tmp_path: Path) -> None:
    """Every line, as a plan: options parse, sources are known; the path of the dump is made up."""
    dump = tmp_path / "simplewiki-20260901-pages-articles.xml.bz2"
    dump.write_bytes(b"BZh")
    words = [str(dump) if word.startswith("~/Downloads/") else word for word in command.split()[1:]]
    words = words[1:] if words[:2] == ["corpus", "build"] else words
    words[0] = "plan"
    done = textmill(*words, "--lake", str(tmp_path / "lake"))
    assert done.returncode == 0, done.stderr


def test_recipe_of_the_readme_is_valid(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    assert found is not None
    config = tmp_path / "recipe.yaml"
    config.write_text(found[1], "utf-8")
    done = textmill("plan", "--config", str(config), "--lake", str(tmp_path / "lake"))
    assert done.returncode == 0, done.stderr


def test_every_command_is_listed_and_every_listed_command_exists() -> None:
    table = README.split("## Command line")[1].split("## Develop")[0]
    words = set(re.findall(r"[a-z]+", " ".join(re.findall(r"`([^`]*)`", table))))
    listed = words - {"textmill", "help", "debug", "accept", "drift"}
    groups = ("corpus", "datasets", "models", "sources")
    shown = {name for group in ((), *((name,) for name in groups)) for name in commands(*group)}
    assert listed == shown


def commands(*group: str) -> list[str]:
    import typer

    from flows.cli import app

    command = typer.main.get_command(app)
    for name in group:
        command = command.commands[name]  # type: ignore[attr-defined]
    return list(command.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("link", re.findall(r"\]\((docs/[^)]+)\)", README))
def test_pages_and_pictures_are_there(link: str) -> None:
    path, _, heading = link.partition("#")
    assert (ROOT / path).stat().st_size > (10_000 if path.endswith(".png") else 1_000)
    assert not heading or f"\n## {heading}\n" in (ROOT / path).read_text("utf-8").lower()


@pytest.mark.parametrize(
    "block", re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "corpus.md").read_text("utf-8"), re.DOTALL)
)
def test_options_of_the_guide_are_known(block: str, tmp_path: Path) -> None:
    from flows.recipe import read_recipe

    (tmp_path / "config.yaml").write_text(block, "utf-8")
    assert read_recipe(tmp_path / "config.yaml").model_fields_set


def test_datasets_named_are_those_of_the_contracts() -> None:
    from data.contracts import CONTRACTS

    named = README.split("The datasets are")[1].split("; `data/contracts`")[0]
    assert set(re.findall(r"`(\w+)`", named)) == {name for name, one in CONTRACTS.items() if not one.internal}


def test_python_of_the_readme_compiles() -> None:
    found = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert found is not None
    compile(found[1], "README.md", "exec")


def test_every_promise_has_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (\d)\. .*", README, flags=re.MULTILINE)
    proofs = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", README)
    assert rows == [str(number) for number in range(1, 9)]
    assert all(f"def {name}(" in (ROOT / path).read_text("utf-8") for path, name in proofs)
    assert all("`tests/" in line for line in README.splitlines() if re.match(r"\| \d\. ", line))
