"""What stops a dataset before it is committed: drift from the published version, a contract that breaks its readers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lakes import rejected as rejects_of

from data.contracts import CONTRACTS
from data.contracts.corpus import SIGNALS
from data.errors import ContractError
from data.versions import Build
from flows import drafts, judging
from flows.build import Output, Unit, build
from flows.job import Job, Ref, make_job
from flows.recipe import Recipe
from flows.stages import corpus
from pipelines.validate import ValidationError

ROWS = 120


def posts(folder: Path, texts: Iterable[str], *, titled: bool = True, name: str = "posts") -> Path:
    """A source of one text a line."""
    path = folder / f"{name}.jsonl"
    lines = [{"id": f"{name}-{i}", "title": "t" if titled else None, "text": text} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def short(count: int = ROWS) -> list[str]:
    return [f"Some words of text number {i}." for i in range(count)]


def long(count: int = ROWS) -> list[str]:
    return [" ".join(["Many words of text."] * 40) + str(i) for i in range(count)]


def job_of(tmp_path: Path, *sources: Path, accept: bool = False, **recipe: Any) -> Job:
    return make_job(
        lake=tmp_path / "lake",
        sources=[str(source) for source in sources],
        pipeline="p",
        recipe=Recipe.model_validate(recipe),
        limit=None,
        run_id="r",
        started="",
        workers=0,
        accept_drift=accept,
    )


def built(job: Job, *, publish: bool = True) -> dict[str, Any]:
    """The manifest of the documents of a job, published."""
    raw = [file for source in job.sources for file in corpus.fetch(job, source)]
    ref = corpus.documents(job, raw)
    if publish:
        job.lake.publish(job.pipeline, {"datasets": {"documents": ref.version}})
    return job.manifest(ref)


def test_a_first_version_is_compared_with_none(tmp_path: Path) -> None:
    manifest = built(job_of(tmp_path, posts(tmp_path, short())))
    assert manifest["drift"]["compared_with"] is None
    assert "no published version" in manifest["drift"]["why_not"]
    assert manifest["profile"]["rows"] == ROWS


def test_data_of_the_same_kind_are_compared_and_published(tmp_path: Path) -> None:
    before = built(job_of(tmp_path, posts(tmp_path, short())))
    manifest = built(job_of(tmp_path, posts(tmp_path, short(ROWS + 9))))
    assert manifest["drift"]["compared_with"] == before["version"]
    assert manifest["drift"]["before"] == before["profile"]
    assert all(verdict["success"] for verdict in manifest["drift"]["verdicts"])
    assert manifest["drift"]["accepted"] is False


@pytest.mark.parametrize(
    ("texts", "titled", "found"),
    [
        (short(40), True, r"documents drifted from .*120 → 40 rows, 0\.33 times"),
        (long(), True, r"documents drifted in text from .*distance 1\.000: 16–31 .* → 0\.0%"),
        (short(), False, r"documents drifted in title from .*0\.0% → 100\.0% null"),
    ],
)
def test_drift_publishes_nothing_and_names_column_values_and_option(
    tmp_path: Path, texts: list[str], titled: bool, found: str
) -> None:
    before = built(job_of(tmp_path, posts(tmp_path, short())))
    job = job_of(tmp_path, posts(tmp_path, texts, titled=titled))
    with pytest.raises(ValidationError, match=f"(?s){found}.*--accept-drift"):
        built(job)
    assert [one["version"] for one in job.lake.manifests("p", "documents")] == [before["version"]]
    assert (job.lake.release("p") or {})["datasets"] == {"documents": before["version"]}
    page = (job.report_folder / "validation-documents.html").read_text("utf-8")
    assert "not published" in page
    assert "<svg" in page


def test_drift_that_is_accepted_is_published_and_recorded(tmp_path: Path) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    manifest = built(job_of(tmp_path, posts(tmp_path, long()), accept=True))
    assert manifest["drift"]["accepted"] is True
    assert [one["column"] for one in manifest["drift"]["verdicts"] if not one["success"]] == ["text"]
    again = built(job_of(tmp_path, posts(tmp_path, long(ROWS + 1))))
    assert all(one["success"] for one in again["drift"]["verdicts"])


def test_accepting_is_recorded_only_where_something_moved(tmp_path: Path) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    assert built(job_of(tmp_path, posts(tmp_path, short(ROWS + 1)), accept=True))["drift"]["accepted"] is False


def test_accepting_decides_no_version(tmp_path: Path) -> None:
    source = posts(tmp_path, short())
    assert built(job_of(tmp_path, source))["version"] == built(job_of(tmp_path, source, accept=True))["version"]


@pytest.mark.parametrize(
    "recipe",
    [{"page_chars": 999_999}, {"sources": {"posts": {"fields": {"title": "title", "text": "text", "id": "id"}}}}],
)
def test_another_recipe_is_meant_to_make_other_data(tmp_path: Path, recipe: dict[str, Any]) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    manifest = built(job_of(tmp_path, posts(tmp_path, long()), **recipe))
    assert manifest["drift"]["compared_with"] is None
    assert "the recipe" in manifest["drift"]["why_not"]


def test_one_source_more_is_meant_to_make_other_data(tmp_path: Path) -> None:
    source = posts(tmp_path, short())
    built(job_of(tmp_path, source))
    manifest = built(job_of(tmp_path, source, posts(tmp_path, long(), name="more")))
    assert "number of sources" in manifest["drift"]["why_not"]


def test_one_file_more_in_a_folder_is_compared(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    folder.mkdir()
    posts(folder, short(), name="one")
    before = built(job_of(tmp_path, folder))
    posts(folder, long(), name="two")
    with pytest.raises(ValidationError, match=f"drifted in text from the published version {before['version']}"):
        built(job_of(tmp_path, folder))


def test_a_source_in_place_of_another_is_compared(tmp_path: Path) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    with pytest.raises(ValidationError, match="drifted in text"):
        built(job_of(tmp_path, posts(tmp_path, long(), name="later")))


def test_what_is_made_of_other_documents_is_not_compared(tmp_path: Path) -> None:
    found = []
    for recipe in ({}, {"extract": {"tables": "lines"}}):
        job = job_of(tmp_path, posts(tmp_path, short() if not recipe else long()), clean={"recipe": "plain"}, **recipe)
        manifest = built(job)
        ref = corpus.candidates(job, Ref("documents", manifest["version"], manifest["rows"], reused=True))
        found.append(job.manifest(ref))
    assert found[0]["config"] == found[1]["config"]
    assert found[0]["basis"] != found[1]["basis"]


def test_another_major_version_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    monkeypatch.setitem(CONTRACTS, "documents", replace(CONTRACTS["documents"], version=(2, 0)))
    manifest = built(job_of(tmp_path, posts(tmp_path, long())))
    assert "major version" in manifest["drift"]["why_not"]


def test_few_rows_are_not_compared(tmp_path: Path) -> None:
    built(job_of(tmp_path, posts(tmp_path, short(99))))
    assert "fewer than 100 rows" in built(job_of(tmp_path, posts(tmp_path, long())))["drift"]["why_not"]


def test_a_contract_that_breaks_its_readers_builds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built(job_of(tmp_path, posts(tmp_path, short())))
    old = CONTRACTS["documents"]
    narrowed = replace(old, columns=tuple(replace(one, nullable=False) for one in old.columns))
    monkeypatch.setitem(CONTRACTS, "documents", narrowed)
    job = job_of(tmp_path, posts(tmp_path, short(ROWS + 1)))
    with pytest.raises(ContractError, match=r"contract documents 1\.\d+: column .* may no longer be null"):
        built(job)
    assert not list(job.lake.staging("p", "documents", "x").parent.glob("*/*.parquet"))
    monkeypatch.setitem(CONTRACTS, "documents", replace(narrowed, version=(2, 0), columns=old.columns))
    assert built(job)["contract"]["version"] == "2.0"


def test_rejects_that_break_their_readers_are_not_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.stages import tokens

    job = job_of(tmp_path, posts(tmp_path, [*short(3), ""]))
    manifest = built(job)
    ref = Ref("documents", manifest["version"], manifest["rows"], reused=True)
    first = tokens.rejects(job, [ref], Ref("corpus", "one", 0, reused=True))
    job.lake.publish("p", {"datasets": {"rejects": first.version}})
    narrowed = replace(CONTRACTS["rejects"], columns=CONTRACTS["rejects"].columns[1:])
    monkeypatch.setitem(CONTRACTS, "rejects", narrowed)
    with pytest.raises(ContractError, match="column doc_id is gone"):
        tokens.rejects(job, [ref], Ref("corpus", "two", 0, reused=True))


def test_rejects_of_many_parts_are_judged_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.stages import tokens
    from pipelines import validate

    target = Build(job_of(tmp_path, posts(tmp_path, short(1))).lake, "p", CONTRACTS["rejects"], "v")
    table = rejects_of({"w:1": ("extract", "redirect"), "w:2": ("clean", "too_short")})
    counts = {"in": 2, "kept": 2, "filtered": {}, "failed": {}}
    parts = [target.write(number, f"k{number}", table, counts=counts) for number in range(3)]
    one_by_one = validate.merge(
        validate.validate_rows(pl.read_parquet(target.folder / part.file), target.contract)[2] for part in parts
    )
    judged, real = [], validate._judge
    monkeypatch.setattr(validate, "_judge", lambda *given, **options: judged.append(0) or real(*given, **options))
    assert tokens._judge_rejects(target, parts) == [verdict.as_json() for verdict in one_by_one]
    assert len(judged) == 1


def pairs(doc_id: str, kept: str = "a:1") -> Output:
    """A duplicate, as a part."""
    row = {"doc_id": doc_id, "kept_doc_id": kept, "cluster_id": "a:1", "similarity": 0.9}
    frame = pl.DataFrame([row], schema_overrides={"similarity": pl.Float32})
    return Output(frame, {"in": 1, "kept": 1, "filtered": {}, "failed": {}})


def several(*doc_ids: str) -> Output:
    """Some duplicates, as a part."""
    frame = pl.concat([pairs(doc_id).frame for doc_id in doc_ids])
    return Output(frame, {"in": len(doc_ids), "kept": len(doc_ids), "filtered": {}, "failed": {}})


def test_only_parts_whose_keys_may_repeat_are_read_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, asked = job_of(tmp_path, posts(tmp_path, short(1))), list[str]()
    real = judging._column

    def counted(paths: list[Path], name: str) -> pl.Series:
        asked.extend(path.name.partition("-")[2][:5] for path in paths)
        return real(paths, name)

    monkeypatch.setattr(judging, "_column", counted)
    ids = (("a:2", "a:9"), ("a:10", "a:12"), ("a:20", "a:30"), ("a:25",))
    units = [Unit(i, str(i), partial(several, *some)) for i, some in enumerate(ids)]
    build(job, "duplicates", "v", units, inputs=[], config={})
    assert asked == ["00002", "00003"]


def test_a_key_twice_in_a_part_that_stands_apart_publishes_nothing(tmp_path: Path) -> None:
    job = job_of(tmp_path, posts(tmp_path, short(1)))
    units = [Unit(0, "0", partial(several, "a:2", "a:2")), Unit(1, "1", partial(several, "a:3"))]
    with pytest.raises(ValidationError, match=r"breaks expect_column_values_to_be_unique:doc_id .*for example a:2"):
        build(job, "duplicates", "v", units, inputs=[], config={})


def test_a_key_in_two_parts_publishes_nothing(tmp_path: Path) -> None:
    job = job_of(tmp_path, posts(tmp_path, short(1)))
    units = [Unit(i, str(i), partial(pairs, "a:2")) for i in range(2)]
    with pytest.raises(ValidationError, match=r"breaks expect_column_values_to_be_unique:doc_id .*for example a:2"):
        build(job, "duplicates", "v", units, inputs=[], config={})
    assert job.lake.manifest("p", "duplicates", "v") is None
    assert (job.report_folder / "validation-duplicates.html").is_file()


def test_rows_that_fail_are_rejects_and_in_no_profile(tmp_path: Path) -> None:
    job = job_of(tmp_path, posts(tmp_path, short(1)), max_failed_share=1)
    units = [Unit(0, "a", partial(pairs, "a:2")), Unit(1, "b", partial(pairs, "a:3", kept="a:3"))]
    manifest = job.manifest(build(job, "duplicates", "v", units, inputs=[], config={}))
    assert rejected(job, manifest, 1) == [
        ("a:3", "a", "duplicates/a:3", "validate", "failed", "check_failed:kept_is_another_document")
    ]
    assert manifest["profile"]["rows"] == 1


def rejected(job: Job, manifest: dict[str, Any], part: int = 0) -> list[tuple[Any, ...]]:
    """The rejects of a part, without details."""
    folder = job.lake.version("p", manifest["dataset"], manifest["version"])
    found = pl.read_parquet(folder / manifest["parts"][part]["rejects_file"])
    return found.select("doc_id", "source", "origin", "stage", "kind", "reason").rows()


NOT_NULL = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"
BROKEN = {
    "documents": ({"text": ""}, f"{BETWEEN}:text_chars"),
    "candidates": ({"n_words": 0}, f"{BETWEEN}:n_words"),
    "corpus": ({"lang": "English"}, "expect_column_values_to_match_regex:lang"),
    "duplicates": ({"similarity": 1.5}, f"{BETWEEN}:similarity"),
    "tokens": ({"n_tokens": 0, "input_ids": []}, f"{BETWEEN}:n_tokens"),
    "labelled_text": ({"label": None}, f"{NOT_NULL}:label"),
    "labelled_spans": ({"split": "all"}, "expect_column_values_to_be_in_set:split"),
    "summaries": ({"compression": 2.0}, f"{BETWEEN}:compression"),
    "sentiment": ({"score": float("nan")}, f"{BETWEEN}:score"),
    "entities": ({"surface": "longer"}, "check_failed:surface_fits_span"),
    "keyphrases": ({"phrase": None}, f"{NOT_NULL}:phrase"),
    "metrics": ({"ci_low": 0.9}, "check_failed:interval_around_value"),
}
"""What breaks a row of each dataset, and the reason of its reject."""
VALUES: dict[str, Any] = {
    "doc_id": "w:1", "source": "w", "text": "text", "sections": [], "lang": "en", "lang_score": 0.9, "n_chars": 4,
    "n_words": 1, "n_sentences": 1, "dropped_lines": [], "pii": [], "text_sha256": "0" * 64, "minhash": [],
    "normalised_hash": 1, "line_hashes": [], "kept_doc_id": "w:kept", "cluster_id": "w:0", "similarity": 0.9,
    "input_ids": [7], "n_tokens": 1, "row_id": "r1", "label": "good", "split": "test", "spans": [], "summary": "s",
    "compression": 0.5, "score": 0.5, "model": "m", "model_version": "v000001", "probabilities": [], "start": 0,
    "end": 4, "surface": "text", "type": "PER", "rank": 1, "phrase": "p", "task": "t", "dataset": "d",
    "dataset_version": "v", "metric": "f1", "value": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 3,
}  # fmt: skip


def rows_of(dataset: str, *changed: dict[str, Any]) -> pl.DataFrame:
    """A row of a dataset for each of the changes to one that is right."""
    schema = pl.DataFrame(CONTRACTS[dataset].schema.empty_table()).schema
    quality = {"quality": dict.fromkeys(SIGNALS)}
    return pl.DataFrame([{name: {**VALUES, **quality, **one}.get(name) for name in schema} for one in changed], schema)


@pytest.mark.parametrize("dataset", BROKEN)
def test_a_row_that_breaks_the_contract_is_a_reject_of_the_expectation(tmp_path: Path, dataset: str) -> None:
    change, reason = BROKEN[dataset]
    names = [{"doc_id": f"w:{i}", "row_id": f"r{i}", "metric": f"m{i}", "text_sha256": f"{i:064}"} for i in range(4)]
    frame = rows_of(dataset, *names[:3], {**names[3], **change})
    counts = {"in": 4, "kept": 4, "filtered": {}, "failed": {}}
    job = job_of(tmp_path, posts(tmp_path, short(1)), max_failed_share=1)
    unit = Unit(0, "k", lambda: Output(frame, counts))
    manifest = job.manifest(build(job, dataset, "v", [unit], inputs=[], config={}))
    assert manifest["counts"] == {"in": 4, "kept": 3, "filtered": {}, "failed": {reason: 1}}
    ((_, source, origin, *how),) = rejected(job, manifest)
    assert how == ["validate", "failed", reason]
    assert source == ("unknown" if dataset == "metrics" else "w")
    assert origin.startswith(f"{dataset}/")
    assert "3" in origin


def test_every_dataset_with_rows_to_set_apart_is_tried() -> None:
    assert BROKEN.keys() == CONTRACTS.keys() - {"rejects"}  # a reject has nowhere else to go


def test_mentions_that_fail_take_no_document_with_them(tmp_path: Path) -> None:
    frame = rows_of("entities", *({"surface": "longer", "start": i} for i in range(3)), {})
    job = job_of(tmp_path, posts(tmp_path, short(1)), max_failed_share=1)
    counts = {"in": 1, "kept": 1, "rows": 4, "filtered": {}, "failed": {}}
    unit = Unit(0, "k", lambda: Output(frame, counts))
    manifest = job.manifest(build(job, "entities", "v", [unit], inputs=[], config={}))
    assert manifest["counts"] == {"in": 4, "kept": 1, "filtered": {}, "failed": {"check_failed:surface_fits_span": 3}}
    assert manifest["rows"] == 1
    assert [row[2] for row in rejected(job, manifest)] == [f"entities/w:1/{i}/4" for i in range(3)]


def test_a_part_holds_its_profile(tmp_path: Path) -> None:
    manifest = built(job_of(tmp_path, posts(tmp_path, short()), part_pages=50))
    assert [part["facts"][drafts.PROFILE]["rows"] for part in manifest["parts"]] == [50, 50, 20]
