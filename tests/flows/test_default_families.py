"""Every family of the catalogue in its default settings, from the embedded sample, by the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flows.training.running import REPORT
from models.catalogue import FAMILIES

MOST_CPU_SECONDS = 120
SHOWN = {
    "gpt": ["Generated text"],
    "bert-tagger": ["Mentions"],
    "text-vae": ["Interpolation", "Samples from the prior"],
    "text-gan": ["Samples", "Who wins"],
    "rnn-seq2seq": ["Outputs", "Attention"],
    "transformer-seq2seq": ["Outputs", "Attention"],
}


def textmill(*words: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *words], check=False, env=own, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lake = tmp_path_factory.mktemp("lake")
    textmill("run", "--lake", str(lake))
    return lake


@pytest.mark.long
@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_trains_from_the_sample_in_two_minutes(lake: Path, name: str) -> None:
    told: dict[str, Any] = json.loads(textmill("train", name, "--lake", str(lake), "--seed", "1", "--json"))
    page = (Path(told["path"]) / REPORT).read_text("utf-8")
    assert not told["reused"]  # the nightly run trains a gpt of seed 0
    assert all(f">{heading}</h" in page for heading in SHOWN.get(name, []))
    assert told["timing"]["cpu_seconds"] < MOST_CPU_SECONDS
