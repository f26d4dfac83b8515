"""kill -9 at any commit: the same command goes on, and publishes byte for byte what an undisturbed run does."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dumps import articles, page, write, write_config

from data.lake import Lake

DATASETS = ("documents", "corpus", "rejects", "duplicates", "tokens")
# The corpus stages without Prefect, killed from inside at the n-th file that becomes visible.
DRIVER = """
import os, signal, sys
from pathlib import Path
from data import files
from flows.job import make_job
from flows.recipe import read_recipe
from flows.stages import corpus, publish, tokens

lake, dump, config, deaths = sys.argv[1:]
left, original = int(deaths), files.publish

def publish_or_die(staged, path):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    original(staged, path)

files.publish = publish_or_die
job = make_job(lake=Path(lake), sources=[dump], pipeline=None, recipe=read_recipe(Path(config)), limit=None,
               run_id="r", started="2020-01-01T00:00:00+00:00")
raw = [file for source in job.sources for file in corpus.fetch(job, source)]
documents = corpus.documents(job, raw)
candidates = corpus.candidates(job, documents)
duplicates = corpus.duplicates(job, candidates)
kept = corpus.corpus(job, candidates, duplicates)
rejects = tokens.rejects(job, [documents, candidates, kept], kept)
encoded = tokens.tokens(job, kept, tokens.tokenizer(job, kept))
publish.release(job, [documents, kept, rejects, duplicates, encoded], [], None)
print("published", -left)
"""


def run(tmp: Path, name: str, deaths: int) -> subprocess.CompletedProcess[str]:
    words = [str(tmp / name), str(tmp / "small.xml.bz2"), str(tmp / "small.yaml"), str(deaths)]
    return subprocess.run([sys.executable, "-c", DRIVER, *words], capture_output=True, text=True, check=False)


def content(root: Path, pipeline: str = "small") -> dict[str, str]:
    """Hashes of the published files of the corpus datasets."""
    lake = Lake(root)
    release = lake.release(pipeline)
    assert release is not None
    files = [path for name in DATASETS for path in lake.parts(pipeline, name, release["datasets"][name])]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def sources(tmp: Path) -> None:
    copies = page(98, "#REDIRECT [[x]]", redirect=True)
    write(tmp / "small.xml.bz2", articles(20) + copies)
    write_config(tmp / "small.yaml")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder with a finished lake, and how many files became visible on the way."""
    tmp = tmp_path_factory.mktemp("kill")
    sources(tmp)
    done = run(tmp, "whole", 0)
    assert done.returncode == 0, done.stderr
    return tmp, int(done.stdout.split()[1])


def killed_then_finished(tmp: Path, deaths: int) -> dict[str, str]:
    name = f"killed-{deaths}"
    dead = run(tmp, name, deaths)
    assert dead.returncode == -signal.SIGKILL
    assert Lake(tmp / name).release("small") is None
    again = run(tmp, name, 0)
    assert again.returncode == 0, again.stderr
    return content(tmp / name)


@pytest.mark.parametrize("share", [0.15, 0.5, 0.85])
def test_killed_run_is_finished_by_the_next(undisturbed: tuple[Path, int], share: float) -> None:
    tmp, commits = undisturbed
    assert killed_then_finished(tmp, max(1, int(commits * share))) == content(tmp / "whole")


@pytest.mark.long
def test_killed_at_every_commit(undisturbed: tuple[Path, int]) -> None:
    tmp, commits = undisturbed
    whole = content(tmp / "whole")
    assert [deaths for deaths in range(1, commits + 1) if killed_then_finished(tmp, deaths) != whole] == []


def test_run_after_a_kill_does_not_redo_finished_parts(undisturbed: tuple[Path, int]) -> None:
    tmp, commits = undisturbed
    run(tmp, "resumed", commits - 2)
    assert int(run(tmp, "resumed", 0).stdout.split()[1]) < commits // 2
