"""docs/consume.md: every snippet is run here, section by section, against a small lake, and gives the right rows."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import duckdb
import polars as pl
import pytest
import readers_lake
from typer.testing import CliRunner

from data.lake import Lake
from data.release import open_release

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "consume.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
BLOCK = re.compile(r"^```(python|sql|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NUMBERS = [number for part in readers_lake.SECOND for number in part]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the lake after two releases, and the version of the corpus in the first."""
    folder = tmp_path_factory.mktemp("consume")
    lake = readers_lake.make(folder / "lake")
    first = open_release(lake, "simplewiki").versions["corpus"]
    readers_lake.publish(lake, readers_lake.SECOND, again=True)
    return folder, first


@pytest.fixture
def here(place: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place[0])
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(place[0] / "huggingface"))
    return place[0]


class Ran(dict[str, Any]):
    """What the snippets of a section left: the names of Python, the answers of SQL, the output of commands."""

    def __init__(self, **given: Any) -> None:
        super().__init__(given)
        self.answers: list[list[tuple[Any, ...]]] = []
        self.output: list[str] = []


def run(section: str, **given: Any) -> Ran:
    """Run the snippets of a section in order: those of a language see what the ones before them made."""
    ran, connection = Ran(**given), duckdb.connect()
    for kind, code in BLOCK.findall(SECTIONS[section]):
        if kind == "python":
            exec(compile(code, f"docs/consume.md, {section}", "exec"), ran)
        elif kind == "sql":
            ran.answers.append(connection.execute(code).fetchall())
        else:
            ran.output += map(command, code.strip().splitlines())
    connection.close()
    return ran


def command(line: str) -> str:
    from flows.cli import app

    done = CliRunner().invoke(app, line.split()[1:])
    assert done.exit_code == 0, done.output
    return done.stdout


def tones() -> list[tuple[str, str, int]]:
    """Documents of the release by language and label, by the rule that the lake was made by."""
    found = Counter(("en" if n % 3 else "lv", "positive" if n % 2 else "negative") for n in NUMBERS)
    return sorted((*key, count) for key, count in found.items())


def ids(numbers: Any = NUMBERS) -> list[str]:
    return [f"simplewiki:{number}" for number in numbers]


def polars(ran: Ran) -> None:
    joined = ran["joined"].sort("doc_id")
    assert sorted(joined["doc_id"]) == sorted(ids())
    assert joined["summary"].null_count() == 0
    assert joined.filter(doc_id="simplewiki:13")["summary"].item().endswith("once more.")


def duckdb_section(ran: Ran) -> None:
    assert ran["tones"] == tones()
    assert ran.answers == [tones(), [("simplewiki:12", "Title 12")]]


def pandas(ran: Ran) -> None:
    assert list(ran["joined"]["doc_id"]) == ids()
    assert list(ran["joined"]["label"]) == ["positive" if n % 2 else "negative" for n in NUMBERS]


def pyarrow(ran: Ran) -> None:
    assert ran["n_words"] == sum(len(readers_lake.text_of(n, again=True).split()) for n in NUMBERS)
    assert ran["latvian"]["doc_id"].to_pylist() == ids(number for number in NUMBERS if number % 3 == 0)


def hugging_face(ran: Ran) -> None:
    assert ran["loaded"]["doc_id"][:] == ids()
    assert ran["titles"] == ["Title 1", "Title 2", "Title 3"]


def pytorch(ran: Ran) -> None:
    found = list(ran["token_ids"](ran["release"].paths("tokens")))
    assert [each.tolist() for each in found] == [[1, 2, 3, 4, 5 + n % 2] for n in NUMBERS]
    assert ran["text"] == "Document tells of a river"


def one_document(ran: Ran) -> None:
    assert [row["title"] for row in ran["rows"]] == ["Title 12"]
    assert ran["mentions"]["surface"].to_list() == ["Rīga"]
    assert '"title": "Title 12"' in ran.output[0]
    assert '"published_at": "2026-01-01T00:00:00+00:00"' in ran.output[0]
    assert '"surface": "Rīga"' in ran.output[1]


def rejects(ran: Ran) -> None:
    odd = sum(number % 2 for number in NUMBERS)
    counts = {"redirect": odd, "too_few_words": len(NUMBERS) - odd}
    wanted = sorted(((-n, reason) for reason, n in counts.items()))
    assert ran.answers == [[("clean", "filtered", reason, -n) for n, reason in wanted]]


def offsets(ran: Ran) -> None:
    surfaces = ran["mentions"]["surface"].to_list()
    assert ran["in_python"] == surfaces
    assert ran["in_polars"] == surfaces
    assert [found for found, _ in ran["in_sql"]] == [surface for _, surface in ran["in_sql"]]
    assert sorted(found for found, _ in ran["in_sql"]) == sorted(surfaces)


def few_large_files(ran: Ran) -> None:
    assert pl.read_parquet("shared/corpus/*.parquet")["doc_id"].to_list() == ids()
    assert pl.read_parquet("shared/sentiment/*.parquet")["doc_id"].to_list() == ids()
    assert sorted(path.name for path in Path("shared").iterdir()) == ["corpus", "sentiment"]
    assert re.search(r"corpus +1 +1 +24", ran.output[0])


def staying(ran: Ran) -> None:
    assert ran["rows"]["doc_id"].to_list() == ids()


CHECKS: dict[str, Callable[[Ran], None]] = {
    "Polars": polars,
    "DuckDB": duckdb_section,
    "pandas": pandas,
    "PyArrow": pyarrow,
    "PyTorch": pytorch,
    "One document": one_document,
    "Rejects": rejects,
    "Offsets": offsets,
    "Staying on a version": staying,
    "Few large files": few_large_files,
}
APART = {"Hugging Face datasets", "Spark", "What changed since", "Object stores"}


@pytest.mark.parametrize("section", CHECKS)
def test_snippets_give_the_right_rows(section: str, here: Path) -> None:
    CHECKS[section](run(section))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_hugging_face_datasets_read_the_release_without_a_network(here: Path) -> None:
    pytest.importorskip("datasets")
    hugging_face(run("Hugging Face datasets"))


@pytest.mark.skipif(
    shutil.which("java") is None or importlib.util.find_spec("pyspark") is None, reason="needs pyspark and a JVM"
)
@pytest.mark.filterwarnings("ignore")
def test_spark_reads_the_release(here: Path) -> None:
    ran = run("Spark")
    found = [tuple(row) for row in ran["tones"]]
    ran["spark"].stop()
    assert found == tones()


def test_a_lake_in_a_bucket_is_read_the_same_way(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": url}
    for name, value in {**given, "TEXTMILL_CACHE": str(here / "cache")}.items():
        monkeypatch.setenv(name, value)
    try:
        urlopen(Request(f"{url}/bucket", method="PUT")).close()
        readers_lake.make("s3://bucket/lake")
        ran = run("Object stores")
    finally:
        server.stop()
    first = [number for part in readers_lake.FIRST for number in part]
    assert [row["title"] for row in ran["rows"]] == ["Title 12"]
    assert ran["titles"]["doc_id"].to_list() == ids(first)
    assert ran["labels"] == [(f"simplewiki:{n}", "positive" if n % 2 else "negative") for n in first]
    assert all(path.startswith(str(here / "cache")) for path in ran["copies"])
    assert ran["release"].paths("corpus")[0].startswith("s3://bucket/lake/datasets/simplewiki/corpus/")


def test_a_copy_follows_what_changed(here: Path, place: tuple[Path, str]) -> None:
    lake = Lake(here / "lake")
    copy = duckdb.connect("copy.duckdb")
    files = [str(path) for path in lake.parts("simplewiki", "corpus", place[1])]
    rows = f"select *, parse_filename(filename) as part from read_parquet({files}, filename = true)"
    copy.execute(f"create table corpus as select * exclude (filename) from ({rows})")
    copy.close()
    ran = run("What changed since", last_version=place[1])
    ran["copy"].close()
    with duckdb.connect("copy.duckdb") as copied:
        found = copied.execute("select doc_id, text from corpus").fetchall()
    assert sorted(found) == sorted(zip(ids(), (readers_lake.text_of(n, again=True) for n in NUMBERS), strict=True))
    assert (len(ran["fresh"]), len(ran["stale"])) == (2, 1)


def test_a_document_that_is_not_there_is_status_1_with_the_reason(here: Path) -> None:
    for doc_id, why in {"simplewiki:1001": "rejected by clean: redirect", "simplewiki:99": "an id is"}.items():
        done = subprocess.run(
            [sys.executable, "-m", "flows.cli", "datasets", "get", doc_id, "--lake", str(here / "lake")],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert why in done.stderr


def test_an_export_of_every_dataset_as_json(here: Path) -> None:
    told = json.loads(command("textmill datasets export everything --lake lake --json"))
    assert {row["dataset"] for row in told} == set(open_release("lake", "simplewiki").versions)
    assert all(Path(row["path"]).stat().st_size == row["bytes"] for row in told)


def test_every_section_with_snippets_is_run() -> None:
    assert {name for name, text in SECTIONS.items() if BLOCK.search(text)} == CHECKS.keys() | (APART & SECTIONS.keys())


def test_every_file_that_the_page_names_is_there() -> None:
    for path in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / path).exists(), path
