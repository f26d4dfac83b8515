"""The same input, config and versions give the same bytes: in any environment, with any number of workers, anywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aftermath import differences
from faulty import HERE, ROOT, Site

START = """
import json, os, platform, sys
from pathlib import Path
order = json.loads(sys.argv[1])
os.umask(order["umask"])
print(platform.node(), hash("textmill"))
import scenarios
scenarios.remember_judgements(Path(order["judgements"]))
scenarios.corpus(**order["arguments"])
"""
ELSEWHERE = {
    "PYTHONHASHSEED": "77",
    "TZ": "Asia/Kathmandu",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "C",
    "POLARS_MAX_THREADS": "3",
    "OMP_NUM_THREADS": "3",
    "RAYON_NUM_THREADS": "3",
    "USER": "somebody",
    "HOME": "/nonexistent",
    "FAULT_HOST": "another-machine",
}


def made(site: Site, tmp_path: Path, variables: dict[str, str], *, umask: int = 0o022, workers: int = 0) -> list[str]:
    """How a lake made in a process of its own, with other paths and this environment, is other than the usual one."""
    lake, folder = tmp_path / "a lake elsewhere", tmp_path / "given"
    folder.mkdir()
    shutil.copyfile(site.folder / "small.xml.bz2", folder / "small.xml.bz2")
    words = {"source": str(folder / "small.xml.bz2"), "config": str(site.folder / "small.yaml"), "run": "another"}
    arguments = {"lake": str(lake), **words, "workers": workers}
    order = {"umask": umask, "arguments": arguments, "judgements": str(site.driver.judgements)}
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests", HERE)))
    environment = {**os.environ, "LD_PRELOAD": str(site.driver.shim), "PYTHONPATH": paths, **variables}
    command = [sys.executable, "-c", START, json.dumps(order)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(variables.get("FAULT_HOST", ""))
    return differences(site.bytes_of(lake), site.bytes_of(site.folder / "whole"))


def test_another_environment_and_workers_give_the_same_bytes(site: Site, tmp_path: Path) -> None:
    assert made(site, tmp_path, ELSEWHERE, umask=0o077, workers=2) == []


@pytest.mark.long
@pytest.mark.parametrize("workers", [0, 1, 2, 4])
def test_any_number_of_workers_gives_the_same_bytes(site: Site, tmp_path: Path, workers: int) -> None:
    assert made(site, tmp_path, {}, workers=workers) == []


@pytest.mark.long
@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_variable_of_the_environment_is_in_the_bytes(site: Site, tmp_path: Path, name: str) -> None:
    assert made(site, tmp_path, {name: ELSEWHERE[name]}) == []


@pytest.mark.long
@pytest.mark.parametrize("umask", [0, 0o077])
def test_no_umask_is_in_the_bytes(site: Site, tmp_path: Path, umask: int) -> None:
    assert made(site, tmp_path, {}, umask=umask) == []
