"""Modules whose import waits for their use."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.deferred import deferred


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "seldom_used.py").write_text("import sys\nsys.seldom_used = True\nANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delattr(sys, "seldom_used", raising=False)
    monkeypatch.delitem(sys.modules, "seldom_used", raising=False)
    return "seldom_used"


def test_a_deferred_module_is_loaded_at_its_first_use(module: str) -> None:
    with deferred(module):
        found = __import__(module)
        assert not gc.isenabled()
    assert gc.isenabled()
    assert not hasattr(sys, "seldom_used")
    assert found.ANSWER == 42
    assert hasattr(sys, "seldom_used")


def test_other_modules_are_loaded_at_once(module: str) -> None:
    finders = list(sys.meta_path)
    with deferred("another"):
        __import__(module)
    assert hasattr(sys, "seldom_used")
    assert sys.meta_path == finders


def test_great_expectations_is_loaded_without_charts_and_statistics() -> None:
    code = "import sys; from pipelines import validate; validate._batches(); print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "great_expectations" in said
    assert not {"altair.vegalite", "scipy.stats._stats_py"} & set(said)


def test_a_worker_makes_parts_without_pandas() -> None:
    code = (
        "import sys, polars as pl; from data.contracts import CONTRACTS; from flows.stages import corpus, tokens; "
        "from pipelines import tokenise; from pipelines.clean import clean; "
        "row = {'doc_id': 'w:1', 'source': 'w', 'text': 'The river lies in the north. ' * 40, 'sections': []}; "
        "schema = pl.Schema(CONTRACTS['documents'].schema); "
        "kept, _ = clean(pl.DataFrame([row], schema=schema)); "
        "encoder = tokenise.load(tokenise.train_tokenizer([row['text']])); "
        "tokens.tokens_of(pl.DataFrame([row], schema=schema), encoder, 'n'); print(*sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tokenizers" in said
    assert "pandas" not in said
