"""The whole job on a handful of pages, in a temporary lake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from data.contracts import CONTRACTS
from data.lake import Lake
from flows.job import make_job
from flows.plan import plan
from flows.recipe import read_recipe

pytestmark = [pytest.mark.usefixtures("prefect"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, prefect: None) -> tuple[Lake, Path, Path]:
    """A lake after one run."""
    from dumps import articles, write, write_config

    from flows.nightly import nightly

    root = tmp_path_factory.mktemp("job")
    dump, config = write(root / "small.xml.bz2", articles(20)), write_config(root / "small.yaml")
    nightly(sources=[str(dump)], lake=str(root / "lake"), config=str(config))
    return Lake(root / "lake"), dump, config


def released(lake: Lake) -> dict[str, str]:
    release = lake.release("small")
    assert release is not None
    datasets: dict[str, str] = release["datasets"]
    return datasets


def paths(lake: Lake, dataset: str) -> list[Path]:
    return lake.parts("small", dataset, released(lake)[dataset])


def test_every_stage_publishes_its_dataset(lake: tuple[Lake, Path, Path]) -> None:
    wanted = {"documents", "corpus", "rejects", "duplicates", "tokens", "labelled_text", "labelled_spans", "metrics"}
    assert wanted <= released(lake[0]).keys()


def test_published_files_have_the_schema_of_their_contract(lake: tuple[Lake, Path, Path]) -> None:
    for dataset in released(lake[0]):
        for path in paths(lake[0], dataset):
            assert pq.read_schema(path).remove_metadata() == CONTRACTS[dataset].schema, dataset


def test_in_is_kept_plus_rejected(lake: tuple[Lake, Path, Path]) -> None:
    documents, corpus, rejects, duplicates = (
        pl.read_parquet(paths(lake[0], name)) for name in ("documents", "corpus", "rejects", "duplicates")
    )
    assert corpus.height + rejects.height == 22
    assert {"redirect", "other_namespace"} <= set(rejects["reason"])
    assert rejects.filter(stage="dedup").height == duplicates.height
    assert documents.height == 20


def test_tokens_carry_the_fingerprint_of_their_tokenizer(lake: tuple[Lake, Path, Path]) -> None:
    metadata = pq.read_schema(paths(lake[0], "tokens")[0]).metadata
    assert (lake[0].tokenizers / "small" / metadata[b"tokenizer"].decode() / "tokenizer.json").is_file()


def test_predictions_name_their_model_and_version(lake: tuple[Lake, Path, Path]) -> None:
    predictions = [name for name in ("summaries", "sentiment", "entities", "keyphrases") if name in released(lake[0])]
    assert predictions
    for name in predictions:
        frame = pl.read_parquet(paths(lake[0], name))
        assert set(frame["model"]) == {f"small-{name}"}
        assert set(frame["model_version"]) == {"v000001"}


def test_entity_spans_are_the_text_of_the_corpus(lake: tuple[Lake, Path, Path]) -> None:
    if "entities" not in released(lake[0]):
        pytest.fail("the entity tagger earned no promotion")
    texts = dict(pl.read_parquet(paths(lake[0], "corpus")).select("doc_id", "text").iter_rows())
    found = pl.read_parquet(paths(lake[0], "entities")).select("doc_id", "start", "end", "surface")
    assert all(texts[doc_id][start:end] == surface for doc_id, start, end, surface in found.iter_rows())


def test_metrics_have_intervals_around_their_values(lake: tuple[Lake, Path, Path]) -> None:
    metrics = pl.read_parquet(paths(lake[0], "metrics"))
    assert metrics.filter((pl.col("ci_low") > pl.col("value")) | (pl.col("ci_high") < pl.col("value"))).is_empty()
    assert {"sentiment", "entities"} <= set(metrics["task"])


def test_polars_duckdb_and_pandas_read_the_same_rows(lake: tuple[Lake, Path, Path]) -> None:
    folder = paths(lake[0], "corpus")[0].parent
    rows = pl.read_parquet(f"{folder}/*.parquet").height
    assert duckdb.sql(f"select count(*) from read_parquet('{folder}/*.parquet')").fetchall() == [(rows,)]
    assert sum(len(pd.read_parquet(path)) for path in sorted(folder.glob("*.parquet"))) == rows


def test_report_needs_no_network(lake: tuple[Lake, Path, Path]) -> None:
    release = lake[0].release("small")
    assert release is not None
    page = (lake[0].root / release["report"]).read_text("utf-8")
    assert "small" in page
    assert not re.search(r"(src|href)=.https?://(?!en\.wikipedia\.org)|@import|<script src", page)


def test_second_run_has_nothing_to_do(lake: tuple[Lake, Path, Path]) -> None:
    assert plan(job_of(lake)).nothing_to_do
    assert plan(job_of(lake), whole=False).nothing_to_do


def test_a_change_of_the_recipe_is_planned(lake: tuple[Lake, Path, Path], tmp_path: Path) -> None:
    config = tmp_path / "other.yaml"
    config.write_text(lake[2].read_text("utf-8").replace("steps: 3", "steps: 4"), "utf-8")
    changed = plan(job_of((lake[0], lake[1], config)))
    todo = [step.name for step in changed.steps if not step.done]
    assert todo == ["model gpt", "metrics", "summaries", "sentiment", "entities", "keyphrases"]
    corpus_alone = plan(job_of((lake[0], lake[1], config)), whole=False)
    assert corpus_alone.nothing_to_do
    assert [step.name for step in corpus_alone.steps][-1] == "tokens"


def test_a_corpus_that_is_not_the_published_one_is_something_to_do(lake: tuple[Lake, Path, Path]) -> None:
    job = job_of(lake)
    release = lake[0].release("small")
    assert release is not None
    try:
        less = {name: version for name, version in release["datasets"].items() if name != "tokens"}
        lake[0].publish("small", {**release, "datasets": less})
        assert not plan(job, whole=False).nothing_to_do
    finally:
        lake[0].publish("small", release)


def test_every_manifest_holds_the_verdicts_of_the_validation(lake: tuple[Lake, Path, Path]) -> None:
    for dataset, version in released(lake[0]).items():
        manifest = lake[0].manifest("small", dataset, version)
        assert manifest is not None
        assert manifest["validation"], dataset
        assert all(verdict["success"] for verdict in manifest["validation"]), dataset


def test_manifests_and_cards_tell_which_program_made_them(lake: tuple[Lake, Path, Path]) -> None:
    from flows.job import made_with, textmill_version
    from models.registry import Registry

    release = lake[0].release("small") or {}
    manifests = [lake[0].manifest("small", *each) or {} for each in release["datasets"].items()]
    assert [one["made_with"] for one in manifests] == [made_with()] * len(manifests)
    assert {"textmill", "python", "polars", "pyarrow", "tokenizers"} <= made_with().keys()
    for name, version in release["models"].values():
        assert Registry(lake[0].models).read(name, version).card["code"].startswith(f"textmill {textmill_version()}, ")


def test_repeated_run_makes_the_same_release(lake: tuple[Lake, Path, Path]) -> None:
    from flows.nightly import nightly

    before = released(lake[0])
    outcome: Any = nightly(sources=[str(lake[1])], lake=str(lake[0].root), config=str(lake[2]))
    assert all(ref.reused for ref in outcome.datasets)
    assert released(lake[0]) == before


def job_of(lake: tuple[Lake, Path, Path]) -> Any:
    recipe = read_recipe(lake[2])
    return make_job(
        lake=lake[0].root, sources=[str(lake[1])], pipeline=None, recipe=recipe, limit=None, run_id="plan", started=""
    )
