"""Conventions of the code base as a program."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(path for name in ("data", "pipelines", "models", "flows") for path in (ROOT / name).rglob("*.py"))
HEAVY = ("prefect", "torch", "polars", "great_expectations", "gensim", "pandas", "pyarrow", "altair", "httpx", "mlflow")
# Modules of pipelines that hold tables, helpers or pages; the version of a step covers them.
NO_STEPS = (
    "__init__",
    "stop_words",
    "pages",
    "charts",
    "report",
    "training_page",
    "deferred",
    "dictionary",
    "verdicts",
    "validation_page",
    "graph",
    "checks",
    "clean_config",
    "columns",
    "rewriting",
    "extensions",
    "minhash",
    "sections",
    "shingles",
    "repeated",
)
MACHINE = re.compile(r"/(work|root|home|tmp|mnt|Users)/|localhost:\d{4,}/simple|site-packages/")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def is_call_of(node: ast.AST, owner: str, name: str) -> bool:
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and function.attr == name
        and isinstance(function.value, ast.Name)
        and function.value.id == owner
    )


@pytest.mark.parametrize("module", ["flows.cli", "pipelines.download", "data.catalogue"])
def test_help_imports_nothing_heavy(module: str) -> None:
    code = f"import {module}, sys; print(*[n for n in {HEAVY!r} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_no_assert_outside_tests(path: Path) -> None:
    assert [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.Assert)] == []


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_nothing_unpickles(path: Path) -> None:
    names = {name.split(".")[0] for node in ast.walk(tree(path)) for name in imported(node)}
    assert names & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"} == set()
    assert not [n.lineno for n in ast.walk(tree(path)) if isinstance(n, ast.Call) and is_call_of(n, "torch", "load")]


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_no_path_of_a_machine(path: Path) -> None:
    assert MACHINE.findall(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "path", [path for path in sorted((ROOT / "pipelines").glob("*.py")) if path.stem not in NO_STEPS], ids=label
)
def test_every_step_has_a_version(path: Path) -> None:
    names = [
        target.id
        for node in tree(path).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert "VERSION" in names


def test_names_of_test_files_are_unique() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))


def test_mlflow_waits_until_a_store_is_named() -> None:
    """Training does without it: no module of ours imports it as it is imported itself."""
    first = [
        label(path)
        for path in MODULES
        for node in tree(path).body
        for name in imported(node)
        if name.split(".")[0] in {"mlflow", "alembic"}
    ]
    assert first == []
