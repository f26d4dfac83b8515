"""The command line: what it refuses, how it says so, and with which status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flows import cli


def textmill(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *words], capture_output=True, text=True, check=False, cwd=cwd
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "--source", "nowhere.xml.bz2"], "neither a source nor a file"),
        (["run", "--source", "sentiment-sample"], "labelled set"),
        (["run", "--limit", "0"], "--limit"),
        (["run", "--source", "simplewiki", "--source", "simplewiki"], "two sources"),
        (["run", "--pipeline", "a/b"], "cannot name a pipeline"),
        (["run", "--config", "missing.yaml"], "cannot be read"),
        (["plan", "--source", "*.nothing"], "matches no file"),
        (["datasets", "show", "corpus"], "nothing is published"),
        (["datasets", "get", "enwiki:1"], "nothing is published"),
        (["datasets", "export", "out"], "nothing is published"),
        (["models", "show", "nothing"], "no model"),
        (["models", "rollback", "nothing"], "no champion"),
        (["sources", "get", "nothing"], "neither a source nor a file"),
        (["sources", "get", "wikipedia:uk:monday"], "'monday' is no date"),
        (["sources", "get", "ftp://example.org/x"], "ftp:// is not known"),
        (["sources", "get", "conll2003"], "--path FILE"),
        (["sources", "get", "imdb", "--path", "nowhere.tgz"], "nowhere.tgz cannot be read"),
    ],
)
def test_mistake_is_one_line_and_status_1(
    words: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In this process: one of its own for each of so many would cost a second of CPU."""
    monkeypatch.setattr(sys, "argv", ["textmill", *words, "--lake", str(tmp_path / "lake")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert message in said
    assert "Traceback" not in said
    assert len(said.strip().splitlines()) <= 2


def test_unknown_option_of_a_recipe_is_named(tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text("tokeniser: {vocabulary: 3}\n")
    done = textmill("plan", "--config", str(config), "--lake", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert "vocabulary" in done.stderr


def test_options_of_an_unknown_model_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "recipe.yaml"
    config.write_text("models: {bert: {layers: 3}}\n")
    done = textmill("plan", "--config", str(config), "--lake", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert "no model 'bert'" in done.stderr


def test_lake_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("")
    done = textmill("run", "--lake", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert "not writable" in done.stderr


@pytest.mark.parametrize("words", [["infer", "summaries"], ["evaluate", "sentiment"], ["doctor"]])
def test_command_of_a_later_version_says_so_with_status_2(words: list[str]) -> None:
    done = textmill(*words)
    assert done.returncode == 2
    assert "not in this version" in done.stderr


def test_plan_of_an_empty_lake_writes_nothing(tmp_path: Path) -> None:
    done = textmill("plan", "--json", "--lake", str(tmp_path / "lake"))
    assert done.returncode == 0
    assert '"nothing_to_do": false' in done.stdout
    assert not (tmp_path / "lake").exists()
