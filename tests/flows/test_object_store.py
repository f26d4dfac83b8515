"""The commands on a lake in an object store: as on a disk, and without the credentials in anything that is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from objectstore import KEY_ID, SECRETS, TOKEN, Proxy
from webserver import serving

from data.lake import Lake
from data.storage import place

COMMANDS = (
    *(("datasets", word) for word in ("list", "verify", "gc", "pin")),
    *(("datasets", "show", name) for name in ("corpus", "tokens", "rejects", "metrics")),
    ("datasets", "lineage", "corpus"),
    ("models", "list"),
    ("models", "show", "wikipedia-sample-sentiment"),
    ("report",),
)


def textmill(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, with workers."""
    own = {"PREFECT_SERVER_EPHEMERAL_ENABLED": "true", "PREFECT_LOGGING_LEVEL": "INFO", "TEXTMILL_WORKERS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "flows.cli", *words]
    return subprocess.run(
        command, env={**os.environ, **own, **variables}, capture_output=True, text=True, check=False, timeout=600
    )


def hashes(lake: Lake, pipeline: str) -> dict[str, list[str]]:
    release = lake.release(pipeline)
    assert release is not None
    manifests = {name: lake.manifest(pipeline, name, version) for name, version in release["datasets"].items()}
    return {name: [part["sha256"] for part in manifest["parts"]] for name, manifest in manifests.items() if manifest}


def check_secret_free(*folders: Path) -> None:
    """No object of the lake and no file of the cache, Prefect's database among them, holds a credential."""
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path


@pytest.mark.usefixtures("prefect")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_corpus_is_built_and_then_there_is_nothing_to_do(
    cloud: Proxy, dump: Path, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows import commands
    from flows.cli import _build, _job
    from flows.nightly import corpus_build

    corpus_build(sources=[str(dump)], lake=cloud.lake, config=str(config))
    cloud.requests.clear()
    _build("corpus_build", _job([str(dump)], None, Path(cloud.lake), config, None, 0), config, json=False)
    assert "Nothing to do: everything of 'small' is up to date." in capsys.readouterr().out
    assert cloud.lists() == []
    assert not [one for one in cloud.requests if one.path.endswith(".parquet")]
    commands.list_models(place(cloud.lake), json=False)
    check_secret_free(place(cloud.lake), tmp_path / "cache")


@pytest.mark.long
def test_two_machines_build_the_same_at_once(cloud: Proxy, dump: Path, config: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    page = f"/{dump.name}?sig={TOKEN}"
    with serving() as script, ThreadPoolExecutor(2) as pool:
        script.pages[page] = dump.read_bytes()
        source = script.base.replace("://", f"://user:{KEY_ID}@") + page
        words = ("corpus", "build", "--source", source, "--config", str(config), "--lake", cloud.lake)
        one, other = pool.map(lambda name: textmill(*words, TEXTMILL_CACHE=str(tmp_path / name)), ("one", "other"))
    assert (one.returncode, other.returncode) == (0, 0), one.stderr + other.stderr
    verified = textmill("datasets", "verify", "--lake", cloud.lake)
    assert (verified.returncode, "as published" in verified.stdout) == (0, True), verified.stdout + verified.stderr
    again = textmill(*words)
    assert "Nothing to do" in again.stdout, again.stdout + again.stderr
    on_disk = textmill(
        "corpus", "build", "--source", str(dump), "--config", str(config), "--lake", str(tmp_path / "lake")
    )
    assert on_disk.returncode == 0, on_disk.stderr
    assert hashes(Lake(Path(cloud.lake)), "small") == hashes(Lake(tmp_path / "lake"), "small")
    told = "".join(done.stdout + done.stderr for done in (one, other, verified, again)).encode()
    assert not any(secret.encode() in told for secret in SECRETS)
    check_secret_free(place(cloud.lake), tmp_path)


@pytest.mark.long
def test_two_runs_at_once_on_a_disk_have_one_result(dump: Path, config: Path, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    words = ("corpus", "build", "--source", str(dump), "--config", str(config), "--lake", str(tmp_path / "lake"))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: textmill(*words), range(2)))
    assert [one.returncode for one in done] == [0, 0], "".join(one.stderr for one in done)
    assert sum("another run is working on 'small'" in one.stderr for one in done) == 1
    assert textmill("datasets", "verify", "--lake", str(tmp_path / "lake")).returncode == 0


@pytest.mark.long
def test_the_whole_job_on_the_sample(cloud: Proxy, config: Path, tmp_path: Path) -> None:
    words = ("run", "--config", str(config), "--lake", cloud.lake)
    first = textmill(*words)
    assert first.returncode == 0, first.stderr
    again = textmill(*words)
    assert "Nothing to do" in again.stdout, again.stdout + again.stderr
    planned = textmill("plan", *words[1:], "--json", TEXTMILL_CACHE=str(tmp_path / "another machine"))
    assert json.loads(planned.stdout)["nothing_to_do"], planned.stdout
    assert "Nothing to do" in textmill("corpus", "build", *words[1:]).stdout
    for command in COMMANDS:
        done = textmill(*command, "--lake", cloud.lake)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    check_secret_free(place(cloud.lake), tmp_path)


@pytest.mark.parametrize(
    ("lake", "told"),
    [
        ("s3://no-such-bucket-here/lake", "there is no bucket for s3://no-such-bucket-here/lake"),
        (f"s3://{KEY_ID}:planted@bucket/lake", "holds credentials or a query"),
    ],
)
def test_a_lake_that_cannot_be_used_is_one_line(cloud: Proxy, lake: str, told: str) -> None:
    done = textmill("datasets", "list", "--lake", lake)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1), done.stderr
    assert told in done.stderr
    assert KEY_ID not in done.stdout + done.stderr


def test_help_tells_of_object_stores() -> None:
    done = textmill("run", "--help", COLUMNS="200")
    assert "s3://BUCKET/PREFIX" in done.stdout
