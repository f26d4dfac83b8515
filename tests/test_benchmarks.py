"""The benchmarks share their options and their one list, and their goals end up in one table."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as all_of_them
from benchmarks import options
from benchmarks.__main__ import NAMES, Outcome, summary

FOLDER = options.ROOT / "benchmarks"
TOOLS = {"__main__", "generator", "gpt_throughput", "lake_build", "models"}  # start on their own, but measure nothing


def run_alone(path: Path) -> bool:
    return 'if __name__ == "__main__":' in path.read_text("utf-8")


def test_list_is_complete() -> None:
    assert set(NAMES) == {path.stem for path in FOLDER.glob("*.py") if run_alone(path)} - TOOLS


@pytest.mark.parametrize("name", NAMES)
def test_benchmark_has_the_common_options(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"benchmarks.{name}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--shared DIR", "--peers PYTHON", "--quick"))
    assert module.__doc__.splitlines()[0] in shown
    assert f"`{name}`" in (options.ROOT / "docs" / "benchmarks.md").read_text("utf-8")


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXTMILL_SHARED_DATA", "shared")
    monkeypatch.delenv("TEXTMILL_PEERS", raising=False)
    chosen = options.parser("").parse_args([])
    assert chosen.shared == Path.cwd() / "shared"
    assert chosen.peers is None


def test_what_is_missing_is_left_out_and_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    without = options.parser("").parse_args(["--shared", "", "--peers", ""])
    assert not options.has_shared(without, "accuracy")
    assert not options.has_peers(without)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "left out: accuracy: needs --shared or TEXTMILL_SHARED_DATA"
    there = options.parser("").parse_args(["--shared", str(tmp_path), "--peers", sys.executable])
    assert options.has_shared(there, "accuracy")
    assert options.has_peers(there)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("measured", "bound", "goal"),
    [
        (0.99, {"at_least": 0.98}, ("recall", ">= 0.98", "0.99", "met")),
        (0.97, {"at_least": 0.98}, ("recall", ">= 0.98", "0.97", "missed")),
        (0.1, {"at_most": 0.1}, ("recall", "<= 0.10", "0.10", "met")),
        (0.2, {"at_most": 0.1}, ("recall", "<= 0.10", "0.20", "missed")),
    ],
)
def test_goal_is_a_line_that_the_table_reads(
    measured: float, bound: dict[str, float], goal: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert options.goal("recall", measured, **bound) is (goal[-1] == "met")
    heard = Outcome("dedup")
    heard.hear(capsys.readouterr().out)
    assert heard.goals == [goal]


def test_other_lines_are_no_goals() -> None:
    heard = Outcome("dedup")
    for line in ("recall 0.9", "the goal: met", "left out: speed: needs peers", "a: 2 (goal 1) of b: met"):
        heard.hear(line)
    assert (heard.goals, heard.left_out) == ([], ["speed: needs peers"])


def test_summary_tells_goals_failures_and_what_was_left_out() -> None:
    outcomes = [
        Outcome("dedup", "", [("recall", ">= 0.98", "0.99", "met")], ["speed: needs peers"]),
        Outcome("web", "exit status 1"),
    ]
    plain = summary(outcomes, markdown=False).splitlines()
    assert [re.split(r" *\| *", line) for line in plain[2:4]] == [
        ["dedup", "recall", ">= 0.98", "0.99", "met"],
        ["web", "the benchmark failed", "", "exit status 1", "failed"],
    ]
    assert plain[4] == "left out: dedup: speed: needs peers"
    marked = summary(outcomes, markdown=True).splitlines()
    assert all(line.startswith("| ") and line.endswith("|") for line in marked[:4])
    assert marked[4:] == ["", "- left out: dedup: speed: needs peers"]


def test_a_benchmark_that_fails_is_told_and_the_next_one_runs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(all_of_them, "NAMES", {"no_such_benchmark": (), "nor_this": ()})
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick"])
    with pytest.raises(SystemExit) as ended:
        all_of_them.main()
    assert ended.value.code == 1
    assert capfd.readouterr().out.count("exit status 1 | failed") == 2


def test_a_benchmark_that_takes_too_long_is_ended() -> None:
    assert all_of_them.run("corpus", ["--large"], minutes=0).failure == "over 0 minutes"


def test_an_interrupted_run_ends_its_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    def interrupted(self: Outcome, line: str) -> None:
        raise KeyboardInterrupt

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__([sys.executable, "-u", "-c", "print(1); input()"], stdin=-1, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(Outcome, "hear", interrupted)
    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(KeyboardInterrupt):
        all_of_them.run("web", [], minutes=10)
    assert started[0].returncode == -signal.SIGKILL


def test_unknown_benchmark_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "dedupe"])
    with pytest.raises(SystemExit):
        all_of_them.main()
    assert "no such benchmark: dedupe; there are extraction," in capsys.readouterr().err


def test_table_aligns_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    options.table(("", "MB"), [("own", 12), ("a peer", 3)])
    assert capsys.readouterr().out.splitlines() == ["        MB", "own     12", "a peer   3"]


def test_runs_take_turns() -> None:
    order: list[str] = []
    works = {name: lambda name=name: order.append(name) for name in "ab"}
    options.in_turns(works, 2)
    assert order == ["a", "b", "a", "b"]
    assert options.medians({"a": iter([1.0, 9.0, 2.0]).__next__}, 3) == {"a": 2.0}


def test_every_peer_is_pinned_and_none_brings_torch() -> None:
    lines = [line for line in (FOLDER / "peers.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines)
    assert not [line for line in lines if line.startswith("torch")]


@pytest.mark.parametrize("path", [FOLDER / "options.py", *(FOLDER / "peers").glob("*.py")], ids=lambda path: path.stem)
def test_what_runs_beside_the_peers_imports_no_textmill(path: Path) -> None:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    assert not {name.split(".")[0] for name in names} & {"data", "pipelines", "models", "flows"}


@pytest.mark.parametrize("shared", ["", "somewhere"])
def test_make_bench_runs_all_of_them_and_brings_the_peers_where_there_is_data(shared: str) -> None:
    make = shutil.which("make")
    assert make is not None
    command = [
        make,
        "--no-print-directory",
        "--dry-run",
        "--always-make",
        "bench",
        f"TEXTMILL_SHARED_DATA={shared}",
        "ARGS=--quick",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=options.ROOT)
    assert done.stdout.rstrip().endswith(".venv/bin/python -m benchmarks --quick")
    assert ("benchmarks/peers.txt" in done.stdout) is bool(shared)
    assert ("TEXTMILL_PEERS=" in done.stdout) is bool(shared)
